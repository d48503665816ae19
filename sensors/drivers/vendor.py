"""Sensors of other makers that send samples of their own accord: decoder in, blocks out.

A decoder knows the maker's bytes; here samples get their numbers, epochs and host times. What a
maker's protocol does not tell (a sequence, a clock to ask) is not invented: the device table gives
each its sync class.
"""

from __future__ import annotations

import time
import zlib
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from sensors.clock import ClockState
from sensors.framing import Hello
from sensors.node_stream import Counters
from sensors.sample import Block
from sensors.stream_clock import StreamClock

from .reader import LinkReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensors.clock import Exchange
    from sensors.framing import Status

    from .reader import Link

# A stamp further than this from the last one is another start of the device.
LONGEST_GAP_S = 3600
MOST_WAITING = 20_000
PERIODS = 64


@dataclass(frozen=True, slots=True)
class Reading:
    """One sample of a maker's device.

    Attributes
    ----------
    ticks : int
        Device time, already free of wraps within an epoch.
    skipped : int or None
        Samples missing just before it; None where only the ticks can tell.
    values : tuple of float
        Angular rate (rad/s), specific force (m/s2), and magnetic field (uT) where it has one.
    """

    ticks: int
    skipped: int | None
    values: tuple[float, ...]


class Decoder(Protocol):
    """A maker's bytes in, readings out."""

    @property
    def model(self) -> str:
        """For people."""
        ...

    @property
    def tick_hz(self) -> float:
        """Ticks a second, nominal."""
        ...

    @property
    def rate_hz(self) -> float:
        """Samples a second, nominal."""
        ...

    @property
    def channels(self) -> int:
        """6, or 9 with a magnetometer."""
        ...

    @property
    def full(self) -> tuple[float, ...]:
        """Magnitudes at the ends of the ranges, in SI units, one for each kind of channel."""
        ...

    @property
    def rejected(self) -> int:
        """Stretches of the line that were no message."""
        ...

    def greeting(self) -> bytes:
        """Bytes to send when the link was opened."""
        ...

    def feed(self, data: bytes) -> list[Reading]:
        """Take bytes in any portions; never raises."""
        ...

    def reset(self) -> None:
        """Forget what was half read."""
        ...


class VendorStream:
    """The pure part: bytes and their host times in, blocks out."""

    def __init__(self, decoder: Decoder, name: str) -> None:
        self.counters = Counters()
        self.clock = StreamClock(decoder.tick_hz)
        self.seen = False
        self._decoder = decoder
        self._name = name
        self._epoch = 0
        self._next = 0
        self._last_ticks: int | None = None
        self._steps: deque[int] = deque(maxlen=PERIODS)
        self._waiting: list[tuple[int, Reading]] = []
        self._greet = b""

    def reopened(self) -> None:
        """Tell that the line was cut."""
        self._decoder.reset()
        self._greet = self._decoder.greeting()

    @property
    def hurried(self) -> bool:
        """Always: the moments at which packets come are all that tells of the device's clock."""
        return True

    def questions(self, _now_ns: int) -> bytes:
        """The greeting, once after each opening."""
        greeting, self._greet = self._greet, b""
        return greeting

    def receive(self, data: bytes, host_ns: int) -> None:
        """Take bytes; nothing in them can make this raise."""
        readings = self._decoder.feed(data)
        for reading in readings:
            self._number(reading)
        if readings:
            self.seen = True
            # Only the last one has just come; those before it waited for it.
            self.clock.add(readings[-1].ticks, host_ns)

    def take(self) -> list[Block]:
        """Blocks of all samples, once their times are known."""
        if not self._waiting or not self.clock.ready:
            return []
        waiting, self._waiting = self._waiting, []
        numbers = np.array([number for number, _ in waiting])
        cuts = np.flatnonzero(np.diff(numbers) != 1) + 1
        blocks = [
            self._block([waiting[i] for i in part])
            for part in np.split(np.arange(len(waiting)), cuts)
        ]
        self.counters.received += len(waiting)
        return blocks

    def _number(self, reading: Reading) -> None:
        step = 0 if self._last_ticks is None else reading.ticks - self._last_ticks
        if self._last_ticks is not None and not 0 < step < LONGEST_GAP_S * self._decoder.tick_hz:
            self._begin_epoch()
            step = 0
        skipped = reading.skipped
        if skipped is None:
            period = float(np.median(self._steps)) if len(self._steps) >= 8 else 0.0
            skipped = max(round(step / period) - 1, 0) if period else 0
        if step and not skipped:
            self._steps.append(step)
        self._last_ticks = reading.ticks
        self._next += skipped
        self.counters.lost += skipped
        self._waiting.append((self._next, reading))
        self._next += 1
        if len(self._waiting) > MOST_WAITING:
            self._waiting.pop(0)
            self.counters.lost += 1

    def _begin_epoch(self) -> None:
        self.counters.unknown_tails += 1
        self.counters.lost += len(self._waiting)
        self._waiting.clear()
        self._steps.clear()
        self._epoch += 1
        self._next = 0
        self.clock = StreamClock(self._decoder.tick_hz)

    def _block(self, part: list[tuple[int, Reading]]) -> Block:
        ticks = np.array([reading.ticks for _, reading in part], np.int64)
        readings = np.array([reading.values for _, reading in part], np.float64)
        full = np.repeat(self._decoder.full, 3)[: readings.shape[1]]
        return Block(
            self._name,
            self._epoch,
            part[0][0],
            ticks,
            self.clock.host_ns(ticks),
            readings,
            np.ones(readings.shape[1]),
            np.any(np.abs(readings) >= full, axis=1),
            self.clock.uncertainty_s(),
        )


class VendorDriver:
    """Blocks of another maker's sensor.

    Parameters
    ----------
    link : Link
        Serial port or socket.
    decoder : Decoder
        The maker's bytes.
    name : str
        Name that the blocks bear.
    now_ns : callable
        Host clock, CLOCK_MONOTONIC nanoseconds.
    """

    def __init__(
        self,
        link: Link,
        decoder: Decoder,
        *,
        name: str,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.name = name
        self.link = link
        self.status: Status | None = None
        self._decoder = decoder
        self._stream = VendorStream(decoder, name)
        self._reader = LinkReader(link, self._stream, now_ns, f"{decoder.model} {name}")

    @property
    def info(self) -> Hello | None:
        """What is known of the device, in the words of a serial node; None before it spoke."""
        decoder = self._decoder
        if not self._stream.seen:
            return None
        gyr_full, acc_full = decoder.full[:2]
        return Hello(
            boot=0,
            next_sample=0,
            last_boot_samples=None,
            tick_hz=round(decoder.tick_hz),
            tick_bits=64,
            rate_hz=decoder.rate_hz,
            channels=decoder.channels,
            gyr_scale=1.0,
            acc_scale=1.0,
            mag_scale=1.0,
            gyr_full=round(gyr_full),
            acc_full=round(acc_full),
            mag_full=0,
            calibration=0,
            uid=zlib.crc32(self.name.encode()).to_bytes(8, "little"),
            chip=decoder.model,
            firmware="",
            name=self.name,
            segment="",
        )

    @property
    def counters(self) -> Counters:
        """Samples received, and lost as far as the maker's protocol tells."""
        return self._stream.counters

    @property
    def rejected(self) -> int:
        """Stretches of the line that were no message."""
        return self._decoder.rejected

    @property
    def clock(self) -> ClockState | None:
        """How true the times are; the constant delay of the line is part of the uncertainty."""
        clock = self._stream.clock
        if not clock.ready:
            return None
        offset_s = float(clock.host_ns(np.zeros(1, np.int64))[0]) * 1e-9
        residual_s = clock.residual_ns * 1e-9
        sd_s = clock.uncertainty_s()
        return ClockState(offset_s, -clock.drift * 1e6, residual_s, sd_s, 0.0, clock.arrivals)

    def read(self, timeout_s: float) -> list[Block]:
        """Blocks that came since the last call; waits for the first one, `timeout_s` at most."""
        return self._reader.read(timeout_s)

    def take_exchanges(self) -> list[tuple[int, Exchange]]:
        """Nothing: these devices have no clock to ask."""
        return []

    def close(self) -> None:
        """Stop reading and free the link."""
        self._reader.close()
