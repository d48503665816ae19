"""The record that every source hands on: one sensor's consecutive samples.

A source is a driver, a plain recording or one of our own recordings. Nothing here knows
what segment a sensor sits on, nor how it is calibrated.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GYR = slice(0, 3)
ACC = slice(3, 6)
MAG = slice(6, 9)


class Segment(StrEnum):
    """Rigid body parts that carry a sensor."""

    LEFT_FOOT = "left_foot"
    RIGHT_FOOT = "right_foot"
    LEFT_SHANK = "left_shank"
    RIGHT_SHANK = "right_shank"
    PELVIS = "pelvis"


class Side(StrEnum):
    """The side of the body, as the person wearing the sensors would say it."""

    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Consecutive samples of one sensor, without a gap, in the sensor frame.

    Readings stay what the device sent (integers of a chip, or floats of a plain recording), so that
    a recording loses nothing; `gyr`, `acc` and `mag` give SI units.

    Attributes
    ----------
    sensor : str
        Name of the node or sensor the samples come from.
    epoch : int
        Counts restarts of the device or of its link; ticks and sequence begin anew with each.
    first_seq : int
        Number of the first sample within the epoch. The next block of the epoch begins at
        `first_seq + n`; a larger number means that samples were lost in between.
    ticks : (n,) int64
        Device clock at each sample, extended to 64 bit.
    host_ns : (n,) int64
        CLOCK_MONOTONIC at each sample by the clock model of the moment of reading, nanoseconds.
    readings : (n, 6) or (n, 9) int16 or float64
        Angular rate x, y, z; specific force x, y, z; magnetic field x, y, z where there is one.
    scale : (6,) or (9,) float64
        SI units a reading: rad/s, m/s2, uT.
    saturated : (n,) bool
        True where any channel stood at the end of its range.
    time_sd_s : float
        Standard uncertainty of `host_ns` against the host's clock, seconds.
    """

    sensor: str
    epoch: int
    first_seq: int
    ticks: NDArray[np.int64]
    host_ns: NDArray[np.int64]
    readings: NDArray[np.int16] | NDArray[np.float64]
    scale: NDArray[np.float64]
    saturated: NDArray[np.bool_]
    time_sd_s: float

    def __len__(self) -> int:
        return len(self.readings)

    @property
    def gyr(self) -> NDArray[np.float64]:
        """Angular rate, (n, 3), rad/s."""
        return self.readings[:, GYR] * self.scale[GYR]

    @property
    def acc(self) -> NDArray[np.float64]:
        """Specific force, (n, 3), m/s2: +9.81 on the axis that points up at rest."""
        return self.readings[:, ACC] * self.scale[ACC]

    @property
    def mag(self) -> NDArray[np.float64] | None:
        """Magnetic field, (n, 3), uT, or None for a sensor without a magnetometer."""
        if len(self.scale) == ACC.stop:
            return None
        return self.readings[:, MAG] * self.scale[MAG]
