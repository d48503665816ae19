"""What the orientation filter believes about sensors, movement and field: one frozen record."""

from __future__ import annotations

from dataclasses import dataclass
from math import radians


@dataclass(frozen=True, slots=True)
class OrientationParameters:
    """Physical beliefs of `OrientationFilter`; one set serves every figure in docs/orientation.md.

    Attributes
    ----------
    step_s : float
        Time between Kalman steps, seconds.
    gyr_noise : float
        White noise of the gyroscope, rad/s/sqrt(Hz).
    gyr_noise_of_rate : float
        The same in proportion to the rate of turn: what a rate of turn leaves unmodelled.
    jolt_noise : float
        Error of the turn, rad, for each m/s2 by which the specific force changes between two
        samples: what impacts do to a gyroscope.
    bias_sd : float
        Spread of the gyroscope bias before anything is known, rad/s. A first rest may widen it.
    bias_walk : float
        Random walk of the bias, rad/s/sqrt(s).
    scale_sd, misalignment_sd : float
        Spread of the gyroscope's scale error and of the tilt of its axes, 1 and rad.
    mismatch_walk : float
        Random walk of both, 1/sqrt(s): a thousandth in an hour, by temperature and age.
    tilt_sd : float
        Spread of the inclination taken from the first sample, rad.
    acc_noise : float
        Noise of the accelerometer, m/s2/sqrt(Hz), its slow errors included.
    wander_rad_s, wander_damping : float
        How fast the place about which the body moves is forgotten.
    wander_noise, wander_floor : float
        Noise of the horizontal specific force in proportion to the present movement, sqrt(s),
        and its least value, m/s2/sqrt(Hz).
    wander_rise_s, wander_fall_s : float
        Times in which the present movement's strength is followed up and down, seconds.
    quiet_noise, quiet_floor : float
        Horizontal specific force of a quiet moment, in proportion to its unrest (1) and at least
        (m/s2).
    rest_gyr, rest_acc : float
        Largest deviation from the mean that still is rest, rad/s and m/s2.
    rest_after_s : float
        How long a rest must last before it is believed, seconds.
    rest_noise : float
        Noise of the bias measured at rest, rad/s/sqrt(Hz).
    rest_largest_bias : float
        A steady rate above this is a turn, never a bias, rad/s.
    still_gyr_noise, still_velocity_sd : float
        The same where the caller says "still", as of a foot flat on the ground, and the spread of
        its velocity about zero, m/s.
    heading_noise : float
        Noise of the magnetic heading, rad/sqrt(Hz).
    field_norm_tolerance, field_dip_tolerance : float
        Deviation of field strength (share) and dip (rad) that doubles the heading's variance.
    field_rate : float
        Rate of turn, rad/s, that does so as well: a magnetometer is late and slow.
    acc_bias_sd : float
        Bias that an accelerometer keeps after calibration, m/s2. Nothing corrects it: it enters
        the published uncertainty of the inclination only.
    delay_sd_s : float
        Uncertainty of `delay_s`, likewise.
    delay_s : float
        Delay of the device's own low-pass filter, from its data sheet; the estimate is carried
        forward by as much. Zero unless the device is known.
    """

    step_s: float = 0.035
    gyr_noise: float = radians(0.04)
    gyr_noise_of_rate: float = 0.001
    jolt_noise: float = 1.5e-4
    bias_sd: float = radians(2.5)
    bias_walk: float = radians(0.005)
    scale_sd: float = 0.005
    misalignment_sd: float = 0.004
    mismatch_walk: float = 1.7e-5
    tilt_sd: float = radians(5.0)
    acc_noise: float = 0.05
    wander_rad_s: float = 1.6
    wander_damping: float = 1.0
    wander_noise: float = 1.0
    wander_floor: float = 0.01
    wander_rise_s: float = 0.3
    wander_fall_s: float = 5.0
    quiet_noise: float = 1.5
    quiet_floor: float = 0.2
    rest_gyr: float = radians(2.0)
    rest_acc: float = 0.5
    rest_after_s: float = 1.5
    rest_noise: float = radians(0.1)
    rest_largest_bias: float = radians(12.0)
    still_gyr_noise: float = radians(0.5)
    still_velocity_sd: float = 0.03
    heading_noise: float = radians(10.0)
    field_norm_tolerance: float = 0.02
    field_dip_tolerance: float = radians(1.0)
    field_rate: float = 1.0
    acc_bias_sd: float = 0.03
    delay_sd_s: float = 0.002
    delay_s: float = 0.0
