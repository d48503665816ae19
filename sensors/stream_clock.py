"""Host time of a device that stamps its samples and cannot be asked: the lower envelope.

Bytes may come late, never early: the line along the least delayed arrivals has the device's rate,
and its constant delay, which nothing can tell from here, is left in and stated as uncertainty.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The least delayed arrival of each half second, over half a minute.
BUCKET_NS = 500_000_000
BUCKETS = 60
LEAST_BUCKETS = 3
# Frames of USB and timers of adapters hold the quickest bytes for about so long.
UNKNOWN_DELAY_NS = 1_000_000
DRIFT_PRIOR = 500e-6
PRIOR_SD_NS = 100_000.0


class StreamClock:
    """Host time of device ticks, from arrivals alone.

    Parameters
    ----------
    tick_hz : float
        Nominal rate of the ticks.
    """

    def __init__(self, tick_hz: float) -> None:
        self.tick_hz = tick_hz
        self.drift = 0.0
        self.residual_ns = 0.0
        self._ns_per_tick = 1e9 / tick_hz
        self._first: tuple[int, int] | None = None
        self._buckets: deque[tuple[int, float, float]] = deque(maxlen=BUCKETS)
        self._offset_ns = 0.0

    @property
    def ready(self) -> bool:
        """True once host times can be given."""
        return len(self._buckets) >= LEAST_BUCKETS

    @property
    def arrivals(self) -> int:
        """Arrivals that the line goes by."""
        return len(self._buckets)

    def add(self, ticks: int, host_ns: int) -> None:
        """Tell that a sample of `ticks` was there at `host_ns`."""
        if self._first is None:
            self._first = ticks, host_ns
        elapsed = (ticks - self._first[0]) * self._ns_per_tick
        delay = (host_ns - self._first[1]) - elapsed
        bucket = (host_ns - self._first[1]) // BUCKET_NS
        if self._buckets and self._buckets[-1][0] == bucket:
            if delay >= self._buckets[-1][2]:
                return
            self._buckets.pop()
        self._buckets.append((bucket, elapsed, delay))
        self._fit()

    def host_ns(self, ticks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Host time of ticks, (n,) nanoseconds."""
        first_ticks, first_ns = self._first or (0, 0)
        elapsed = (ticks - first_ticks) * self._ns_per_tick
        later = elapsed + self._offset_ns + self.drift * elapsed
        return np.asarray(first_ns + np.rint(later).astype(np.int64))

    def uncertainty_s(self) -> float:
        """Standard uncertainty of host times: the unknown delay, and the scatter of the line."""
        spread = self.residual_ns / max(len(self._buckets), 1) ** 0.5
        return float(np.hypot(UNKNOWN_DELAY_NS, 2 * spread)) * 1e-9

    def _fit(self) -> None:
        _, elapsed, delay = np.array(self._buckets, np.float64).T
        low = np.ones(len(delay), bool)
        for _ in range(3):
            drift, offset = _line(elapsed[low], delay[low])
            residual = delay - offset - drift * elapsed
            # Half of them, the least delayed, are the envelope.
            low = residual <= np.median(residual)
        self.drift, self._offset_ns = drift, offset
        self.residual_ns = float(np.std(residual[low]))


def _line(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Slope and offset; the prior keeps the slope where the arrivals lie close together."""
    mean_x, mean_y = float(x.mean()), float(y.mean())
    spread = float(((x - mean_x) ** 2).sum())
    held = (PRIOR_SD_NS / DRIFT_PRIOR) ** 2
    slope = float(((x - mean_x) * (y - mean_y)).sum()) / (spread + held)
    return slope, mean_y - slope * mean_x
