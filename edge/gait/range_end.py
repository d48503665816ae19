"""Samples at the end of a sensor's range that no driver could name: flat tops in a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A top is within this share of the axis' greatest magnitude ...
TOP_SHARE = 0.015
# ... and flat tops recur: peaks of real movement differ from one stride to the next by more.
LEAST_TOPS = 4
LEAST_SAMPLES = 8
# In a long walk some natural peaks come as near to the greatest; so this share of all must.
HIGH_SHARE = 0.8
LEAST_SHARE = 0.15
# No gyroscope for walking ends below 230 deg/s.
LEAST_RANGE_RADPS = 4.0


def flat_tops(gyr: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Samples (n,) at which an axis of the gyroscope (n, 3), rad/s, seems to be at its end."""
    found = np.zeros(len(gyr), dtype=bool)
    if not len(gyr):
        return found
    for axis in range(3):
        size = np.abs(gyr[:, axis])
        greatest = size.max()
        if greatest <= LEAST_RANGE_RADPS:
            continue
        top = size > (1.0 - TOP_SHARE) * greatest
        if np.count_nonzero(top) < LEAST_SAMPLES:
            continue
        high = _runs(size > HIGH_SHARE * greatest)
        if _runs(top) >= max(LEAST_TOPS, LEAST_SHARE * high):
            found |= top
    return found


def _runs(hit: NDArray[np.bool_]) -> int:
    """Number of stretches in which it is hit."""
    return int(np.count_nonzero(hit[1:] & ~hit[:-1])) + int(hit[0])
