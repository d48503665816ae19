"""What the walk really was: contacts, strides, steps, leg lengths.

Times and places are those from which the motion was made, so they are exact; what can only be read
off the motion (clearance, excursions) is taken from it at `SAMPLES` moments a stride.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from sensors.sample import Side

from .foot import foot_heading, landing_inversion, push_off_angle, strike_angle
from .footfalls import Stay
from .pelvis import LegLengths, midstance
from .person import leftward

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .foot import FootMotion
    from .footfalls import Footfalls, Run, Stance
    from .pelvis import PelvisMotion
    from .person import VirtualPerson

SAMPLES = 400


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
    the change of the foot's direction. Angles are those of METHODS 3.5, 3.7, 3.10 and 3.12:
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
    both feet were in the air), None before the last one.
    """

    side: Side
    initial_contact_s: float
    step_time_s: float
    length_m: float
    width_m: float
    double_support_s: float | None


@dataclass(frozen=True, slots=True)
class TrueMidstance:
    """The pelvis at the middle of single support of one leg (METHODS 4.3)."""

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
        """D: mean pelvic height at right mid-stance less that at left (METHODS 4.3)."""
        heights = {
            side: np.mean([m.pelvis_height_m for m in self.midstances if m.side is side])
            for side in Side
        }
        return float(heights[Side.RIGHT] - heights[Side.LEFT])

    @property
    def standing_difference_m(self) -> float:
        """Functional leg length difference in standing, right longer positive."""
        return self.leg_lengths.standing_right_m - self.leg_lengths.standing_left_m


def truth_of(
    person: VirtualPerson,
    way: Footfalls,
    feet: Mapping[Side, FootMotion],
    pelvis: PelvisMotion,
) -> WalkTruth:
    """Truth about a way with the motions made from it."""
    strides = [s for run in way.runs for s in _strides(person, run, feet)]
    return WalkTruth(
        contacts=_contacts(way),
        strides=tuple(sorted(strides, key=lambda s: s.initial_contact_s)),
        steps=tuple(step for run in way.runs for step in _steps(run)),
        midstances=tuple(m for run in way.runs for m in _midstances(run, pelvis)),
        stays=_stays(way, pelvis),
        runs_s=tuple((run.stances[0].flat_to_s, run.ic_s[-1]) for run in way.runs),
        leg_lengths=LegLengths.of(person),
        hip_width_m=person.hip_width_m,
    )


def _contacts(way: Footfalls) -> tuple[TrueContact, ...]:
    found = []
    for side, stances in way.stances.items():
        found += [TrueContact(side, "ic", stance.ic_s) for stance in stances[1:]]
        found += [TrueContact(side, "fc", stance.fc_s) for stance in stances[:-1]]
    return tuple(sorted(found, key=lambda contact: contact.time_s))


def _strides(person: VirtualPerson, run: Run, feet: Mapping[Side, FootMotion]) -> list[TrueStride]:
    """Strides that begin and end in this run; the swing out of standing is none."""
    strides = []
    for old, new in zip(run.stances[2:], run.stances[4:], strict=False):
        way = new.place - old.place
        toe, heel = _clearances(person, feet[old.side], old.fc_s, new.ic_s, new.place[2])
        strides.append(
            TrueStride(
                old.side,
                old.ic_s,
                old.flat_from_s,
                old.flat_to_s,
                old.fc_s,
                new.ic_s,
                new.flat_from_s,
                float(np.hypot(way[0], way[1])),
                float(way[2]),
                new.heading - old.heading,
                strike_angle(person, old),
                push_off_angle(person, old),
                _outward(person, old, way),
                landing_inversion(person, old),
                toe,
                heel,
            )
        )
    return strides


def _outward(person: VirtualPerson, stance: Stance, way: NDArray[np.float64]) -> float:
    """Toe-out against the way to the next place of the same foot (METHODS 3.7)."""
    angle = foot_heading(person, stance) - float(np.arctan2(way[1], way[0]))
    return leftward(stance.side) * float(np.arctan2(np.sin(angle), np.cos(angle)))


def _clearances(
    person: VirtualPerson, foot: FootMotion, leaves_s: float, lands_s: float, floor_m: float
) -> tuple[float, float]:
    """Least height of the toe in the middle half of swing, greatest height of the heel."""
    time_s = np.linspace(leaves_s, lands_s, SAMPLES)
    ankle = foot.evaluate(time_s)
    toe = ankle.at_point(person.toe).position[:, 2] - floor_m
    heel = ankle.at_point(person.heel).position[:, 2] - floor_m
    return float(toe[SAMPLES // 4 : -SAMPLES // 4].min()), float(heel.max())


def _steps(run: Run) -> list[TrueStep]:
    steps = []
    for k in range(3, len(run.stances)):
        old, new = run.stances[k - 1], run.stances[k]
        way, heading = new.place - old.place, (old.heading + new.heading) / 2
        ahead = np.cos(heading) * way[0] + np.sin(heading) * way[1]
        across = -np.sin(heading) * way[0] + np.cos(heading) * way[1]
        leaves = k + 1 < len(run.stances)
        steps.append(
            TrueStep(
                new.side,
                new.ic_s,
                new.ic_s - old.ic_s,
                float(ahead),
                float(across if new.side is Side.LEFT else -across),
                old.fc_s - new.ic_s if leaves else None,
            )
        )
    return steps


def _midstances(run: Run, pelvis: PelvisMotion) -> list[TrueMidstance]:
    """Those of the stances that this run both landed and left."""
    inner = range(2, len(run.stances) - 2)
    time_s = np.array([midstance(run, k) for k in inner])
    heights, obliquities = pelvis.height_and_obliquity(time_s)
    return [
        TrueMidstance(run.stances[k].side, float(t), float(h), float(o))
        for k, t, h, o in zip(inner, time_s, heights, obliquities, strict=True)
    ]


def _stays(way: Footfalls, pelvis: PelvisMotion) -> tuple[TrueStay, ...]:
    stays = [stretch for stretch in way.stretches if isinstance(stretch, Stay)]
    start_s = np.array([stay.start_s for stay in stays])
    heights, obliquities = pelvis.height_and_obliquity(start_s)
    return tuple(
        TrueStay(s.start_s, s.end_s, type(s.phase).__name__.lower(), float(o), float(h))
        for s, h, o in zip(stays, heights, obliquities, strict=True)
    )
