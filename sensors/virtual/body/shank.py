"""Footfalls of one side in, the motion of its shank out; its origin is the ankle joint.

The shank's direction follows the direction of progression, not the foot's toe-out; its inward
rotation in stance follows the eversion of the landing foot.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import radians
from typing import TYPE_CHECKING

from sensors.virtual.way.footfalls import Run
from sensors.virtual.way.plan import Bow, Sit

from .curve import Via
from .foot import landing_inversion
from .kinematics import Kinematics, turning
from .leg_lengths import knee_bend
from .person import REFERENCE_STRIDE_M, leftward

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from sensors.sample import Side
    from sensors.virtual.way.footfalls import Footfalls, Stance, Stay

    from .curve import Curve
    from .foot import FootMotion
    from .person import VirtualPerson

    Floats = NDArray[np.float64]

SHANK_AXES = "zyxz"

# Pitch (knee ahead of the ankle positive, degrees) at shares of stance and of swing, recording B.
STANCE_PITCH = (
    (0.0, -18.0),
    (0.16, -1.0),
    (0.31, 6.0),
    (0.47, 11.0),
    (0.62, 17.5),
    (0.78, 30.0),
    (0.90, 47.0),
)
SWING_PITCH = (
    (0.0, 59.0),
    (0.15, 57.0),
    (0.29, 46.0),
    (0.43, 27.0),
    (0.57, 6.0),
    (0.71, -12.5),
    (0.86, -22.5),
)
EARLY_STANCE = 0.5
"""Before this share of stance the angles scale with the last swing, after it with the next."""
BENT_FROM, BENT_UNTIL = 0.1, 0.7
"""Shares of stance between which a leg that hides its length has its knee bent."""
LIFTING_DEG = 20.0
"""A stiff knee holds back the pitch that goes beyond this."""
SETTLING_AFTER = 0.35
"""A foot that stays on the ground follows the table of stance up to this share."""
RISING_S = 0.15
"""A foot that stood follows the table of stance no sooner than this after the run began."""
STANDING_LEAN = 0.3
"""Share of the lateral lean that standing on both feet leaves."""
BOWING_SHANK = -0.05
"""The hips go back in a bow, and the straight legs with them."""


@dataclass(frozen=True, slots=True, eq=False)
class ShankMotion:
    """Motion of one shank.

    Attributes
    ----------
    angles : (heading, pitch, lean, axial)
        Direction of progression, knee forward positive, knee to the right positive, rotation about
        the long axis to the left positive.
    foot : FootMotion
        The foot that carries the ankle joint.
    """

    angles: tuple[Curve, Curve, Curve, Curve]
    foot: FootMotion

    def evaluate(self, time_s: Floats) -> Kinematics:
        """Motion of the ankle joint and of the shank at times (n,)."""
        turn = turning(self.angles, SHANK_AXES, time_s)
        ankle = self.foot.evaluate(time_s)
        return Kinematics(
            ankle.position,
            ankle.velocity,
            ankle.acceleration,
            turn.q,
            turn.rate,
            turn.acceleration,
        )


def shank_motion(
    person: VirtualPerson, way: Footfalls, side: Side, foot: FootMotion
) -> ShankMotion:
    """Motion of the shank that stands on a foot."""
    stances = way.stances[side]
    angles = (
        _heading(stances),
        _pitch(person, way, side),
        _lean(person, stances),
        _axial(person, stances),
    )
    return ShankMotion(angles, foot)


def _heading(stances: Sequence[Stance]) -> Curve:
    via = Via()
    via.rest(-1e3, stances[0].heading)
    for old, new in pairwise(stances):
        via.rest(old.flat_to_s, old.heading)
        via.rest(new.ic_s, new.heading)
    return via.curve()


def _pitch(person: VirtualPerson, way: Footfalls, side: Side) -> Curve:
    standing = person.standing_shank_pitch + person.leg(side).shank_pitch_offset
    standing += knee_bend(person, side, walking=False)
    via = Via()
    via.rest(-1e3, standing)
    for stretch in way.stretches:
        via.rest(stretch.start_s, standing)
        if isinstance(stretch, Run):
            _stepping(person, stretch, side, via)
        else:
            _staying(stretch, standing, via)
    via.rest(way.end_s, standing)
    return via.curve()


def _stepping(person: VirtualPerson, run: Run, side: Side, via: Via) -> None:
    leg, walking_bend = person.leg(side), knee_bend(person, side, walking=True)
    for k, stance in enumerate(run.stances):
        if stance.side is not side:
            continue
        leaving = k + 2 < len(run.stances)
        ic_s = run.ic_s[k]
        nominal_s = leg.stance_share * 2 * (run.ic_s[-1] - run.ic_s[-2])
        stance_s = stance.fc_s - ic_s if leaving else nominal_s
        for share, degrees in STANCE_PITCH:
            time_s = ic_s + share * stance_s
            rising = k < 2 and time_s < run.start_s + RISING_S
            if not rising and (leaving or share < SETTLING_AFTER):
                reach_m = stance.reach_m if share < EARLY_STANCE else stance.leave_m
                bent = walking_bend if BENT_FROM < share < BENT_UNTIL else 0.0
                via.through(time_s, _scaled(person, degrees, reach_m, stance) + bent)
        if leaving:
            swing_s = run.ic_s[k + 2] - stance.fc_s
            for share, degrees in SWING_PITCH:
                near = stance if degrees > 0 else run.stances[k + 2]
                pitch = _scaled(person, degrees, stance.leave_m, near)
                via.through(stance.fc_s + share * swing_s, pitch)


def _scaled(person: VirtualPerson, degrees: float, reach_m: float, near: Stance) -> float:
    """Pitch of the tables as this leg has it: short steps move it less about its standing pitch."""
    leg, standing = person.leg(near.side), person.standing_shank_pitch
    scale = 0.2 + 0.8 * min(1.2, reach_m / REFERENCE_STRIDE_M)
    if degrees > LIFTING_DEG:
        scale *= leg.knee_flexion
    if degrees > 0:
        scale *= near.ease
    elif near.step:
        scale *= near.step.strike_scale
    return standing + scale * (radians(degrees) - standing) + leg.shank_pitch_offset


def _staying(stay: Stay, standing: float, via: Via) -> None:
    phase = stay.phase
    if isinstance(phase, Bow):
        for k in range(phase.repetitions):
            via.rest(stay.start_s + (k + 0.5) * phase.period_s, standing + BOWING_SHANK)
            if k + 1 < phase.repetitions:
                via.rest(stay.start_s + (k + 1) * phase.period_s, standing)
    elif isinstance(phase, Sit):
        via.rest(stay.start_s + phase.moving_s, 0.0)
        via.rest(stay.end_s - phase.moving_s, 0.0)


def _lean(person: VirtualPerson, stances: Sequence[Stance]) -> Curve:
    """Outward lean of the loaded shank, given as rotation about the forward axis."""
    outward = -leftward(stances[0].side) * person.leg(stances[0].side).lateral_lean

    def loaded(stance: Stance) -> float:
        part = min(1.0, 0.3 + 0.7 * stance.reach_m / REFERENCE_STRIDE_M)
        return outward * (STANDING_LEAN if stance.stays else part)

    via = Via()
    via.rest(-1e3, loaded(stances[0]))
    for old, new in pairwise(stances):
        swing = new.ic_s - old.fc_s
        via.rest(old.flat_to_s, loaded(old))
        via.through(old.fc_s, 0.2 * outward)
        via.through(old.fc_s + 0.5 * swing, -0.2 * outward)
        via.through(new.ic_s, 0.2 * outward)
        via.rest(new.flat_from_s + 0.1, loaded(new))
    return via.curve()


def _axial(person: VirtualPerson, stances: Sequence[Stance]) -> Curve:
    """Rotation about the long axis: inward with the eversion of the landing foot, back in swing."""
    leg = person.leg(stances[0].side)
    inward = -leftward(stances[0].side) * leg.rotation_coupling

    def held(stance: Stance) -> float:
        return 0.0 if stance.stays else inward * landing_inversion(person, stance)

    via = Via()
    via.rest(-1e3, 0.0)
    for old, new in pairwise(stances):
        via.rest(old.flat_to_s, held(old))
        via.rest(new.ic_s + leg.rotation_lag_s, 0.0)
        via.rest(new.flat_from_s + leg.rotation_lag_s, held(new))
    return via.curve()
