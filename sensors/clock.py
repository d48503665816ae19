"""Device ticks in, host time out, with a stated uncertainty. Pure: time comes in as an argument.

A question goes to the node and comes back with the node's ticks (four stamps, as in NTP, RFC 5905
section 8). The two midpoints are the same moment if both ways took equally long, so the exchanges
with the shortest round trip, which had no queue to wait in, are the true ones: the shortest quarter
of the last 64 is kept and a line is fitted through it. The clock of a cheap board wanders as it
warms, so the line is fitted anew with every exchange and never kept as a calibration.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

WINDOW = 64
KEPT = 0.25
# Ready with eight: the best three of them are hardly ever ones that met a busy host.
LEAST_EXCHANGES = 8
LEAST_KEPT = 3
# Exchanges of before an outage say nothing about a clock that has wandered since.
OLDEST_NS = 120_000_000_000
# Crystals of boards keep within 200 ppm; the prior holds the slope while exchanges are few.
DRIFT_PRIOR = 200e-6
# No exchange over a serial line is better than this, however well a few of them agree.
LEAST_SD_NS = 5_000.0
# How fast a rate may have changed since the last exchange: a board warming up (others saw
# 180 ppm within hours; within a window that is well below 1 ppm).
WANDER = 0.5e-6


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and its answer: host time sent, node ticks in and out, host time received."""

    sent_ns: int
    node_received_ticks: int
    node_sent_ticks: int
    received_ns: int


@dataclass(frozen=True, slots=True)
class ClockState:
    """What is known of a node's clock.

    Attributes
    ----------
    offset_s : float
        Host time less device time (ticks over their nominal rate) at the newest exchange.
    drift_ppm : float
        By how much the node's clock runs fast.
    residual_s : float
        Standard deviation of the kept exchanges around the line.
    uncertainty_s : float
        Standard uncertainty of host times given now: the line's own, and the possible asymmetry
        of the shortest round trip (uniform within half of it).
    round_trip_s : float
        Shortest round trip of the window.
    exchanges : int
        Exchanges in the window.
    """

    offset_s: float
    drift_ppm: float
    residual_s: float
    uncertainty_s: float
    round_trip_s: float
    exchanges: int


@dataclass(frozen=True, slots=True)
class _Line:
    """Host time = anchor_ns + offset_ns + (1 + slope) x, x = ticks after anchor, in ns."""

    anchor_ticks: int
    anchor_ns: int
    offset_ns: float
    slope: float
    residual_ns: float
    # Covariance of (offset_ns, slope).
    covariance: NDArray[np.float64]
    shortest_ns: float

    def host_ns(self, ticks: NDArray[np.int64], ns_per_tick: float) -> NDArray[np.int64]:
        # Differences first: only they fit into a double without losing nanoseconds.
        elapsed = (ticks - self.anchor_ticks) * ns_per_tick
        shift = elapsed * self.slope + self.offset_ns
        return self.anchor_ns + np.rint(elapsed + shift).astype(np.int64)

    def sd_ns(self, elapsed_ns: float) -> float:
        at = np.array([1.0, elapsed_ns])
        variance = float(at @ self.covariance @ at)
        return float(np.sqrt(variance + (self.shortest_ns / 2) ** 2 / 3))


def fit_line(exchanges: Sequence[Exchange], tick_hz: float) -> _Line:
    """Line through the exchanges with the shortest round trips.

    Least squares with a prior of zero drift, `DRIFT_PRIOR` wide: with exchanges a fraction of a
    second apart the slope would otherwise be noise.
    """
    ns_per_tick = 1e9 / tick_hz
    newest = exchanges[-1]
    stamps = np.array(
        [(e.sent_ns, e.node_received_ticks, e.node_sent_ticks, e.received_ns) for e in exchanges],
        np.int64,
    ) - np.array(
        [newest.sent_ns, newest.node_received_ticks, newest.node_received_ticks, newest.sent_ns],
        np.int64,
    )
    sent, node_in, node_out, received = stamps.T.astype(np.float64)
    round_trip = (received - sent) - (node_out - node_in) * ns_per_tick
    count = min(len(exchanges), max(LEAST_KEPT, round(KEPT * len(exchanges))))
    kept = np.argpartition(round_trip, count - 1)[:count]
    x = (node_in + node_out)[kept] * (ns_per_tick / 2)
    y = (sent + received)[kept] / 2 - x

    sd = LEAST_SD_NS
    for _ in range(2):  # the noise is not known before the first fit
        offset, slope, covariance = _fit(x, y, sd)
        residual = float(np.sqrt(np.mean((y - offset - slope * x) ** 2)))
        sd = max(LEAST_SD_NS, residual)
    return _Line(
        newest.node_received_ticks,
        newest.sent_ns,
        offset,
        slope,
        residual,
        covariance,
        max(float(round_trip[kept].min()), 0.0),
    )


def _fit(
    x: NDArray[np.float64], y: NDArray[np.float64], sd: float
) -> tuple[float, float, NDArray[np.float64]]:
    weight = 1 / sd**2
    a, b, c = len(x) * weight, x.sum() * weight, (x @ x) * weight + 1 / DRIFT_PRIOR**2
    determinant = a * c - b * b
    covariance = np.array([[c, -b], [-b, a]]) / determinant
    offset, slope = covariance @ np.array([y.sum(), x @ y]) * weight
    return float(offset), float(slope), covariance


class ClockModel:
    """Host time of one node's ticks, from the exchanges so far.

    Parameters
    ----------
    tick_hz : float
        Nominal rate of the node's ticks.
    """

    def __init__(self, tick_hz: float) -> None:
        self.tick_hz = tick_hz
        self._exchanges: deque[Exchange] = deque(maxlen=WINDOW)
        self._line: _Line | None = None

    @property
    def ready(self) -> bool:
        """True once host times can be given."""
        return self._line is not None

    def add(self, exchange: Exchange) -> None:
        """Take a further exchange, newer than all before."""
        window = self._exchanges
        window.append(exchange)
        while exchange.sent_ns - window[0].sent_ns > OLDEST_NS:
            window.popleft()
        if len(window) >= LEAST_EXCHANGES:
            self._line = fit_line(tuple(window), self.tick_hz)

    def host_ns(self, ticks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Host time of ticks, (n,) nanoseconds.

        Raises
        ------
        RuntimeError
            Before the clock is `ready`.
        """
        if self._line is None:
            raise RuntimeError("no host time before the first exchanges")
        return self._line.host_ns(ticks, 1e9 / self.tick_hz)

    def uncertainty_s(self, ticks: int) -> float:
        """Standard uncertainty of the host time of a tick, infinite before the clock is ready."""
        if self._line is None:
            return float("inf")
        elapsed = (ticks - self._line.anchor_ticks) * 1e9 / self.tick_hz
        return (self._line.sd_ns(elapsed) + WANDER * max(elapsed, 0.0)) * 1e-9

    @property
    def state(self) -> ClockState | None:
        """What is known of the clock now, None before it is ready."""
        line = self._line
        if line is None:
            return None
        device_ns = round(line.anchor_ticks * 1e9 / self.tick_hz)
        return ClockState(
            (line.anchor_ns + line.offset_ns - device_ns) * 1e-9,
            -line.slope * 1e6,
            line.residual_ns * 1e-9,
            self.uncertainty_s(line.anchor_ticks),
            line.shortest_ns * 1e-9,
            len(self._exchanges),
        )


class ClockTrack:
    """Host time of one node's ticks after the fact, with exchanges before and after each moment.

    Parameters
    ----------
    exchanges : sequence of Exchange
        All exchanges of one epoch, in order, at least eight.
    tick_hz : float
        Nominal rate of the node's ticks.

    Raises
    ------
    ValueError
        With fewer than eight exchanges.
    """

    def __init__(self, exchanges: Sequence[Exchange], tick_hz: float) -> None:
        if len(exchanges) < LEAST_EXCHANGES:
            raise ValueError(f"a clock needs {LEAST_EXCHANGES} exchanges, not {len(exchanges)}")
        self._ns_per_tick = 1e9 / tick_hz
        self._anchor = exchanges[0]
        knots = np.array([e.node_received_ticks for e in exchanges], np.int64)
        half = WINDOW // 2
        host = [
            fit_line(
                [*exchanges[max(i - half, 0) : i], *exchanges[i + 1 : i + half], exchanges[i]],
                tick_hz,
            ).host_ns(knots[i : i + 1], self._ns_per_tick)[0]
            for i in range(len(exchanges))
        ]
        self._knots = self._elapsed(knots)
        # Only the departure from the nominal rate is interpolated: a double holds it exactly.
        self._shift = (np.array(host) - self._anchor.sent_ns) - self._knots

    def host_ns(self, ticks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Host time of ticks, (n,) nanoseconds; beyond the exchanges the nearest rate holds."""
        elapsed = self._elapsed(ticks)
        shift = np.interp(elapsed, self._knots, self._shift)
        for end, outside in ((0, elapsed < self._knots[0]), (-1, elapsed > self._knots[-1])):
            far = min(8, len(self._knots) - 1) * (1 if end == 0 else -1) + end
            rate = (self._shift[far] - self._shift[end]) / (self._knots[far] - self._knots[end])
            shift[outside] += rate * (elapsed[outside] - self._knots[end])
        return self._anchor.sent_ns + np.rint(elapsed + shift).astype(np.int64)

    def _elapsed(self, ticks: NDArray[np.int64]) -> NDArray[np.float64]:
        elapsed = (ticks - self._anchor.node_received_ticks) * self._ns_per_tick
        return np.asarray(elapsed, np.float64)
