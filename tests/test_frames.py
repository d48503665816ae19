"""Each row of the table of docs/frames.md, walked by the virtual walker."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from sensors import Segment, Side
from sensors.virtual import (
    Bow,
    Imperfections,
    Leg,
    Sit,
    Stand,
    Turn,
    Variability,
    VirtualPerson,
    Walk,
    Walker,
)
from sensors.virtual.body.kinematics import matrix
from sensors.virtual.walker import FEET, SHANKS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "frames.md"
X, Y, Z = 0, 1, 2
L, R = Side.LEFT, Side.RIGHT
SAME = VirtualPerson(variability=Variability.none(), standing_sway_m=0.0)


def rows() -> list[tuple[str, str, str]]:
    table = PAGE.read_text(encoding="utf-8").split("## This movement gives this sign")[1]
    return re.findall(r"^\| (.+?) \| (.+?) \| ([+-]) \|$", table, re.MULTILINE)


@cache
def walk() -> Walker:
    return Walker(SAME, [Stand(2.0), Walk(12), Stand(2.0)])


def longer(side: Side) -> Walker:
    legs = {L: Leg(), R: Leg()} | {side: Leg(length_m=0.92)}
    person = VirtualPerson(left=legs[L], right=legs[R], variability=Variability.none())
    return Walker(person, [Stand(3.0)])


def stride(side: Side):
    return walk().truth.strides_of(side)[2]


def mean(walker: Walker, segment: Segment, kind: str, axis: int, start: float, end: float) -> float:
    readings = walker.sensor(segment)(np.linspace(start, end, 101))
    return float(getattr(readings, kind)[:, axis].mean())


def body(walker: Walker, segment: Segment, time_s: float) -> np.ndarray:
    """Columns: where forward, left and up of a segment point in the earth frame."""
    return walker.motion(segment).evaluate(np.array([time_s])).rotation[0]


def heading(axes: np.ndarray) -> float:
    return float(np.arctan2(axes[1, 0], axes[0, 0]))


def pitch(axes: np.ndarray) -> float:
    return -float(np.arcsin(axes[2, 0]))


def obliquity(axes: np.ndarray) -> float:
    return -float(np.arcsin(axes[2, 1]))


def both(of) -> float:
    """The quantity of the side where it is closest to the other sign."""
    return min((of(L), of(R)), key=lambda value: value)


def foot_rate(side: Side, axis: int, start: str, end: str) -> float:
    s = stride(side)
    times = {
        "ic": s.initial_contact_s,
        "flat": s.foot_flat_s,
        "off": s.heel_off_s,
        "fc": s.final_contact_s,
        "mid swing": (s.final_contact_s + s.next_initial_contact_s) / 2,
        "next": s.next_initial_contact_s,
    }
    return mean(walk(), FEET[side], "gyr", axis, times[start], times[end])


def shank_turn(side: Side) -> float:
    s = stride(side)
    return mean(walk(), SHANKS[side], "gyr", Z, s.initial_contact_s + 0.03, s.foot_flat_s + 0.03)


def turned(angle: float) -> float:
    walker = Walker(SAME, [Stand(1.0), Turn(angle), Stand(1.0)])
    return mean(walker, Segment.PELVIS, "gyr", Z, 1.0, walker.end_s)


def bow(time_s: float) -> Walker:
    return Walker(SAME, [Stand(1.0), Bow(1), Stand(time_s)])


def north(axis: int) -> float:
    walker = Walker(SAME, [Stand(1.0), Turn(np.pi / 2, steps=3), Stand(1.0)])
    signal = walker.sensor(Segment.PELVIS, Imperfections(has_mag=True))
    return float(signal(np.array([walker.end_s])).mag[0, axis])


def outward(side: Side) -> float:
    return heading(
        body(walk(), FEET[side], (stride(side).foot_flat_s + stride(side).heel_off_s) / 2)
    )


def right_contact() -> float:
    return stride(R).initial_contact_s


EXPERIMENTS = {
    ("stands still", "`acc` z of every segment"): lambda: min(
        mean(walk(), segment, "acc", Z, 0.0, 1.0) for segment in Segment
    ),
    ("starts to walk", "`acc` x of the pelvis"): lambda: forward_change(2.0, 4.5),
    ("stops", "`acc` x of the pelvis"): lambda: forward_change(walk().end_s - 4.0, walk().end_s),
    ("heel leaves the ground, toe still on it", "`gyr` y of the foot"): lambda: both(
        lambda side: foot_rate(side, Y, "off", "fc")
    ),
    ("foot swings forward", "`gyr` y of the foot"): lambda: (
        -both(lambda side: -foot_rate(side, Y, "mid swing", "next"))
    ),
    ("sole comes down after the heel", "`gyr` y of the foot"): lambda: both(
        lambda side: foot_rate(side, Y, "ic", "flat")
    ),
    ("toe up at landing", "foot strike angle"): lambda: stride(L).strike_angle_rad,
    ("toe up at landing", "foot pitch"): lambda: pitch(body(walk(), FEET[R], right_contact())),
    ("knee moves forward over the standing foot", "`gyr` y of the shank"): lambda: both(
        lambda s: mean(walk(), SHANKS[s], "gyr", Y, stride(s).foot_flat_s, stride(s).heel_off_s)
    ),
    ("shank swings forward", "`gyr` y of the shank"): lambda: (
        -both(
            lambda s: (
                -mean(
                    walk(),
                    SHANKS[s],
                    "gyr",
                    Y,
                    stride(s).final_contact_s + 0.1,
                    stride(s).next_initial_contact_s - 0.1,
                )
            )
        )
    ),
    ("bows forward", "`gyr` y of the pelvis"): lambda: mean(
        bow(1.0), Segment.PELVIS, "gyr", Y, 1.0, 3.0
    ),
    ("bows forward", "pelvic tilt"): lambda: pitch(body(bow(1.0), Segment.PELVIS, 3.0)),
    ("sits, pelvis rolled back", "pelvic tilt"): lambda: pitch(
        body(Walker(SAME, [Stand(1.0), Sit(8.0)]), Segment.PELVIS, 5.0)
    ),
    ("turns left", "`gyr` z of the pelvis"): lambda: turned(np.pi / 2),
    ("turns right", "`gyr` z of the pelvis"): lambda: turned(-np.pi / 2),
    ("left toe points outward", "heading of the left foot against the way"): lambda: outward(L),
    ("right toe points outward", "heading of the right foot against the way"): lambda: outward(R),
    ("either toe points outward", "toe-out"): lambda: both(lambda side: stride(side).toe_out_rad),
    ("left foot everts after landing", "`gyr` x of the left foot"): lambda: foot_rate(
        L, X, "ic", "flat"
    ),
    ("right foot everts after landing", "`gyr` x of the right foot"): lambda: foot_rate(
        R, X, "ic", "flat"
    ),
    ("left shank rotates inward in stance", "`gyr` z of the left shank"): lambda: shank_turn(L),
    ("right shank rotates inward in stance", "`gyr` z of the right shank"): lambda: shank_turn(R),
    ("either shank rotates inward in stance", "internal rotation"): lambda: both(
        lambda side: walk().chain[walk().truth.strides.index(stride(side))].shank_rotation_rad
    ),
    ("right leg longer, standing", "pelvic obliquity"): lambda: obliquity(
        body(longer(R), Segment.PELVIS, 0.0)
    ),
    ("right leg longer, standing", "`acc` y of the pelvis"): lambda: mean(
        longer(R), Segment.PELVIS, "acc", Y, 0.0, 3.0
    ),
    ("left leg longer, standing", "pelvic obliquity"): lambda: obliquity(
        body(longer(L), Segment.PELVIS, 0.0)
    ),
    ("right leg longer", "leg length difference"): lambda: longer(R).truth.standing_difference_m,
    ("right foot takes the load, left side of the pelvis drops", "pelvic obliquity"): lambda: (
        obliquity(body(walk(), Segment.PELVIS, right_contact() + 0.2))
    ),
    ("right foot lands, right side of the pelvis is ahead", "pelvic rotation"): lambda: heading(
        body(walk(), Segment.PELVIS, right_contact())
    ),
    ("faces north", "`mag` x of the pelvis"): lambda: north(X),
    ("faces north", "`mag` z of the pelvis"): lambda: north(Z),
    ("faces north", "heading of the pelvis from east"): lambda: heading(
        body(Walker(SAME, [Turn(np.pi / 2, steps=3), Stand(1.0)]), Segment.PELVIS, 99.0)
    ),
}


def forward_change(start: float, end: float) -> float:
    return mean(walk(), Segment.PELVIS, "acc", X, start, end) - mean(
        walk(), Segment.PELVIS, "acc", X, 0.0, 1.0
    )


@pytest.mark.parametrize(("movement", "quantity", "sign"), rows())
def test_movement_gives_the_sign_of_the_table(movement, quantity, sign):
    value = EXPERIMENTS[movement, quantity]()
    assert np.sign(value) == (1 if sign == "+" else -1)
    assert abs(value) > 1e-3


def test_every_experiment_stands_in_the_table():
    assert {(movement, quantity) for movement, quantity, _ in rows()} == set(EXPERIMENTS)


def test_the_quaternion_of_the_page_faces_north():
    north_facing = matrix(np.array([[0.5**0.5, 0.0, 0.0, 0.5**0.5]]))[0]
    assert np.allclose(north_facing @ [1, 0, 0], [0, 1, 0])
