"""Contacts of a foot seen a second time, by the shank above it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cext import lowpass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .segment import SegmentMotion
    from .strides import Strides

SHANK_HZ = 6.0
# The fastest swing of the shank is this near to that of the foot.
REACH_S = 0.25
# Beyond this the two sensors do not speak of the same event.
CONFLICT_S = 0.06


def event_conflicts(strides: Strides, shank: SegmentMotion) -> NDArray[np.bool_]:
    """Strides (m,) whose landing or leaving the shank puts elsewhere than it usually does.

    Notes
    -----
    The shank lands with the first minimum of its swing rate after mid-swing, and leaves with the
    last one before it (A. Salarian et al., IEEE TBME 51:1434, 2004). Its minima lag or lead the
    contacts of the foot by a constant of the person and the strap; what counts is a stride whose
    difference is further than 60 ms from the median of all.
    """
    rate = lowpass(-shank.gyr[:, 1], shank.rate_hz, SHANK_HZ)
    reach = round(REACH_S * shank.rate_hz)
    found = np.array([_minima(rate, int(swing), reach) for swing in strides.swing])
    left = shank.time_s[found[:, 0]] - strides.final_contact_s
    landed = shank.time_s[found[:, 1]] - strides.end_s
    return _outlying(left) | _outlying(landed)


def _minima(rate: NDArray[np.float64], swing: int, reach: int) -> tuple[int, int]:
    """Ticks of the last minimum below zero before the swing's peak, and of the first after it."""
    first = max(0, swing - reach)
    last = before = first + int(np.argmax(rate[first : swing + reach]))
    while before > 0 and (rate[before] > 0.0 or rate[before - 1] < rate[before]):
        before -= 1
    while last < len(rate) - 1 and (rate[last] > 0.0 or rate[last + 1] < rate[last]):
        last += 1
    return before, last


def _outlying(difference_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray(np.abs(difference_s - np.median(difference_s)) > CONFLICT_S)
