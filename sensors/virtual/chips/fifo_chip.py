"""What all virtual chips share: registers, a signal sampled on the chip's own clock, a FIFO."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensors.virtual.sampler import Floats, Signal

STANDARD_GRAVITY = 9.80665


@dataclass(frozen=True, slots=True)
class Oscillator:
    """How a chip's rate errs.

    Attributes
    ----------
    error : float
        Part by which it is off: 0.03 is three per cent fast.
    warming : float
        Further part that it gains while it warms up.
    warming_s : float
        Time constant of that.
    """

    error: float = 0.0
    warming: float = 0.0
    warming_s: float = 120.0

    def samples(self, rate_hz: float, elapsed_s: float) -> int:
        """How many samples there are so long after the start."""
        warmed_s = elapsed_s - self.warming_s * (1 - np.exp(-elapsed_s / self.warming_s))
        return int(rate_hz * (elapsed_s * (1 + self.error) + self.warming * warmed_s))

    def moment_s(self, rate_hz: float, number: int, before_s: float) -> float:
        """When sample `number` is taken, at `before_s` at the latest."""
        low, high = 0.0, before_s
        for _ in range(40):
            middle = (low + high) / 2
            if self.samples(rate_hz, middle) > number:
                high = middle
            else:
                low = middle
        return high


class FifoChip:
    """A chip with registers of eight bit and a FIFO.

    Parameters
    ----------
    signal : Signal
        What the chip feels, at true seconds since `start_ns`.
    now_ns : callable
        Host clock, nanoseconds.
    oscillator : Oscillator, optional
        How the chip's own clock errs.

    Attributes
    ----------
    taken : int
        Samples taken since the FIFO was first switched on.
    lost : int
        Samples that found no room in the FIFO.
    """

    identity_register = 0x0F
    identity = 0x00
    fifo_bytes = 512

    def __init__(
        self,
        signal: Signal,
        now_ns: Callable[[], int],
        *,
        oscillator: Oscillator | None = None,
    ) -> None:
        self.taken = 0
        self.lost = 0
        self.registers = bytearray(256)
        self.registers[self.identity_register] = self.identity
        self.fifo: deque[int] = deque()
        self.overrun = False
        self._signal = signal
        self._now_ns = now_ns
        self._origin_ns = now_ns()
        self._oscillator = oscillator or Oscillator()
        self._running_since_ns: int | None = None
        self._pointer = 0

    def written(self, data: bytes) -> None:
        """Take the bytes of one write: the register, then values for it and those that follow."""
        self._advance()
        if not data:
            return  # a driver asks whether anybody is there
        self._pointer = data[0]
        for value in data[1:]:
            self.write_register(self._pointer, value)
            self._pointer = self._pointer + 1 & 0xFF
        # What was written may have woken the chip: it samples from now on, not from the next look.
        self._advance()

    def read(self, count: int) -> bytes:
        """Give consecutive registers; a FIFO's own register gives its bytes instead."""
        self._advance()
        out = bytearray()
        for _ in range(count):
            out.append(self.read_register(self._pointer))
            self._pointer = self.next_pointer(self._pointer)
        return bytes(out)

    def write_register(self, register: int, value: int) -> None:
        """What a write does besides being kept; identity cannot be written."""
        if register != self.identity_register:
            self.registers[register] = value

    def read_register(self, register: int) -> int:
        """What a register gives."""
        return self.registers[register]

    def next_pointer(self, register: int) -> int:
        """Where reading goes on."""
        return register + 1 & 0xFF

    @property
    def rate_hz(self) -> float | None:
        """Nominal rate by the registers; None while the chip does not sample."""
        raise NotImplementedError

    def push(self, gyr: Floats, acc: Floats, mag: Floats | None) -> None:
        """Put one sample into the FIFO and the output registers."""
        raise NotImplementedError

    def store(self, data: bytes) -> None:
        """Put bytes into the FIFO, or lose them and remember it."""
        if len(self.fifo) + len(data) > self.fifo_bytes:
            self.overrun = True
            self.lost += 1
            return
        self.fifo.extend(data)

    def pop(self) -> int:
        """Take the oldest byte of the FIFO; an empty one gives its last value in real chips."""
        return self.fifo.popleft() if self.fifo else 0

    def empty(self) -> None:
        """Throw the FIFO's content away."""
        self.fifo.clear()
        self.overrun = False

    def _advance(self) -> None:
        rate_hz = self.rate_hz
        now_ns = self._now_ns()
        if rate_hz is None:
            self._running_since_ns = None
            return
        if self._running_since_ns is None:
            self._running_since_ns, self.taken = now_ns, 0
        elapsed_s = (now_ns - self._running_since_ns) * 1e-9
        due = self._oscillator.samples(rate_hz, elapsed_s)
        if due <= self.taken:
            return
        since_s = (self._running_since_ns - self._origin_ns) * 1e-9
        moments = [
            since_s + self._oscillator.moment_s(rate_hz, number, elapsed_s)
            for number in range(self.taken, due)
        ]
        gyr, acc, mag = self._signal(np.array(moments))
        self.taken = due
        for i in range(len(moments)):
            self.push(gyr[i], acc[i], None if mag is None else mag[i])


def readings(values: Floats, unit: float) -> list[int]:
    """Readings of 16 bit that a chip gives, clipped at the ends of its range."""
    return [int(v) for v in np.clip(np.rint(values / unit), -32768, 32767)]


def words(values: list[int], order: Literal["little", "big"]) -> bytes:
    """Bytes of readings of 16 bit."""
    return b"".join(value.to_bytes(2, order, signed=True) for value in values)
