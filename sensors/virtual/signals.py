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
from .chance import noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .body.kinematics import Kinematics, Motion

    Floats = NDArray[np.float64]
    Vector = tuple[float, float, float]

GRAVITY_MPS2 = 9.81
FIELD_UT = (0.0, 19.7, -44.6)
"""Earth's field in central Europe: east, north, up."""

# Where the sensors sit (docs/fitting.md): instep, flat of the shin bone, sacrum; segment frame.
PLACES_M: dict[Segment, Vector] = {
    Segment.LEFT_FOOT: (0.07, 0.0, -0.02),
    Segment.RIGHT_FOOT: (0.07, 0.0, -0.02),
    Segment.LEFT_SHANK: (0.03, -0.01, 0.22),
    Segment.RIGHT_SHANK: (0.03, 0.01, 0.22),
    Segment.PELVIS: (-0.11, 0.0, 0.06),
}
NO_TURN = (1.0, 0.0, 0.0, 0.0)
ZERO: Vector = (0.0, 0.0, 0.0)


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
    floor_slope : float
        By how much the floor, on which the earth frame rests, falls toward south (right of a
        person who faces east), radians: gravity leans that way.
    """

    motion: Motion
    place_m: Vector
    imperfections: Imperfections
    field_ut: Vector = FIELD_UT
    floor_slope: float = 0.0

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
        upward = np.array((0.0, np.sin(self.floor_slope), np.cos(self.floor_slope)))
        force = rotated_back(turn, sensor.acceleration + GRAVITY_MPS2 * upward)
        rate = sensor.angular_rate - np.cross(np.array(how.gyr_misalignment), sensor.angular_rate)
        gyr = rate * how.gyr_scale + how.gyr_bias + how.gyr_noise * noise(clock_s, how.seed, 0)
        acc = force * how.acc_scale + how.acc_bias + how.acc_noise * noise(clock_s, how.seed, 1)
        mag = None
        if how.has_mag:
            field = rotated_back(turn, np.broadcast_to(self.field_ut, force.shape))
            mag = field + how.mag_bias + how.mag_noise * noise(clock_s, how.seed, 2)
        gyr = np.clip(gyr, -how.gyr_range, how.gyr_range)
        return Readings(gyr, np.clip(acc, -how.acc_range, how.acc_range), mag)
