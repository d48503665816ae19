"""Contacts of a foot seen a second time, by the shank above it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cext import lowpass

from .stance import median

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .segment import SegmentMotion
    from .strides import Strides

SHANK_HZ = 6.0
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
    inner = rate[1:-1]
    minima = np.flatnonzero((inner < 0.0) & (inner <= rate[:-2]) & (inner < rate[2:])) + 1
    if not len(minima):
        return np.ones(len(strides), dtype=bool)
    after = np.searchsorted(minima, strides.swing)
    left = minima[np.maximum(after - 1, 0)]
    landed = minima[np.minimum(after, len(minima) - 1)]
    return _outlying(shank.time_s[left] - strides.final_contact_s) | _outlying(
        shank.time_s[landed] - strides.end_s
    )


def _outlying(difference_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray(np.abs(difference_s - median(difference_s)) > CONFLICT_S)
