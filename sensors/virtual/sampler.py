"""The sensor of a virtual node: a signal read at the node's own moments, as 16-bit readings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import radians

import numpy as np
from numpy.typing import NDArray

from .crystal import Crystal

Floats = NDArray[np.float64]
# True seconds (n,) to gyr (n, 3) rad/s, acc (n, 3) m/s2 and mag (n, 3) uT or None.
Signal = Callable[[Floats], tuple[Floats, Floats, Floats | None]]

STANDARD_GRAVITY = 9.80665
FULL = 32767
# The signal is asked for long stretches: five nodes must stay cheap at high speed.
STRETCH = 256


@dataclass(frozen=True, slots=True)
class Board:
    """How a virtual node is made.

    Attributes
    ----------
    rate_hz : float
        Nominal samples a second.
    tick_hz, tick_bits, first_ticks : int
        Rate and width of the counter, and where it stands at boot.
    crystal : Crystal
        How the counter errs.
    gyr_range_rad_s, acc_range_mps2, mag_range_ut : float
        Magnitudes at the ends of the sensor's ranges.
    samples_per_packet : int
        Samples in one DATA packet.
    remembers : bool
        Whether the count of samples survives a reboot, as in registers that a reset leaves alone.
    """

    rate_hz: float = 200.0
    tick_hz: int = 1_000_000
    tick_bits: int = 64
    first_ticks: int = 250_000
    crystal: Crystal = field(default_factory=Crystal)
    gyr_range_rad_s: float = radians(2000.0)
    acc_range_mps2: float = 16 * STANDARD_GRAVITY
    mag_range_ut: float = 4900.0
    samples_per_packet: int = 10
    remembers: bool = True

    @property
    def period_ticks_q8(self) -> int:
        """Ticks between samples, times 256."""
        return round(256 * self.tick_hz / self.rate_hz)

    @property
    def scales(self) -> Floats:
        """SI units a reading, (3,): as a HELLO tells them, in 32-bit floats."""
        ranges = (self.gyr_range_rad_s, self.acc_range_mps2, self.mag_range_ut)
        return (np.array(ranges) / FULL).astype(np.float32).astype(np.float64)


class Sampler:
    """Samples of one boot, numbered from zero.

    Parameters
    ----------
    signal : Signal
        What the sensor feels, at true seconds.
    board : Board
        Rates and ranges.
    boot_s : float
        True time of the boot; the first sample comes one period later.
    until_s : float
        True time after which there are no more samples.
    """

    def __init__(self, signal: Signal, board: Board, boot_s: float, until_s: float) -> None:
        self._signal = signal
        self._board = board
        self._until_s = until_s
        self._boot_device_s = float(board.crystal.device_s(boot_s))
        self._first = 0
        self._true_s: Floats = np.empty(0)
        self._readings: NDArray[np.int16] | None = None

    @property
    def has_mag(self) -> bool:
        """Whether the signal has a magnetic field."""
        if self._readings is None:
            self._extend()
        return self._readings is not None and self._readings.shape[1] == 9

    def ticks(self, number: int) -> int:
        """Ticks after boot at a sample."""
        return ((number + 1) * self._board.period_ticks_q8) >> 8

    def elapsed_ticks(self, true_s: float) -> int:
        """Ticks after boot at a true time."""
        elapsed = float(self._board.crystal.device_s(true_s)) - self._boot_device_s
        return int(elapsed * self._board.tick_hz)

    def true_s(self, number: int) -> float | None:
        """True time of a sample not yet forgotten, None where the node takes no such sample."""
        while number >= self._first + len(self._true_s):
            if not self._extend():
                return None
        return float(self._true_s[number - self._first])

    def taken(self, true_s: float) -> int:
        """How many samples there are up to a true time, at or after that of the oldest kept."""
        while len(self._true_s) == 0 or self._true_s[-1] <= true_s:
            if not self._extend():
                break
        return self._first + int(np.searchsorted(self._true_s, true_s, side="right"))

    def readings(self, first: int, count: int) -> NDArray[np.int16]:
        """Readings of consecutive samples; everything before them is forgotten."""
        if self.true_s(first + count - 1) is None or self._readings is None:
            raise IndexError(f"the node takes no sample {first + count - 1}")
        start = first - self._first
        if start >= STRETCH:
            self._first, self._true_s = first, self._true_s[start:]
            self._readings = self._readings[start:]
            start = 0
        return self._readings[start : start + count]

    def _extend(self) -> bool:
        first = self._first + len(self._true_s)
        numbers = np.arange(first + 1, first + STRETCH + 1)
        ticks = (numbers * self._board.period_ticks_q8) >> 8
        device_s = self._boot_device_s + ticks / self._board.tick_hz
        true_s = self._board.crystal.true_s(device_s)
        true_s = true_s[true_s <= self._until_s]
        if len(true_s) == 0:
            return False
        readings = self._quantised(true_s)
        self._true_s = np.concatenate([self._true_s, true_s])
        kept = readings[:0] if self._readings is None else self._readings
        self._readings = np.concatenate([kept, readings])
        return True

    def _quantised(self, true_s: Floats) -> NDArray[np.int16]:
        values = np.concatenate([part for part in self._signal(true_s) if part is not None], axis=1)
        scales = np.repeat(self._board.scales, 3)[: values.shape[1]]
        return np.clip(np.rint(values / scales), -FULL, FULL).astype(np.int16)
