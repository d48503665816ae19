"""What the walk really was: contacts, strides, steps, leg lengths.

Times and places are those from which the motion was made, so they are exact; what can only be read
off the motion (clearance, height of the pelvis) is read off it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from sensors.sample import Side

if TYPE_CHECKING:
    from sensors.virtual.body.leg_lengths import LegLengths


@dataclass(frozen=True, slots=True)
class TrueContact:
    """A foot meets (`ic`) or leaves (`fc`) the ground."""

    side: Side
    kind: Literal["ic", "fc"]
    time_s: float


@dataclass(frozen=True, slots=True)
class TrueStride:
    """From one initial contact to the next of the same foot, within one run of steps.

    The sole is flat and at rest from `foot_flat_s` to `heel_off_s`, and again from
    `next_foot_flat_s`; `length_m` is the horizontal way of the ankle between the two, `turn_rad`
    the change of the foot's direction. Angles are those of docs/gait.md:
    positive are toe up at landing, toe down at push-off, toe outward, sole inward at landing.
    `toe_clearance_m` is the least height of the toe over the floor in the middle half of swing,
    `heel_clearance_m` the greatest of the heel.
    """

    side: Side
    initial_contact_s: float
    foot_flat_s: float
    heel_off_s: float
    final_contact_s: float
    next_initial_contact_s: float
    next_foot_flat_s: float
    length_m: float
    rise_m: float
    turn_rad: float
    strike_angle_rad: float
    push_off_angle_rad: float
    toe_out_rad: float
    landing_inversion_rad: float
    toe_clearance_m: float
    heel_clearance_m: float

    @property
    def stride_time_s(self) -> float:
        """Contact to contact."""
        return self.next_initial_contact_s - self.initial_contact_s

    @property
    def stance_time_s(self) -> float:
        """Foot on the ground."""
        return self.final_contact_s - self.initial_contact_s

    @property
    def swing_time_s(self) -> float:
        """Foot in the air."""
        return self.next_initial_contact_s - self.final_contact_s

    @property
    def speed_mps(self) -> float:
        """Length by time."""
        return self.length_m / self.stride_time_s


@dataclass(frozen=True, slots=True)
class TrueStep:
    """From a contact of one foot to the next contact of the other, `side`, which lands.

    `length_m` is along the direction of progression, `width_m` across it, both from ankle to ankle;
    `double_support_s` is the time from this contact until the other foot leaves (negative where
    both feet were in the air), None for the last one. `pelvic_advance_m` is the way of the pelvis
    along the direction of progression during the step (docs/gait.md).
    """

    side: Side
    initial_contact_s: float
    step_time_s: float
    length_m: float
    width_m: float
    pelvic_advance_m: float
    double_support_s: float | None


@dataclass(frozen=True, slots=True)
class TrueMidstance:
    """The pelvis at the middle of single support of one leg (docs/leg-length.md)."""

    side: Side
    time_s: float
    pelvis_height_m: float
    obliquity_rad: float


@dataclass(frozen=True, slots=True)
class TrueStay:
    """The pelvis while the person stood, bowed or sat; `obliquity_rad` at the beginning of it."""

    start_s: float
    end_s: float
    activity: str
    obliquity_rad: float
    pelvis_height_m: float


@dataclass(frozen=True, slots=True)
class WalkTruth:
    """All of it, in the order of time."""

    contacts: tuple[TrueContact, ...]
    strides: tuple[TrueStride, ...]
    steps: tuple[TrueStep, ...]
    midstances: tuple[TrueMidstance, ...]
    stays: tuple[TrueStay, ...]
    runs_s: tuple[tuple[float, float], ...]
    leg_lengths: LegLengths
    hip_width_m: float

    def strides_of(self, side: Side) -> tuple[TrueStride, ...]:
        """Strides of one foot."""
        return tuple(stride for stride in self.strides if stride.side is side)

    @property
    def pelvic_midstance_difference_m(self) -> float:
        """D: mean pelvic height at right mid-stance less that at left (docs/leg-length.md)."""
        heights = {
            side: np.mean([m.pelvis_height_m for m in self.midstances if m.side is side])
            for side in Side
        }
        return float(heights[Side.RIGHT] - heights[Side.LEFT])

    @property
    def standing_difference_m(self) -> float:
        """Functional leg length difference in standing, right longer positive."""
        return self.leg_lengths.standing_right_m - self.leg_lengths.standing_left_m
