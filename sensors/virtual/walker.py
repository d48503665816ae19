"""A virtual person who follows a plan: five segments in motion, and the truth about them.

Everything is a function of time, evaluated exactly at any moment and in any order, so that five
nodes with clocks of their own can each sample it. Nothing here reads a clock.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from sensors.sample import Segment, Side

from .body.foot import foot_motion
from .body.pelvis import pelvis_motion
from .body.shank import shank_motion
from .signals import PLACES_M, Imperfections, Signal
from .skin import Skin, SkinMotion, slip_of
from .truth.chain import TrueChain, chain_of
from .truth.witness import truth_of
from .way.layout import lay_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .body.kinematics import Motion
    from .body.person import VirtualPerson
    from .truth.records import WalkTruth
    from .way.plan import Phase

FEET = {Side.LEFT: Segment.LEFT_FOOT, Side.RIGHT: Segment.RIGHT_FOOT}
SHANKS = {Side.LEFT: Segment.LEFT_SHANK, Side.RIGHT: Segment.RIGHT_SHANK}
SIDES = {segment: side for of in (FEET, SHANKS) for side, segment in of.items()}


class Walker:
    """One person walking one plan; the same seed gives the same walk.

    The person starts at the origin of an earth frame (x east, y north, z up), facing east, at time
    0, and stands still before it and after `end_s`.

    Parameters
    ----------
    person : VirtualPerson
        Body and manner of walking.
    plan : sequence of phases
        What to do; see `plan.py`.
    seed : int
        For the chance from step to step.
    """

    def __init__(self, person: VirtualPerson, plan: Sequence[Phase], seed: int = 0) -> None:
        self.person = person
        self.footfalls = lay_out(person, plan, np.random.default_rng(seed))
        self.seed = seed
        self._feet = {side: foot_motion(person, self.footfalls.stances[side]) for side in Side}
        self._pelvis = pelvis_motion(person, self.footfalls)
        self._motions: dict[Segment, Motion] = {Segment.PELVIS: self._pelvis}
        for side, foot in self._feet.items():
            self._motions[FEET[side]] = foot
            self._motions[SHANKS[side]] = shank_motion(person, self.footfalls, side, foot)

    @property
    def end_s(self) -> float:
        """When the plan is done and the person stands."""
        return self.footfalls.end_s

    def motion(self, segment: Segment) -> Motion:
        """How a segment moves: feet and shanks at the ankle joint, pelvis at the hip midpoint."""
        return self._motions[segment]

    def sensor(
        self,
        segment: Segment,
        imperfections: Imperfections | None = None,
        skin: Skin | None = None,
        *,
        floor_slope: float = 0.0,
    ) -> Signal:
        """Readings of a sensor worn on a segment, at any times of its own clock.

        Parameters
        ----------
        segment : Segment
            Where it is worn.
        imperfections : Imperfections, optional
            How sensor and mounting differ from ideal ones.
        skin : Skin, optional
            Soft tissue under it; without, it is bolted to the bone.
        floor_slope : float
            Fall of the floor toward south, radians.
        """
        how = imperfections or Imperfections()
        place_m = how.place_m or PLACES_M[segment]
        if skin is None:
            return Signal(self.motion(segment), place_m, how, floor_slope=floor_slope)
        side = SIDES.get(segment)
        felt = tuple(Side) if side is None else (side,)
        slip = slip_of(skin, self.truth.contacts, felt, self.truth.runs_s)
        worn = SkinMotion(self.motion(segment), place_m, slip)
        return Signal(worn, (0.0, 0.0, 0.0), how, floor_slope=floor_slope)

    @cached_property
    def truth(self) -> WalkTruth:
        """What the walk really was."""
        return truth_of(self.person, self.footfalls, self._feet, self._pelvis)

    @cached_property
    def chain(self) -> tuple[TrueChain, ...]:
        """What foot, shank and pelvis did in each of `truth.strides`."""
        return tuple(
            chain_of(stride, self.motion(FEET[stride.side]), self.motion(SHANKS[stride.side]), hips)
            for hips in [self.motion(Segment.PELVIS)]
            for stride in self.truth.strides
        )
