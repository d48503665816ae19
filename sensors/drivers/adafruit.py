"""Any of Adafruit's sensor classes as a source: the slow way, for chips without a driver here.

Adafruit's classes read registers one sample at a time and know no FIFO: 25 samples a second, taken
when the host has time for it. Enough to try a chip out and to count steps; too slow for a foot.
"""

from __future__ import annotations

import importlib
from math import radians
from typing import TYPE_CHECKING, Any

import numpy as np

from sensors.errors import LinkLostError, WrongChipError

from .chip import FULL, STANDARD_GRAVITY, Burst

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensors.i2c_link import Bus

RATE_HZ = 25.0
# What cannot be asked of these classes in one way is assumed wide enough for all of them.
GYR_RANGE_RAD_S, ACC_RANGE_MPS2 = radians(2000.0), 16 * STANDARD_GRAVITY


class AdafruitChip:
    """One object of Adafruit's libraries with the properties `gyro` and `acceleration`.

    Parameters
    ----------
    bus : Bus
        Handed to the class as it is: it has the face of `busio.I2C`.
    path : str
        Module and class, such as `adafruit_lsm9ds1.LSM9DS1_I2C`.
    address : int, optional
        Without it the class's own.

    Raises
    ------
    ValueError
        Where there is no such class, or it gives no rates and accelerations.
    WrongChipError
        Where the class says that another chip answers.
    LinkLostError
        Where none does.
    """

    rate_hz = RATE_HZ

    def __init__(self, bus: Bus, path: str, address: int | None = None) -> None:
        self.model = f"{path.rpartition('.')[2]} (slow)"
        self.scale = np.repeat([GYR_RANGE_RAD_S / FULL, ACC_RANGE_MPS2 / FULL], 3)
        self._sensor = _make(bus, path, address)
        self._last_ns: int | None = None

    def start(self) -> None:
        """Nothing to set: the class has done so."""

    def empty(self) -> None:
        """Begin anew after a gap."""
        self._last_ns = None

    def read_burst(self, now_ns: Callable[[], int]) -> Burst:
        """One sample; too late a look is a gap, as a FIFO that ran over would be."""
        before_ns = now_ns()
        late = self._last_ns is not None and before_ns - self._last_ns > 1.5e9 / RATE_HZ
        self._last_ns = before_ns
        try:
            values = np.array([*self._sensor.gyro, *self._sensor.acceleration])
        except OSError as error:
            raise LinkLostError(f"{self.model}: {error}") from error
        readings = np.clip(np.rint(values / self.scale), -FULL, FULL).astype(np.int16)
        return Burst(readings[np.newaxis][: 0 if late else 1], late, before_ns, now_ns())


def _make(bus: Bus, path: str, address: int | None) -> Any:
    module, _, name = path.rpartition(".")
    try:
        kind = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"driver adafruit:{path}: {error}; is the library installed?") from error
    if not (hasattr(kind, "gyro") and hasattr(kind, "acceleration")):
        raise ValueError(f"driver adafruit:{path}: it has no gyro and acceleration")
    try:
        return kind(bus) if address is None else kind(bus, address)
    except (RuntimeError, AttributeError) as error:
        raise WrongChipError(f"{path}: {error}") from error
    except (OSError, ValueError) as error:  # ValueError: their word for "nobody answers"
        raise LinkLostError(f"{path}: {error}") from error
