"""Footfalls and motions in, the truth about the walk out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sensors.virtual.body.foot import foot_heading, landing_inversion, push_off_angle, strike_angle
from sensors.virtual.body.leg_lengths import LegLengths
from sensors.virtual.body.person import leftward
from sensors.virtual.body.support import midstance
from sensors.virtual.way.footfalls import Stay

from .records import TrueContact, TrueMidstance, TrueStay, TrueStep, TrueStride, WalkTruth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from sensors.sample import Side
    from sensors.virtual.body.foot import FootMotion
    from sensors.virtual.body.pelvis import PelvisMotion
    from sensors.virtual.body.person import VirtualPerson
    from sensors.virtual.way.footfalls import Footfalls, Run, Stance

SAMPLES = 400
"""Moments of each swing at which its clearances are read off."""


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
        steps=tuple(step for run in way.runs for step in _steps(run, pelvis)),
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
                side=old.side,
                initial_contact_s=old.ic_s,
                foot_flat_s=old.flat_from_s,
                heel_off_s=old.flat_to_s,
                final_contact_s=old.fc_s,
                next_initial_contact_s=new.ic_s,
                next_foot_flat_s=new.flat_from_s,
                length_m=float(np.hypot(way[0], way[1])),
                rise_m=float(way[2]),
                turn_rad=new.heading - old.heading,
                strike_angle_rad=strike_angle(person, old),
                push_off_angle_rad=push_off_angle(person, old),
                toe_out_rad=_outward(person, old, way),
                landing_inversion_rad=landing_inversion(person, old),
                toe_clearance_m=toe,
                heel_clearance_m=heel,
            )
        )
    return strides


def _outward(person: VirtualPerson, stance: Stance, way: NDArray[np.float64]) -> float:
    """Toe-out against the way to the next place of the same foot (docs/gait.md)."""
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


def _steps(run: Run, pelvis: PelvisMotion) -> list[TrueStep]:
    """Steps between two contacts of this run; the first, out of standing, is none."""
    places = pelvis.evaluate(np.array(run.ic_s)).position
    steps = []
    for k in range(3, len(run.stances)):
        old, new = run.stances[k - 1], run.stances[k]
        way, heading = new.place - old.place, (old.heading + new.heading) / 2
        along = np.array((np.cos(heading), np.sin(heading), 0.0))
        leftwards = np.array((-np.sin(heading), np.cos(heading), 0.0))
        steps.append(
            TrueStep(
                side=new.side,
                initial_contact_s=new.ic_s,
                step_time_s=new.ic_s - old.ic_s,
                length_m=float(along @ way),
                width_m=float(leftwards @ way) * leftward(new.side),
                pelvic_advance_m=float(along @ (places[k] - places[k - 1])),
                double_support_s=None if new is run.stances[-1] else old.fc_s - new.ic_s,
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
