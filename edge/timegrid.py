"""Blocks of single sensors in, spans of all segments on one time grid out.

Sensors sample at moments of their own; everything after this file works on arrays `(n, k, 3)`,
n ticks of k segments. A tick without a measured sample close by is interpolated, so that
arithmetic stays finite, and marked invalid: it is never passed off as measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sensors import Block, Segment


# A tick is measured when samples stand on both sides of it, no further apart than this many
# sample intervals: wider means that a sample is missing in between.
WIDEST_INTERVAL = 1.5


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """Consecutive ticks of all segments.

    Attributes
    ----------
    rate_hz : float
        Ticks a second.
    start_s : float
        Time of the first tick on the recording's own axis.
    segments : tuple of Segment
        Order of the second axis.
    gyr, acc : (n, k, 3) float64
        rad/s and m/s2 in the sensor frame.
    mag : (n, k, 3) float64 or None
        uT; None where no sensor has a magnetometer.
    valid : (n, k) bool
        False where the sample is interpolated over a gap.
    saturated : (n, k) bool
        True where a sample beside the tick stood at the end of its range.
    """

    rate_hz: float
    start_s: float
    segments: tuple[Segment, ...]
    gyr: NDArray[np.float64]
    acc: NDArray[np.float64]
    mag: NDArray[np.float64] | None
    valid: NDArray[np.bool_]
    saturated: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.gyr)

    @property
    def time_s(self) -> NDArray[np.float64]:
        """Time of each tick, (n,), seconds on the recording's own axis."""
        return self.start_s + np.arange(len(self)) / self.rate_hz

    def index(self, segment: Segment) -> int | None:
        """Place of a segment on the second axis, or None where it has no sensor."""
        return self.segments.index(segment) if segment in self.segments else None

    def part(self, start: int, stop: int) -> Span:
        """Ticks `[start, stop)` as a span of their own (views, not copies)."""
        return Span(
            self.rate_hz,
            self.start_s + start / self.rate_hz,
            self.segments,
            self.gyr[start:stop],
            self.acc[start:stop],
            None if self.mag is None else self.mag[start:stop],
            self.valid[start:stop],
            self.saturated[start:stop],
        )


def join(spans: Sequence[Span]) -> Span:
    """Put spans that follow each other into one."""
    first = spans[0]
    return Span(
        first.rate_hz,
        first.start_s,
        first.segments,
        np.concatenate([s.gyr for s in spans]),
        np.concatenate([s.acc for s in spans]),
        None if first.mag is None else np.concatenate([s.mag for s in spans if s.mag is not None]),
        np.concatenate([s.valid for s in spans]),
        np.concatenate([s.saturated for s in spans]),
    )
