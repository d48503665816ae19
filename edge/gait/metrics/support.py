"""Steps and supports: what the contacts of one foot mean between those of the other.

Sources: docs/gait.md; single-sensor times are in `edge/gait/timing.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge.gait.timing import LEAST_PHASE_S
from sensors import Side

from .family import Family

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge.gait.strides import Body, Strides

# A step that lasts longer has a pause in it.
LONGEST_STEP_S = 1.5
# Feet leave the ground this long before (running) or after the other one lands.
DOUBLE_SUPPORT_S = (-0.3, 0.8)
OTHER = {Side.LEFT: Side.RIGHT, Side.RIGHT: Side.LEFT}


def support_columns(strides: Strides, body: Body) -> Mapping[str, NDArray[np.float64]]:
    """Step time before the stride's first contact, double and single support after it, each (m,).

    And the share of the stride, per cent, in which both feet are on the ground. Negative double
    support is flight. Both take the error of the other foot's clock one to one.
    """
    other = body.strides.get(OTHER[strides.side])
    if other is None:
        return {}
    begin = strides.begin_s
    step = begin - _latest(other.end_s, begin)
    leaves = _nearest_in(other.final_contact_s, begin, DOUBLE_SUPPORT_S)
    lands = _first_after(other.end_s, leaves)
    single = np.minimum(lands, strides.final_contact_s) - np.maximum(leaves, begin)
    return {
        "step_time_s": _plausible(step),
        "double_support_s": leaves - begin,
        "single_support_s": _plausible(single),
        "double_support_pct": 100.0
        * (leaves - begin + strides.final_contact_s - lands)
        / (strides.end_s - begin),
    }


def _plausible(lasts_s: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = (lasts_s >= LEAST_PHASE_S) & (lasts_s <= LONGEST_STEP_S)
    return np.where(inside, lasts_s, np.nan)


def _latest(times_s: NDArray[np.float64], before_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Last of sorted times before each moment, NaN where there is none."""
    place = np.searchsorted(times_s, np.where(np.isnan(before_s), -np.inf, before_s)) - 1
    return np.where(place >= 0, times_s[np.maximum(place, 0)], np.nan)


def _first_after(times_s: NDArray[np.float64], after_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """First of sorted times after each moment, NaN where there is none."""
    place = np.searchsorted(times_s, np.where(np.isnan(after_s), np.inf, after_s), side="right")
    return np.where(place < len(times_s), times_s[np.minimum(place, len(times_s) - 1)], np.nan)


def _nearest_in(
    times_s: NDArray[np.float64], about_s: NDArray[np.float64], reach_s: tuple[float, float]
) -> NDArray[np.float64]:
    """First of sorted times within reach of each moment."""
    found = _first_after(times_s, about_s + reach_s[0])
    return np.where(found <= about_s + reach_s[1], found, np.nan)


SUPPORT = Family(
    "support",
    support_columns,
    {
        "step_time_s": 0.005,
        "double_support_s": 0.010,
        "single_support_s": 0.010,
        "double_support_pct": 2.0,
    },
    needs=("other foot",),
)
