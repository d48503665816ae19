"""What every I2C chip with a FIFO gives: the contract between `i2c_sensor` and a chip's file."""

from __future__ import annotations

from dataclasses import dataclass
from math import radians
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from sensors.errors import WrongChipError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from sensors.i2c_link import Registers

STANDARD_GRAVITY = 9.80665
FULL = 32767
# A divider has hundreds of rates: an error names the first and the last.
MOST_NAMED = 8


class Setting(NamedTuple):
    """A rate or range of a chip, and the code of it."""

    value: float
    code: int


@dataclass(frozen=True, slots=True)
class Setup:
    """Rate and ranges that a chip is asked for.

    Attributes
    ----------
    rate_hz : float
        At least this many samples a second; a chip takes its next higher rate.
    acc_range_g, gyr_range_deg_s : float
        At least these ranges. A foot needs 16 g and 2000 deg/s: its landing clips less.
    """

    rate_hz: float = 200.0
    acc_range_g: float = 16.0
    gyr_range_deg_s: float = 2000.0


@dataclass(frozen=True, slots=True)
class Reach:
    """What a chip can be set to: codes of its registers by the value that they stand for."""

    rates_hz: Mapping[float, int]
    acc_ranges_g: Mapping[float, int]
    gyr_ranges_deg_s: Mapping[float, int]

    def settings(self, setup: Setup) -> tuple[Setting, Setting, Setting]:
        """Rate, range of the accelerometer and of the gyroscope that reach what is asked for.

        Raises
        ------
        ValueError
            Where none does; names the key, its value and what the chip has.
        """
        return (
            _least("rate_hz", setup.rate_hz, self.rates_hz),
            _least("acc_range_g", setup.acc_range_g, self.acc_ranges_g),
            _least("gyr_range_deg_s", setup.gyr_range_deg_s, self.gyr_ranges_deg_s),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Burst:
    """What one look into a FIFO gave.

    Attributes
    ----------
    readings : (n, 6) or (n, 9) int16
        Angular rate, specific force, magnetic field, in the chip's own axes.
    overrun : bool
        True where the FIFO had run over; the readings are then empty and the FIFO must be emptied.
    before_ns, after_ns : int
        Host time around the reading of the FIFO's level.
    """

    readings: NDArray[np.int16]
    overrun: bool
    before_ns: int
    after_ns: int


class Chip(Protocol):
    """An inertial chip with a FIFO, on registers."""

    model: str
    rate_hz: float
    scale: NDArray[np.float64]

    def start(self) -> None:
        """Set rate, ranges and FIFO; the chip samples from then on."""
        ...

    def empty(self) -> None:
        """Throw away what the FIFO holds; sampling goes on."""
        ...

    def read_burst(self, now_ns: Callable[[], int]) -> Burst:
        """Read everything the FIFO holds, in one or two transactions."""
        ...


def identify(registers: Registers, register: int, models: Mapping[int, str]) -> str:
    """Model by its identity register.

    Raises
    ------
    WrongChipError
        Where another chip answers.
    LinkLostError
        Where none does.
    """
    identity = registers.read(register, 1)[0]
    if identity in models:
        return models[identity]
    expected = ", ".join(f"0x{number:02x} ({model})" for number, model in models.items())
    cause = "faulty wiring" if identity in {0x00, 0xFF} else "another chip or a counterfeit"
    raise WrongChipError(
        f"the chip at 0x{registers.address:02x} says it is 0x{identity:02x}, "
        f"expected {expected}: probably {cause}"
    )


def _least(key: str, wanted: float, table: Mapping[float, int]) -> Setting:
    for value in sorted(table):
        if value >= wanted:
            return Setting(value, table[value])
    raise ValueError(f"{key} = {wanted:g}: expected one of {named(table)}, or less")


def named(table: Mapping[float, int]) -> str:
    """Values of a table, for people: all of them, or the first and the last of many."""
    values = [f"{value:g}" for value in sorted(table)]
    return ", ".join(values) if len(values) <= MOST_NAMED else f"{values[0]} to {values[-1]}"


def scale_of(gyr_deg_s: float, acc_g: float, mag_ut: float | None = None) -> NDArray[np.float64]:
    """SI units a reading, (6,) or (9,), from units a reading as data sheets print them."""
    parts = [radians(gyr_deg_s)] * 3 + [acc_g * STANDARD_GRAVITY] * 3
    return np.array(parts + ([] if mag_ut is None else [mag_ut] * 3))


def big_endian(raw: bytes, words: int) -> NDArray[np.int16]:
    """Words of 16 bit, high byte first, (n, words)."""
    return np.frombuffer(raw, ">i2").reshape(-1, words).astype(np.int16)
