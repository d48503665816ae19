"""The way of a foot off the ground: of its ankle until contact, of its heel in landing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .curve import Curve, States, interleaved, least_jerk
from .kinematics import Kinematics, matrix, rotated, turning
from .person import REFERENCE_STRIDE_M, leftward

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sensors.virtual.way.footfalls import Stance

    from .person import VirtualPerson

    Floats = NDArray[np.float64]
    Angles = tuple[Curve, Curve, Curve]

FOOT_AXES = "zyx"


class WayPoint(NamedTuple):
    """A point on the way of the ankle.

    Shares of the swing and of the way (recording A), and of a way round outward; of a stair, how
    much is climbed or descended; height of the toe above its clearance, None where the ankle is
    near the ground itself.
    """

    share: float
    progress: float
    outward: float
    climbed: float
    descended: float
    toe_rise_m: float | None


WAY = (
    WayPoint(0.20, 0.135, 0.6, 0.35, 0.0, -0.005),
    WayPoint(0.50, 0.465, 1.0, 0.95, 0.15, 0.0),
    WayPoint(0.80, 0.849, 0.5, 1.05, 0.75, None),
)
LATE_ANKLE_RISE_M = 0.014
"""Ankle above its standing height at the last of the three points."""


def landing(
    person: VirtualPerson, stances: Sequence[Stance], heels: States
) -> tuple[States, States]:
    """States of the heel at contact and when it has stopped sinking, while it slides on.

    Downward the speed falls as 1 - 3 u^2 + 2 u^3 of the contact's duration, from and to an
    acceleration of zero; forward as (1 - u)^3 of the slide's.
    """
    ahead, down = person.contact_speed_mps
    heading = np.array([s.heading for s in stances])
    scale = np.array([min(1.2, 0.25 + 0.75 * s.reach_m / REFERENCE_STRIDE_M) for s in stances])
    forward = (ahead * scale)[:, None] * np.stack([np.cos(heading), np.sin(heading), 0 * scale], 1)
    hardness = np.array([person.leg(s.side).landing_hardness for s in stances])
    downward = (down * scale * hardness)[:, None] * np.array((0.0, 0.0, 1.0))

    def slide(left: float) -> States:
        """Forward part when the share `left` of its duration is still to come."""
        duration = person.slide_duration_s
        way = -forward * duration / 4 * left**4
        return States(way, forward * left**3, -3 / duration * forward * left**2)

    begin, end = slide(1.0), slide(1 - person.contact_duration_s / person.slide_duration_s)
    sunk = downward * person.contact_duration_s / 2
    touching = States(heels.value + begin.value - sunk, begin.rate + downward, begin.acceleration)
    return touching, States(heels.value + end.value, end.rate, end.acceleration)


def swings(
    person: VirtualPerson,
    stances: Sequence[Stance],
    angles: Angles,
    toes: States,
    touching: States,
) -> list[tuple[Floats, Floats]]:
    """Way of the ankle in four pieces: moments (n,) from which each holds, coefficients."""
    leaves = np.array([s.fc_s for s in stances[:-1]])
    lands = np.array([s.ic_s for s in stances[1:]])
    start = _ankle(angles, leaves, toes, np.array(person.toe))
    end = _ankle(angles, lands, touching, np.array(person.heel))
    moments = [leaves, *(leaves + via.share * (lands - leaves) for via in WAY)]
    states = [start]
    outward = np.array([_outward(person, stance) for stance in stances[1:]])
    for via, time_s in zip(WAY, moments[1:], strict=True):
        place = start.value + via.progress * (end.value - start.value) + via.outward * outward
        place[:, 2] = _heights(person, stances, angles, time_s, via)
        states.append(States.at_rest(place))
    curve = least_jerk(
        np.stack([*moments, lands], axis=1).ravel(),
        interleaved([*states, end]),
        np.tile([True, False, False, False, True], len(leaves)),
    )
    return [(time_s, curve.coefficients[k::5]) for k, time_s in enumerate(moments)]


def _outward(person: VirtualPerson, stance: Stance) -> tuple[float, float, float]:
    """Way round to the outside at its widest."""
    aside = leftward(stance.side) * person.leg(stance.side).circumduction_m
    return (-aside * np.sin(stance.heading), aside * np.cos(stance.heading), 0.0)


def _heights(
    person: VirtualPerson,
    stances: Sequence[Stance],
    angles: Angles,
    time_s: Floats,
    via: WayPoint,
) -> Floats:
    """Height of the ankle in each swing: over the toe's clearance, or near its next stance."""
    old = np.array([stance.place[2] for stance in stances[:-1]])
    new = np.array([stance.place[2] for stance in stances[1:]])
    support = old + np.where(new > old, via.climbed, via.descended) * (new - old)
    if via.toe_rise_m is None:
        ankle: Floats = support + person.ankle_height_m + LATE_ANKLE_RISE_M
        return ankle
    least = np.array([person.leg(stance.side).toe_clearance_m for stance in stances[1:]])
    turn = turning(angles, FOOT_AXES, time_s)
    toe = rotated(matrix(turn.q), np.tile(person.toe, (len(time_s), 1)))
    height: Floats = support + least + via.toe_rise_m - toe[:, 2]
    return height


def _ankle(angles: Angles, time_s: Floats, followed: States, point: Floats) -> States:
    """State of the ankle where that of another point of the foot is known."""
    turn = turning(angles, FOOT_AXES, time_s)
    at_point = Kinematics(
        followed.value,
        followed.rate,
        followed.acceleration,
        turn.q,
        turn.rate,
        turn.acceleration,
    )
    ankle = at_point.at_point(-point)
    return States(ankle.position, ankle.velocity, ankle.acceleration)
