"""Footfalls in, the motion of the pelvis out; its origin is midway between the hip centres.

Four knots a step: middle of double support, a quarter on, mid-stance, a quarter on. Mid-stance
heights obey docs/leg-length.md: hip height of the stance leg less half the hip width times the sine
of the obliquity.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import asin, cos, inf, sin
from typing import TYPE_CHECKING

import numpy as np

from sensors.sample import Side
from sensors.virtual.way.footfalls import Run
from sensors.virtual.way.plan import Bow, Sit

from .curve import Curve, States, Via, least_jerk
from .kinematics import Kinematics, turning
from .leg_lengths import MIDSTANCE_DROP, LegLengths
from .person import REFERENCE_STRIDE_M, leftward
from .support import Support, supports_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sensors.virtual.way.footfalls import Footfalls, Stance, Stay

    from .person import VirtualPerson

    Floats = NDArray[np.float64]

PELVIS_AXES = "zxy"
"""Rotation, obliquity, tilt: so a bow turns about the hip axis (Baker 2001, Gait Posture 13:1)."""

HIP_AHEAD_M = 0.04
"""Hips ahead of the ankles (B)."""
# After each contact: seconds, metres. With the bounce it gives the mean vertical acceleration of
# the ten people of `ipol_10m` on their straight ways, 348 strides, within 0.4 m/s2 (RMS).
SHOCK_BEGINS_S, SHOCK_ENDS_S = -0.04, 0.27
SHOCK = (
    (0.00, -0.00033),
    (0.03, -0.00069),
    (0.06, 0.00026),
    (0.09, 0.00159),
    (0.12, 0.00116),
    (0.16, -0.00075),
    (0.21, -0.00067),
)

# By quarters of a step from the middle of double support: share of the amplitude, for a step of
# the right foot; obliquity and rotation change sign with the side, the sway follows the foot.
OBLIQUITY = (0.35, 1.0, MIDSTANCE_DROP, -0.30)
ROTATION = (1.0, 0.6, 0.0, -0.6)
TILT = (-1.0, 0.3, 1.0, -0.3)
SWAY = (0.0, 0.7, 1.0, 0.7)
BOUNCE = (-2.0, -1.0, 0.0, -1.0)
ADVANCE = (0.0, 1.0, 0.0, -1.0)
MIDSTANCE = 2

X, Y, Z, HEADING, ROLL, PITCH = range(6)
UP = np.array((0.0, 0.0, 1.0))


@dataclass(frozen=True, slots=True, eq=False)
class PelvisMotion:
    """Motion of the pelvis.

    Attributes
    ----------
    path : Curve
        Six channels: place x, y, z; heading, left side up, anterior tilt.
    shock : Curve
        Height added for the shock that arrives after each contact.
    """

    path: Curve
    shock: Curve

    def evaluate(self, time_s: Floats) -> Kinematics:
        """Motion of the hip midpoint and of the pelvis at times (n,)."""
        angles = [self.path.channel(k) for k in (HEADING, ROLL, PITCH)]
        turn = turning(angles, PELVIS_AXES, time_s)
        place, velocity, acceleration = (
            moved[:, :3] + shocked * UP
            for moved, shocked in zip(
                self.path.evaluate(time_s), self.shock.evaluate(time_s), strict=True
            )
        )
        return Kinematics(place, velocity, acceleration, turn.q, turn.rate, turn.acceleration)

    def height_and_obliquity(self, time_s: Floats) -> tuple[Floats, Floats]:
        """Height of the hip midpoint and obliquity, right side higher positive, each (n,)."""
        path, shock = self.path.evaluate(time_s)[0], self.shock.evaluate(time_s)[0]
        return path[:, Z] + shock[:, 0], -path[:, ROLL]


def pelvis_motion(person: VirtualPerson, way: Footfalls) -> PelvisMotion:
    """Motion of the pelvis along the whole way."""
    return PelvisMotion(_Path(person, way).curve(), _shock(way))


class _Path:
    """Collects the knots of the six channels."""

    def __init__(self, person: VirtualPerson, way: Footfalls) -> None:
        self.person, self.way = person, way
        self.lengths = LegLengths.of(person)
        self.times: list[float] = []
        self.values: list[Floats] = []
        self.pinned: list[bool] = []

    def curve(self) -> Curve:
        feet = {side: self.way.stances[side][0] for side in Side}
        first = self.way.stretches[0]
        posture = 0.0 if isinstance(first, Run) else first.obliquity_noise
        self._knot(-1e3, self._standing(feet, posture), pinned=True)
        for stretch in self.way.stretches:
            if isinstance(stretch, Run):
                self._knot(stretch.start_s, self._standing(feet, posture), pinned=True)
                self._walk(stretch)
                feet = {stance.side: stance for stance in stretch.stances[-2:]}
                posture = 0.0
            else:
                posture = stretch.obliquity_noise
                self._stay(stretch, self._standing(feet, posture))
        self._knot(self.way.end_s, self._standing(feet, posture), pinned=True)
        times = np.array(self.times)
        return least_jerk(times, States.at_rest(self.values), np.array(self.pinned))

    def _knot(self, time_s: float, value: Floats, *, pinned: bool = False) -> None:
        self.times.append(time_s)
        self.values.append(value)
        self.pinned.append(pinned)

    def _standing(self, feet: dict[Side, Stance], obliquity_noise: float) -> Floats:
        left, right = feet[Side.LEFT], feet[Side.RIGHT]
        left_m = left.place[Z] + self.lengths.standing_left_m
        right_m = right.place[Z] + self.lengths.standing_right_m
        obliquity = asin((right_m - left_m) / self.person.hip_width_m) + obliquity_noise
        heading = (left.heading + right.heading) / 2
        x, y = _ahead((left.place + right.place) / 2, heading, HIP_AHEAD_M)
        height = (left_m + right_m) / 2
        return np.array([x, y, height, heading, -obliquity, self.person.pelvic_tilt])

    def _stay(self, stay: Stay, standing: Floats) -> None:
        phase, start = stay.phase, stay.start_s
        self._knot(start, standing, pinned=True)
        if isinstance(phase, Bow):
            bowed = standing.copy()
            bowed[:2] = _ahead(standing, standing[HEADING], -0.08)
            bowed[Z] -= 0.01
            bowed[PITCH] += phase.angle
            for k in range(phase.repetitions):
                self._knot(start + (k + 0.5) * phase.period_s, bowed, pinned=True)
                if k + 1 < phase.repetitions:
                    self._knot(start + (k + 1) * phase.period_s, standing, pinned=True)
        elif isinstance(phase, Sit):
            self._sit(stay, phase, standing)
        else:
            self._sway(stay, standing)

    def _sit(self, stay: Stay, phase: Sit, standing: Floats) -> None:
        """On a hard level seat the hip axis is level, whatever the legs are."""
        seated = standing.copy()
        seated[:2] = _ahead(standing, standing[HEADING], -0.42)
        seated[[Z, ROLL, PITCH]] = phase.hip_height_m, 0.0, phase.pelvic_tilt
        self._knot(stay.start_s + phase.moving_s, seated, pinned=True)
        self._knot(stay.end_s - phase.moving_s, seated, pinned=True)

    def _sway(self, stay: Stay, standing: Floats) -> None:
        rng = np.random.default_rng(stay.seed)
        size = self.person.standing_sway_m
        mirror = -leftward(self.person.first_side)
        for time_s in np.arange(stay.start_s + 0.8, stay.end_s - 0.7, 0.8):
            chance = rng.standard_normal(5)
            sway = np.array([0.0, 0.0, 0.0, mirror, mirror, 1.0])
            sway[3:] *= 0.5 * size * chance[2:]
            value = standing + sway
            value[:2] = _ahead(standing, standing[HEADING], size * chance[0])
            value[:2] = _aside(value, standing[HEADING], -mirror * size * chance[1])
            self._knot(float(time_s), value)

    def _walk(self, run: Run) -> None:
        """Knots at the quarters of each step, from the first mid-stance to the last contact."""
        steps = supports_of(self.person, run)
        neighbours = zip([steps[0], *steps], steps, [*steps[1:], steps[-1]], strict=False)
        for before, step, after in neighbours:
            start = (before.midstance_s + step.midstance_s) / 2
            end = (step.midstance_s + after.midstance_s) / 2
            if after is step:
                end = run.ic_s[-1] + 0.1
            if before is not step:
                self._knot(start, self._value(step, 0, before, after))
                self._knot((start + step.midstance_s) / 2, self._value(step, 1, before, after))
            self._knot(step.midstance_s, self._value(step, MIDSTANCE, before, after))
            self._knot((step.midstance_s + end) / 2, self._value(step, 3, before, after))

    def _value(self, step: Support, quarter: int, before: Support, after: Support) -> Floats:
        person, scale = self.person, step.scale
        share = quarter / 4
        right = -leftward(step.side)
        centre = step.start + share * (step.end - step.start)
        heading = step.heading + share * step.turn
        wander = step.wander_m[quarter]
        ahead = HIP_AHEAD_M + ADVANCE[quarter] * step.surge_m + wander[0]
        aside = -right * (SWAY[quarter] * person.pelvic_sway_m + wander[1])
        x, y = _aside(_ahead(centre, heading, ahead), heading, aside)
        near = before if share < 0.5 else after
        height = step.height_m + abs(share - 0.5) * (near.height_m - step.height_m)
        height += BOUNCE[quarter] * step.bounce_m
        obliquity = step.obliquity
        if quarter != MIDSTANCE:
            height += wander[2]
            drop = person.leg(step.side).pelvic_drop * scale
            obliquity = step.carried + right * OBLIQUITY[quarter] * drop
        heading += right * ROTATION[quarter] * person.pelvic_rotation * scale
        tilt = person.pelvic_tilt + TILT[quarter] * person.pelvic_tilt_amplitude * scale
        return np.array([x, y, height, heading, -obliquity, tilt])


def _ahead(place: Floats, heading: float, way_m: float) -> Floats:
    return place[:2] + way_m * np.array((cos(heading), sin(heading)))


def _aside(place: Floats, heading: float, way_m: float) -> Floats:
    """To the left."""
    return place[:2] + way_m * np.array((-sin(heading), cos(heading)))


def _shock(way: Footfalls) -> Curve:
    """Sinking and rebound of the pelvis while the new leg takes the load."""
    contacts = sorted(
        (stance.ic_s, stance.reach_m) for side in Side for stance in way.stances[side][1:]
    )
    via = Via()
    via.rest(-1e3, 0.0)
    for (ic_s, reach_m), (next_s, _) in pairwise([*contacts, (inf, 0.0)]):
        size = min(1.2, reach_m / REFERENCE_STRIDE_M)
        # In quick steps it is over before the next one begins.
        pace = min(1.0, (next_s - ic_s + 1.1 * SHOCK_BEGINS_S) / SHOCK_ENDS_S)
        via.rest(ic_s + SHOCK_BEGINS_S, 0.0)
        for later_s, height_m in SHOCK:
            via.through(ic_s + pace * later_s, size * height_m)
        via.rest(ic_s + pace * SHOCK_ENDS_S, 0.0)
    return via.curve()
