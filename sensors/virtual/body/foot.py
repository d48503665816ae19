"""Footfalls of one foot in, its motion out.

Between contacts a different point of the foot is followed by the curve: on the ground the heel,
about which the foot rolls until it is flat; from heel-off the toe; in swing the ankle. The curve of
that point and the curves of the angles give everything else, so the point on the ground is at rest
exactly. At contact the heel still moves; the sole brings it to rest within `contact_duration_s`,
and the integral of that acceleration is the contact velocity with its sign turned.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from .curve import Curve, States, Via, quintic
from .kinematics import Kinematics, turning
from .person import REFERENCE_STRIDE_M, leftward
from .swing import FOOT_AXES, landing, swings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sensors.virtual.way.footfalls import Stance

    from .person import VirtualPerson

    Floats = NDArray[np.float64]

# Pitch from flat sole to flat sole, read off recording A (optical markers):
# share of the phase, share of the push-off angle or of the strike angle.
PUSH_OFF = ((0.40, 0.09), (0.61, 0.26), (0.82, 0.59), (1.0, 1.0))
EARLY_SWING = ((0.07, 1.115), (0.15, 1.05), (0.27, 0.83), (0.40, 0.56), (0.55, 0.25))
LATE_SWING = ((0.70, -0.09), (0.85, -0.72), (0.93, -0.96), (1.0, -1.0))
SWING_EVERSION, SWING_TOE_OUT = 0.14, 0.12
"""Outward roll and turn of the foot in mid-swing (A: rates of 2 to 3 rad/s)."""


@dataclass(frozen=True, slots=True, eq=False)
class FootMotion:
    """Motion of one foot; its frame has the ankle joint as origin.

    Attributes
    ----------
    angles : (heading, pitch, roll)
        Direction of the foot, toe down positive, left edge up positive.
    followed : Curve
        Place of the followed point in the earth frame.
    since_s : (m,) float64
        Moments from which another point is followed; before the first it is `points[0]`.
    points : (m + 1, 3) float64
        The followed points in the foot frame.
    """

    angles: tuple[Curve, Curve, Curve]
    followed: Curve
    since_s: Floats
    points: Floats

    def evaluate(self, time_s: Floats) -> Kinematics:
        """Motion of the ankle joint and of the foot at times (n,)."""
        turn = turning(self.angles, FOOT_AXES, time_s)
        point = self.points[np.searchsorted(self.since_s, time_s, side="right")]
        place, velocity, acceleration = self.followed.evaluate(time_s)
        followed = Kinematics(place, velocity, acceleration, turn.q, turn.rate, turn.acceleration)
        return followed.at_point(-point)


def foot_motion(person: VirtualPerson, stances: Sequence[Stance]) -> FootMotion:
    """Motion of one foot through its stances, in the order of time."""
    angles = (_heading(person, stances), _pitch(person, stances), _roll(person, stances))
    heel, toe = np.array(person.heel), np.array(person.toe)
    toes = States.at_rest(np.array([on_floor(person, s, toe) for s in stances]))
    lifts = np.array([s.flat_to_s for s in stances[:-1]])
    leaves = np.array([s.fc_s for s in stances[:-1]])
    lands = np.array([s.ic_s for s in stances[1:]])
    if len(lifts) == 0:
        still = Curve(np.array([0.0, 1.0]), quintic(np.ones(1), toes, toes))
        return FootMotion(angles, still, lifts, toe[None])
    heels = States.at_rest(np.array([on_floor(person, s, heel) for s in stances[1:]]))
    touching, sliding = landing(person, stances[1:], heels)
    held = np.ones(len(lifts))
    slide_s = person.slide_duration_s - person.contact_duration_s
    # What the curve does in each stride, one after the other: moments, coefficients.
    parts = [
        (lifts, quintic(held, toes[:-1], toes[:-1])),
        *swings(person, stances, angles, toes[:-1], touching),
        (lands, quintic(person.contact_duration_s * held, touching, sliding)),
        (lands + person.contact_duration_s, quintic(slide_s * held, sliding, heels)),
        (lands + person.slide_duration_s, quintic(held, heels, heels)),
    ]
    starts = np.stack([moments for moments, _ in parts], axis=1).ravel()
    pieces = np.stack([piece for _, piece in parts], axis=1).reshape(-1, 6, 3)
    followed = Curve(np.append(starts, starts[-1] + 1), pieces)
    since = np.stack([lifts, leaves, lands], axis=1).ravel()
    points = np.concatenate([[toe], np.tile([toe, np.zeros(3), heel], (len(lifts), 1))])
    return FootMotion(angles, followed, since, points)


def foot_heading(person: VirtualPerson, stance: Stance) -> float:
    """Direction of the standing foot's long axis."""
    return stance.heading + leftward(stance.side) * person.leg(stance.side).toe_out


def on_floor(person: VirtualPerson, stance: Stance, point: Floats) -> Floats:
    """Where a point of the flat foot is, earth frame."""
    heading = foot_heading(person, stance)
    cos, sin = np.cos(heading), np.sin(heading)
    turned = (cos * point[0] - sin * point[1], sin * point[0] + cos * point[1], point[2])
    place: Floats = stance.place + np.array(turned)
    place[2] += person.ankle_height_m
    return place


def strike_angle(person: VirtualPerson, stance: Stance) -> float:
    """Toe-up angle with which a foot lands."""
    scale = stance.reach_m / REFERENCE_STRIDE_M * (1 + person.variability.angle * stance.vary[0])
    manner = stance.step.strike_scale if stance.step else 1.0
    return float(person.leg(stance.side).strike_angle * scale * manner)


def push_off_angle(person: VirtualPerson, stance: Stance) -> float:
    """Toe-down angle with which a foot leaves; it stays large in short steps."""
    scale = 0.4 + 0.6 * min(1.2, stance.leave_m / REFERENCE_STRIDE_M)
    scale *= 1 + person.variability.angle * stance.vary[1]
    return float(person.leg(stance.side).push_off_angle * scale * stance.ease)


def landing_inversion(person: VirtualPerson, stance: Stance) -> float:
    """Inward roll with which a foot lands."""
    scale = min(1.0, 0.3 + 0.7 * stance.reach_m / REFERENCE_STRIDE_M)
    scale *= 1 + person.variability.angle * stance.vary[0]
    return float(person.leg(stance.side).landing_inversion * scale)


def _heading(person: VirtualPerson, stances: Sequence[Stance]) -> Curve:
    """The foot turns in swing only."""
    via = Via()
    via.rest(-1e3, foot_heading(person, stances[0]))
    for old, new in pairwise(stances):
        start, end = foot_heading(person, old), foot_heading(person, new)
        outward = leftward(new.side) * SWING_TOE_OUT * new.reach_m / REFERENCE_STRIDE_M
        via.rest(old.fc_s, start)
        via.through((old.fc_s + new.ic_s) / 2, (start + end) / 2 + outward)
        via.rest(new.ic_s, end)
    return via.curve()


def _pitch(person: VirtualPerson, stances: Sequence[Stance]) -> Curve:
    via = Via()
    via.rest(-1e3, 0.0)
    for old, new in pairwise(stances):
        push, swing = old.fc_s - old.flat_to_s, new.ic_s - old.fc_s
        down, up = push_off_angle(person, old), strike_angle(person, new)
        via.rest(old.flat_to_s, 0.0)
        for share, part in PUSH_OFF:
            via.through(old.flat_to_s + share * push, part * down)
        for share, part in EARLY_SWING:
            via.through(old.fc_s + share * swing, part * down)
        for share, part in LATE_SWING:
            via.through(old.fc_s + share * swing, part * up)
        via.rest(new.flat_from_s, 0.0)
    return via.curve()


def _roll(person: VirtualPerson, stances: Sequence[Stance]) -> Curve:
    via = Via()
    via.rest(-1e3, 0.0)
    for old, new in pairwise(stances):
        evert = leftward(new.side)
        swing = new.ic_s - old.fc_s
        scale = min(1.0, new.reach_m / REFERENCE_STRIDE_M)
        via.rest(old.flat_to_s, 0.0)
        via.rest(old.fc_s, 0.0)
        via.through(old.fc_s + 0.5 * swing, evert * SWING_EVERSION * scale)
        via.through(new.ic_s, -evert * landing_inversion(person, new))
        via.rest(new.flat_from_s, 0.0)
    return via.curve()
