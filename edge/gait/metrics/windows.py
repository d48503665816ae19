"""Parts of strides as runs of ticks, and what a signal does in them: all strides at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cext.runs import greatest_at, least_at, mean_in, runs_between, values_at
from sensors import Segment, Side

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge.gait.segment import SegmentMotion

SHANKS = {Side.LEFT: Segment.LEFT_SHANK, Side.RIGHT: Segment.RIGHT_SHANK}
# On the y axis, and for turns about x: a left foot everts about +x, a right one about -x.
OUTWARD = {Side.LEFT: 1.0, Side.RIGHT: -1.0}
# A part of a stride that lost more of its samples than this says nothing.
LOST_SHARE = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """One run of ticks `[first, stop)` for each of m strides; `known` is False where there is none.

    What is asked of an unknown window is NaN.
    """

    first: NDArray[np.int64]
    stop: NDArray[np.int64]
    known: NDArray[np.bool_]

    def greatest(self, signal: NDArray[np.float64]) -> NDArray[np.float64]:
        """Greatest value of a signal (n,) in each window (m,)."""
        return np.where(self.known, signal[greatest_at(signal, self.first, self.stop)], np.nan)

    def least(self, signal: NDArray[np.float64]) -> NDArray[np.float64]:
        """Least value of a signal (n,) in each window (m,)."""
        return np.where(self.known, signal[least_at(signal, self.first, self.stop)], np.nan)

    def mean(self, signal: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean of a signal (n,) in each window (m,)."""
        return np.where(self.known, mean_in(signal, self.first, self.stop), np.nan)

    def range(self, signal: NDArray[np.float64]) -> NDArray[np.float64]:
        """Greatest less least value of a signal (n,) in each window (m,)."""
        return self.greatest(signal) - self.least(signal)

    def lasts_until_greatest_s(
        self, motion: SegmentMotion, signal: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """How long it takes from the beginning of each window to the greatest value, (m,), s."""
        ticks = greatest_at(signal, self.first, self.stop) - self.first
        return np.where(self.known & (ticks > 0), ticks / motion.rate_hz, np.nan)


def windows(
    motion: SegmentMotion, from_s: NDArray[np.float64], to_s: NDArray[np.float64]
) -> Windows:
    """Ticks of a segment between two moments of each stride (m,), both included.

    Unknown where a moment is NaN or outside the span, where the run is empty, or where the
    segment lost samples in it.
    """
    places = motion.place(from_s), motion.place(to_s)
    return Windows(*runs_between(*places, motion.lost_before, LOST_SHARE))


def value_at(
    motion: SegmentMotion, signal: NDArray[np.float64], time_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Value of a signal (n,) at some moments (m,); NaN outside the span and where samples are lost.

    Between ticks by a straight line: at landing a foot turns by a degree within one.
    """
    inside = (time_s >= motion.time_s[0]) & (time_s <= motion.time_s[-1])
    here = np.where(inside, time_s, motion.time_s[0])
    known = inside & motion.valid[motion.tick(here)]
    return np.where(known, values_at(signal, motion.place(here)), np.nan)
