"""Motion of a segment in, readings of the sensor it wears out: in the sensor's frame, by its clock.

The readings depend on nothing but the times asked for, so a block of samples is the same whether it
is asked for at once or piece by piece, and noise repeats with the seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sensors.sample import Segment

from .body.kinematics import rotated_back

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .body.kinematics import Kinematics
    from .walker import Motion

    Floats = NDArray[np.float64]
    Vector = tuple[float, float, float]

GRAVITY_MPS2 = 9.81
UPWARD_MPS2 = np.array((0.0, 0.0, GRAVITY_MPS2))
FIELD_UT = (0.0, 19.7, -44.6)
"""Earth's field in central Europe: east, north, up."""

# Where the sensors sit (METHODS 1.2): instep, flat of the shin bone, sacrum; segment frame.
PLACES_M: dict[Segment, Vector] = {
    Segment.LEFT_FOOT: (0.07, 0.0, -0.02),
    Segment.RIGHT_FOOT: (0.07, 0.0, -0.02),
    Segment.LEFT_SHANK: (0.03, -0.01, 0.22),
    Segment.RIGHT_SHANK: (0.03, 0.01, 0.22),
    Segment.PELVIS: (-0.11, 0.0, 0.06),
}
NO_TURN = (1.0, 0.0, 0.0, 0.0)
ZERO: Vector = (0.0, 0.0, 0.0)
TICK_S = 1e-6
"""Times closer than this are one sample and carry the same noise."""


class Readings(NamedTuple):
    """What a sensor says at n moments, sensor frame, SI; `mag` in uT or None."""

    gyr: Floats
    acc: Floats
    mag: Floats | None


@dataclass(frozen=True, slots=True)
class Imperfections:
    """How a worn sensor differs from an ideal one; the default is ideal.

    Attributes
    ----------
    q_sensor_to_segment : (4,) floats
        Mounting rotation (w, x, y, z).
    place_m : (3,) floats or None
        Where it sits in the segment frame; None is the usual place of `PLACES_M`.
    gyr_bias, acc_bias, mag_bias : (3,) floats
        Added to the readings: rad/s, m/s2, uT.
    gyr_scale, acc_scale : (3,) floats
        Factor on each axis before the bias.
    gyr_misalignment : (3,) floats
        Small rotation (radians about x, y, z) of the gyroscope's axes against the accelerometer's.
    gyr_noise, acc_noise, mag_noise : float
        Standard deviation of white noise of each sample and axis.
    gyr_range, acc_range : float
        Readings stop here; infinite by default.
    clock_offset_s, clock_drift_ppm : float
        The sensor's clock shows `t + offset + drift * t` at the true time t.
    has_mag : bool
        Whether there is a magnetometer.
    seed : int
        For the noise.
    """

    q_sensor_to_segment: tuple[float, float, float, float] = NO_TURN
    place_m: Vector | None = None
    gyr_bias: Vector = ZERO
    acc_bias: Vector = ZERO
    mag_bias: Vector = ZERO
    gyr_scale: Vector = (1.0, 1.0, 1.0)
    acc_scale: Vector = (1.0, 1.0, 1.0)
    gyr_misalignment: Vector = ZERO
    gyr_noise: float = 0.0
    acc_noise: float = 0.0
    mag_noise: float = 0.0
    gyr_range: float = np.inf
    acc_range: float = np.inf
    clock_offset_s: float = 0.0
    clock_drift_ppm: float = 0.0
    has_mag: bool = False
    seed: int = 0

    def true_time(self, clock_s: Floats) -> Floats:
        """True time at which the sensor's clock shows `clock_s`."""
        return (clock_s - self.clock_offset_s) / (1 + self.clock_drift_ppm * 1e-6)

    def clock(self, time_s: Floats) -> Floats:
        """What the sensor's clock shows at true times."""
        return time_s * (1 + self.clock_drift_ppm * 1e-6) + self.clock_offset_s


@dataclass(frozen=True, slots=True)
class Signal:
    """Readings of one worn sensor at any times of its own clock.

    Attributes
    ----------
    motion : Motion
        Of the segment it sits on.
    place_m : (3,) floats
        Where, segment frame.
    imperfections : Imperfections
        How it differs from an ideal sensor.
    field_ut : (3,) floats
        Magnetic field in the earth frame.
    """

    motion: Motion
    place_m: Vector
    imperfections: Imperfections
    field_ut: Vector = FIELD_UT

    def kinematics(self, time_s: Floats) -> Kinematics:
        """True motion of the sensor itself, in its own frame, at true times (n,)."""
        body = self.motion.evaluate(np.asarray(time_s, dtype=np.float64))
        return body.at_point(self.place_m).reframed(self.imperfections.q_sensor_to_segment)

    def __call__(self, times_s: Floats) -> Readings:
        """Readings at times (n,) of the sensor's clock."""
        how = self.imperfections
        clock_s = np.asarray(times_s, dtype=np.float64)
        sensor = self.kinematics(how.true_time(clock_s))
        turn = sensor.rotation
        force = rotated_back(turn, sensor.acceleration + UPWARD_MPS2)
        rate = sensor.angular_rate - np.cross(np.array(how.gyr_misalignment), sensor.angular_rate)
        gyr = rate * how.gyr_scale + how.gyr_bias + how.gyr_noise * noise(clock_s, how.seed, 0)
        acc = force * how.acc_scale + how.acc_bias + how.acc_noise * noise(clock_s, how.seed, 1)
        mag = None
        if how.has_mag:
            field = rotated_back(turn, np.broadcast_to(self.field_ut, force.shape))
            mag = field + how.mag_bias + how.mag_noise * noise(clock_s, how.seed, 2)
        gyr = np.clip(gyr, -how.gyr_range, how.gyr_range)
        return Readings(gyr, np.clip(acc, -how.acc_range, how.acc_range), mag)


def noise(times_s: Floats, seed: int, kind: int) -> Floats:
    """Standard normal numbers (n, 3) that depend on time, seed and kind only.

    Each time, counted in `TICK_S`, is hashed to two uniform numbers for each axis (splitmix64,
    Steele et al. 2014, OOPSLA), which make one normal number (Box and Muller 1958).
    """
    tick = np.round(np.asarray(times_s) / TICK_S).astype(np.int64).astype(np.uint64)
    stream = np.arange(6, dtype=np.uint64) + np.uint64(8 * kind) + np.uint64((seed % 2**32) << 8)
    first, second = np.split(
        _uniform(_scramble(tick)[:, None] ^ _scramble(stream)[None]), 2, axis=1
    )
    normal: Floats = np.sqrt(-2 * np.log(first)) * np.cos(2 * np.pi * second)
    return normal


def _scramble(number: NDArray[np.uint64]) -> NDArray[np.uint64]:
    mixed = number + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _uniform(number: NDArray[np.uint64]) -> Floats:
    """In (0, 1], so that its logarithm is finite."""
    return ((_scramble(number) >> np.uint64(11)).astype(np.float64) + 1) / 2.0**53
