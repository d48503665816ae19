"""Who walks: body and manner of walking, left and right apart.

Angles in radians, signs of docs/frames.md. Where a default was read off a recording of a person,
it is one of two: A, `gaitmap_mocap_pass1` (shoes, 1.35 m/s), or B, `gaittoolbox_S02_walk_part1`
(optical joint centres, 1.1 m/s).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sensors import Side

REFERENCE_STRIDE_M = 1.4
"""Stride length at which the angles below hold; shorter strides have smaller ones."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One leg and what it does in a stride at the reference stride length.

    Attributes
    ----------
    length_m : float
        Hip centre above the floor, knee straight, shod (B: 0.90).
    step_time_share : float
        Part of the stride time from the other foot's contact to this foot's.
    step_length_share : float
        Part of the stride length by which this foot lands ahead of the other.
    stance_share : float
        Part of the stride from initial to final contact (A: 0.67, B: 0.645, textbooks: 0.62).
    foot_flat_share, heel_off_share : float
        When the sole is flat, and when the heel leaves, as part of the stride (A: 0.14 and 0.42,
        with the foot off the ground at 0.67).
    strike_angle : float
        Toe up at initial contact (A: 28 deg at 1.35 m/s; 15 to 25 deg is usual).
    push_off_angle : float
        Toe down at final contact (A: 60 deg, B: 65 deg).
    toe_out : float
        Foot axis outward of the direction of progression (docs/gait.md: 5 to 10 deg).
    landing_inversion : float
        Sole turned inward at initial contact; it everts by as much until the foot is flat.
    rotation_coupling : float
        Internal rotation of the shank for each radian of that eversion (Fischer 2018: 0.68).
    rotation_lag_s : float
        By how much the shank's rotation trails the eversion.
    lateral_lean : float
        Knee outward of the ankle at mid-stance (B: 5 deg).
    shank_pitch_offset : float
        Added to the shank's pitch in all of the stride: a stiff or bent knee's way of standing.
    knee_flexion : float
        Scales the shank's pitch about the lifting of the foot: below 1 for a stiff knee.
    circumduction_m : float
        Way outward of the foot in mid-swing, round instead of straight.
    landing_hardness : float
        Scales the speed down with which the heel meets the ground.
    toe_clearance_m : float
        Toe above the floor in mid-swing (docs/gait.md: 1.3 to 2 cm).
    pelvic_drop : float
        By how much the other side of the pelvis sinks after this leg took the load, half of the
        obliquity range (docs/gait.md: range 6 to 11 deg).
    """

    length_m: float = 0.90
    step_time_share: float = 0.5
    step_length_share: float = 0.5
    stance_share: float = 0.635
    foot_flat_share: float = 0.14
    heel_off_share: float = 0.40
    strike_angle: float = 0.42
    push_off_angle: float = 1.05
    toe_out: float = 0.12
    landing_inversion: float = 0.14
    rotation_coupling: float = 0.68
    rotation_lag_s: float = 0.03
    lateral_lean: float = 0.08
    shank_pitch_offset: float = 0.0
    knee_flexion: float = 1.0
    circumduction_m: float = 0.0
    landing_hardness: float = 1.0
    toe_clearance_m: float = 0.015
    pelvic_drop: float = 0.07


@dataclass(frozen=True, slots=True)
class Variability:
    """Standard deviation from step to step; zero walks like a machine.

    Stride time varies by about 2 %, stride length by about 3 % (docs/gait.md). `pelvis_m`, forward,
    aside and up, gives harmonic ratios like those of people (docs/gait.md).
    """

    step_time: float = 0.015
    step_length: float = 0.02
    step_width_m: float = 0.01
    angle: float = 0.03
    midstance_height_m: float = 0.0035
    posture_obliquity: float = 0.009
    pelvis_m: tuple[float, float, float] = (0.0025, 0.003, 0.005)

    @classmethod
    def none(cls) -> Variability:
        """Every step like the other."""
        return cls(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, (0.0, 0.0, 0.0))


@dataclass(frozen=True, slots=True)
class LegLengthStrategy:
    """What the body does with a difference of leg length (docs/leg-length.md).

    Attributes
    ----------
    midstance_share : float
        rho: part of the difference that shows as pelvic height between the two mid-stances; the
        rest is carried as mean obliquity of the walking pelvis.
    hidden_standing, hidden_walking : float
        Part of the difference hidden by the bent knee of the longer leg, which its shank shows.
    """

    midstance_share: float = 0.5
    hidden_standing: float = 0.0
    hidden_walking: float = 0.0


@dataclass(frozen=True, slots=True)
class VirtualPerson:
    """A body and the manner of its walking; feet are shod and alike.

    The foot frame has its origin in the ankle joint; heel and toe are the points of the sole about
    which the foot rolls, `ankle_height_m` lower (B: toe to heel marker 0.23 m, ankle 0.09 m high).
    """

    left: Leg = field(default_factory=Leg)
    right: Leg = field(default_factory=Leg)
    strategy: LegLengthStrategy = field(default_factory=LegLengthStrategy)
    variability: Variability = field(default_factory=Variability)
    hip_width_m: float = 0.172
    step_width_m: float = 0.11
    ankle_height_m: float = 0.09
    heel_behind_ankle_m: float = 0.055
    toe_ahead_of_ankle_m: float = 0.20
    shank_length_m: float = 0.40
    standing_shank_pitch: float = 0.11
    pelvic_tilt: float = 0.14
    pelvic_tilt_amplitude: float = 0.03
    pelvic_rotation: float = 0.085
    pelvic_sway_m: float = 0.03
    speed_fluctuation: float = 0.15
    contact_speed_mps: tuple[float, float] = (0.8, -0.30)
    contact_duration_s: float = 0.014
    slide_duration_s: float = 0.06
    standing_sway_m: float = 0.003
    first_side: Side = Side.RIGHT

    def leg(self, side: Side) -> Leg:
        """Leg of one side."""
        return self.left if side is Side.LEFT else self.right

    def mirrored(self) -> VirtualPerson:
        """Give the person seen in a mirror."""
        other = Side.LEFT if self.first_side is Side.RIGHT else Side.RIGHT
        return replace(self, left=self.right, right=self.left, first_side=other)

    @property
    def heel(self) -> tuple[float, float, float]:
        """Where the heel meets the floor, in the foot frame, metres."""
        return (-self.heel_behind_ankle_m, 0.0, -self.ankle_height_m)

    @property
    def toe(self) -> tuple[float, float, float]:
        """Where the toe leaves the floor, in the foot frame, metres."""
        return (self.toe_ahead_of_ankle_m, 0.0, -self.ankle_height_m)


def leftward(side: Side) -> float:
    """Sign of the side on the y axis: left +1, right -1."""
    return 1.0 if side is Side.LEFT else -1.0
