"""Blocks of single sensors in, spans of all segments on one time grid out.

Sensors sample at moments of their own; everything after this file works on arrays `(n, k, 3)`,
n ticks of k segments. Between samples the signal is interpolated by a windowed sinc over eight of
them: straight lines would flatten the impacts of the feet and nearly double the error of a stride's
length. A tick in a gap gets a straight line across it, so that arithmetic stays finite, and is
marked invalid: it is never passed off as measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cext import resample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sensors import Block, Segment


# Time of a segment that has not sent anything yet: earlier than any host time.
NEVER = -(1 << 62)
# A tick this close to a sample takes that sample: one per cent of the interval at 1 kHz.
ON_SAMPLE_NS = 10_000
# Samples before and after a tick that it is made of, and the shape of their Kaiser window: true up
# to 0.7 of half the sample rate. The weights come from a table of so many phases.
HALF_WIDTH = 4
KAISER_BETA = 4.0
PHASES = 512


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

    def of(self, segment: Segment) -> Span:
        """One segment as a span of its own (views, not copies)."""
        k = self.segments.index(segment)
        one = slice(k, k + 1)
        return Span(
            self.rate_hz,
            self.start_s,
            (segment,),
            self.gyr[:, one],
            self.acc[:, one],
            None if self.mag is None else self.mag[:, one],
            self.valid[:, one],
            self.saturated[:, one],
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


class TimeGrid:
    """Puts the samples of all segments on one time grid, as they come in.

    Parameters
    ----------
    rate_hz : float
        Ticks a second.
    segments : sequence of Segment
        Those that carry a sensor, in the order of the second axis.
    origin_ns : int
        Host time of tick 0.
    start_s : float
        Time of tick 0 on the recording's own axis.
    patience_s : float
        A segment whose samples lag behind the newest ones by more than this is not waited for.
    """

    def __init__(
        self,
        rate_hz: float,
        segments: Sequence[Segment],
        origin_ns: int,
        start_s: float = 0.0,
        patience_s: float = 0.5,
    ) -> None:
        self._rate_hz = rate_hz
        self._origin_ns = origin_ns
        self._start_s = start_s
        self._patience_ns = round(patience_s * 1e9)
        self._next_tick = 0
        # Time of the last tick that was handed out.
        self._passed_ns = NEVER
        self._tracks = {segment: _Track() for segment in segments}
        self._has_mag = False
        self.n_late = 0

    def add(self, segment: Segment, block: Block) -> None:
        """Take in a block; samples that lie before the last tick handed out are counted as late."""
        track = self._tracks[segment]
        if block.host_ns[0] < self._passed_ns:
            self.n_late += int(np.count_nonzero(block.host_ns < self._passed_ns))
        track.add(block)
        self._has_mag |= block.mag is not None

    def take(self) -> Span | None:
        """Hand out the ticks for which every segment that is waited for has samples."""
        # A segment that has not sent anything yet is as old as the grid.
        ready = [max(track.ready_ns, self._origin_ns - 2) for track in self._tracks.values()]
        newest = max(ready)
        return self._cut(min(end for end in ready if end >= newest - self._patience_ns))

    def finish(self) -> Span | None:
        """Hand out the ticks up to the newest sample of any segment."""
        return self._cut(max(track.end_ns for track in self._tracks.values()))

    def _tick_ns(self, ticks: NDArray[np.int64]) -> NDArray[np.int64]:
        since: NDArray[np.int64] = np.rint(ticks * (1e9 / self._rate_hz)).astype(np.int64)
        return self._origin_ns + since

    def _cut(self, until_ns: int) -> Span | None:
        # Half a nanosecond of rounding must not cost the last tick: hence the + 1.
        stop = math.floor((until_ns - self._origin_ns + 1) * self._rate_hz / 1e9) + 1
        if stop <= self._next_tick:
            return None
        tick_ns = self._tick_ns(np.arange(self._next_tick, stop))
        shape = len(tick_ns), len(self._tracks)
        readings = np.empty((3 if self._has_mag else 2, *shape, 3))
        valid, saturated = np.empty(shape, dtype=bool), np.empty(shape, dtype=bool)
        for k, track in enumerate(self._tracks.values()):
            track.read(tick_ns, readings[:, :, k], valid[:, k], saturated[:, k])
            track.forget(tick_ns[-1])
        span = Span(
            self._rate_hz,
            self._start_s + self._next_tick / self._rate_hz,
            tuple(self._tracks),
            readings[0],
            readings[1],
            readings[2] if self._has_mag else None,
            valid,
            saturated,
        )
        self._next_tick = stop
        self._passed_ns = int(tick_ns[-1])
        return span


def _kernel() -> NDArray[np.float64]:
    """Weights of the eight samples around a tick, (PHASES + 1, 8), each row of sum 1."""
    phase = np.linspace(0.0, 1.0, PHASES + 1)[:, None]
    distance = phase - np.arange(1 - HALF_WIDTH, HALF_WIDTH + 1)
    window = np.i0(KAISER_BETA * np.sqrt(np.maximum(1.0 - (distance / HALF_WIDTH) ** 2, 0.0)))
    weights = np.sinc(distance) * window
    normal: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return normal


KERNEL = _kernel()


class _Track:
    """Samples of one segment that ticks may still lie between, with room for those to come."""

    def __init__(self) -> None:
        self.end_ns = NEVER
        self._n = 0
        # The samples come first on the last axis of each; what follows them is room.
        self._time_ns = np.empty(0, dtype=np.int64)
        self._readings = np.empty((0, 0))
        self._saturated = np.empty(0, dtype=bool)
        # Samples of one run have no loss between them.
        self._run = np.empty(0, dtype=np.int64)
        self._next = (-1, -1)
        self._runs = 0

    def __len__(self) -> int:
        return self._n

    @property
    def ready_ns(self) -> int:
        """Time up to which no sample that is still to come can change a tick."""
        return int(self._time_ns[self._n - HALF_WIDTH]) if self._n >= HALF_WIDTH else NEVER

    def add(self, block: Block) -> None:
        if (block.epoch, block.first_seq) != self._next:
            self._runs += 1
        self._next = (block.epoch, block.first_seq + len(block))
        first = int(np.searchsorted(block.host_ns, self.end_ns, side="right"))
        if first == len(block):
            return
        n_channels = len(block.scale)
        new = slice(self._n, self._n + len(block) - first)
        self._make_room(n_channels, new.stop)
        self._time_ns[new] = block.host_ns[first:]
        np.multiply(
            block.readings[first:].T, block.scale[:, None], out=self._readings[:n_channels, new]
        )
        self._readings[n_channels:, new] = 0.0
        self._saturated[new] = block.saturated[first:]
        self._run[new] = self._runs
        self._n = new.stop
        self.end_ns = int(block.host_ns[-1])

    def _make_room(self, n_channels: int, n: int) -> None:
        room = len(self._time_ns)
        if n > room:
            room = n
            self._time_ns = _with_room(self._time_ns, (room,))
            self._saturated = _with_room(self._saturated, (room,))
            self._run = _with_room(self._run, (room,))
        channels = max(n_channels, len(self._readings))
        if self._readings.shape != (channels, room):
            self._readings = _with_room(self._readings, (channels, room))

    def read(
        self,
        tick_ns: NDArray[np.int64],
        readings: NDArray[np.float64],
        valid: NDArray[np.bool_],
        saturated: NDArray[np.bool_],
    ) -> None:
        """Put what the ticks read (kinds, m, 3), and two marks (m,), into arrays of the caller."""
        kinds = len(self._readings) // 3
        readings[kinds:] = 0.0
        resample(
            self._time_ns[: self._n],
            self._readings[:, : self._n],
            self._run[: self._n],
            self._saturated[: self._n],
            tick_ns,
            KERNEL,
            ON_SAMPLE_NS,
            readings[:kinds],
            valid,
            saturated,
        )

    def forget(self, before_ns: int) -> None:
        """Drop what no tick after `before_ns` is made of."""
        at = int(np.searchsorted(self._time_ns[: self._n], before_ns, side="right"))
        dropped = max(at - HALF_WIDTH - 1, 0)
        for array in (self._time_ns, self._readings, self._saturated, self._run):
            array[..., : self._n - dropped] = array[..., dropped : self._n]
        self._n -= dropped


def _with_room(array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """The same values at the beginning of a larger array."""
    roomy = np.zeros(shape, dtype=array.dtype)
    roomy[tuple(slice(n) for n in array.shape)] = array
    return roomy
