"""Host time of samples from a chip that has no clock to ask: a line through its sample count.

Each time a FIFO is read, the number of samples that have come so far is known at a known moment,
and the last of them is between nothing and one period old. A line through the last 10 s of such
pairs tells when each sample was taken: chips are off their nominal rate by up to several per cent
and drift with temperature, so neither the nominal rate nor the moment of reading will do.
"""

from __future__ import annotations

from collections import deque
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Longer would average more, and lag behind a chip that warms up: 10 s balance the two.
WINDOW_NS = 10_000_000_000
# Half a second of polls: before that the rate is not known to a per cent.
LEAST_SPAN_NS = 500_000_000


class SampleClock:
    """Host time of numbered samples.

    Parameters
    ----------
    rate_hz : float
        Nominal samples a second.
    """

    def __init__(self, rate_hz: float) -> None:
        self._nominal_ns = 1e9 / rate_hz
        self._counts: deque[int] = deque()
        self._moments: deque[int] = deque()
        self._origin = (0, 0)
        self._offset_ns = 0.0
        self._residual_ns = 0.0
        self.period_ns = self._nominal_ns

    @property
    def ready(self) -> bool:
        """True once host times can be given."""
        return bool(self._moments) and self._moments[-1] - self._moments[0] >= LEAST_SPAN_NS

    @property
    def residual_s(self) -> float:
        """Standard deviation of the moments around the line; 0.29 periods when all is well."""
        return self._residual_ns * 1e-9

    @property
    def polls(self) -> int:
        """Pairs in the window."""
        return len(self._counts)

    def add(self, count: int, moment_ns: int) -> None:
        """Tell that `count` samples had come at `moment_ns`."""
        self._counts.append(count)
        self._moments.append(moment_ns)
        while moment_ns - self._moments[0] > WINDOW_NS:
            self._counts.popleft()
            self._moments.popleft()
        if self.ready:
            self._fit()

    def host_ns(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Host time of samples by number, (n,), nanoseconds.

        Half a period is taken off: on average the last sample was so old when it was counted. The
        delay of the chip's own filters is not known here.
        """
        count, moment_ns = self._origin
        later = (numbers + 0.5 - count) * self.period_ns + self._offset_ns
        return np.asarray(moment_ns + np.rint(later).astype(np.int64))

    def number_at(self, moment_ns: int) -> int:
        """How many samples had come at a moment, by the line."""
        count, origin_ns = self._origin
        return count + int(
            np.floor((moment_ns - origin_ns - self._offset_ns) / self.period_ns + 0.5)
        )

    def uncertainty_s(self) -> float:
        """Standard uncertainty of the newest sample's host time."""
        # At the end of a regression the line is known to 2 / sqrt(n) of the scatter.
        return 2e-9 * max(self._residual_ns, 0.2 * self.period_ns) / sqrt(len(self._counts))

    def _fit(self) -> None:
        self._origin = self._counts[-1], self._moments[-1]
        x = np.fromiter(self._counts, np.float64) - self._origin[0]
        # int64 first: nanoseconds of a day do not fit a double's mantissa with room to spare.
        y = (np.fromiter(self._moments, np.int64) - self._origin[1]).astype(np.float64)
        mean_x, mean_y = x.mean(), y.mean()
        spread = float(((x - mean_x) ** 2).sum())
        if spread > 0:
            self.period_ns = float(((x - mean_x) * (y - mean_y)).sum()) / spread
        self._offset_ns = float(mean_y - self.period_ns * mean_x)
        self._residual_ns = float(np.std(y - self.period_ns * x - self._offset_ns))
