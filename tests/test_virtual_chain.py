"""The chain of the walker follows the parameters of the person and lies in the range of people."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import cache

import numpy as np
import pytest

from sensors import Segment, Side
from sensors.virtual import (
    Jog,
    Leg,
    LegLengthStrategy,
    Stairs,
    Stand,
    TrueChain,
    Turn,
    Variability,
    VirtualPerson,
    Walk,
    Walker,
)
from sensors.virtual.walker import FEET, SHANKS

STEADY = slice(4, -4)


@cache
def chains(person: VirtualPerson, side: Side) -> list[TrueChain]:
    walker = Walker(person, [Stand(2.0), Walk(14), Stand(1.0)])
    return [chain for chain in walker.chain[STEADY] if chain.side is side]


def mean(person: VirtualPerson, side: Side, name: str) -> float:
    return float(np.mean([getattr(chain, name) for chain in chains(person, side)]))


def with_right(**changes: float) -> VirtualPerson:
    return VirtualPerson(right=Leg(**changes), variability=Variability.none())


# docs/gait.md give the ranges; push-off is that of recording A, 490 to 630 deg/s.
@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("push_off_rate_radps", np.radians(450), np.radians(650)),
        ("shank_swing_rate_radps", np.radians(330), np.radians(450)),
        ("shank_range_rad", np.radians(65), np.radians(85)),
        ("shank_shock_g", 1.5, 4.0),
        ("obliquity_range_rad", np.radians(6), np.radians(11)),
        ("tilt_range_rad", np.radians(2), np.radians(5)),
        ("rotation_range_rad", np.radians(8), np.radians(14)),
    ],
)
def test_a_usual_person_is_within_the_range_of_people(name, low, high):
    assert low < mean(VirtualPerson(), Side.RIGHT, name) < high
    assert low < mean(VirtualPerson(), Side.LEFT, name) < high


@pytest.mark.parametrize(
    ("changes", "name", "sign"),
    [
        ({"push_off_angle": 0.8}, "push_off_rate_radps", -1),
        ({"landing_inversion": 0.25}, "eversion_rate_radps", 1),
        ({"landing_inversion": 0.25}, "shank_rotation_rad", 1),
        ({"rotation_coupling": 1.2}, "shank_rotation_rad", 1),
        ({"lateral_lean": 0.02}, "shank_lean_change_rad", 1),
        ({"pelvic_drop": 0.12}, "pelvic_drop_rad", 1),
        ({"knee_flexion": 0.7}, "shank_range_rad", -1),
        ({"knee_flexion": 0.7}, "shank_swing_rate_radps", -1),
        ({"circumduction_m": 0.04}, "circumduction_m", 1),
        ({"landing_hardness": 1.5}, "shank_shock_g", 1),
    ],
)
def test_what_a_leg_does_otherwise_shows_in_its_chain_only(changes, name, sign):
    person, usual = with_right(**changes), with_right()
    other = mean(person, Side.LEFT, name) - mean(usual, Side.LEFT, name)
    own = mean(person, Side.RIGHT, name) - mean(usual, Side.RIGHT, name)
    assert np.sign(own) == sign
    assert abs(other) < 0.35 * abs(own)


def test_inward_rotation_is_the_coupling_times_the_eversion():
    # A leaning shank that pitches turns about its long axis too, so here it is upright.
    person = with_right(rotation_coupling=1.0, landing_inversion=0.15, lateral_lean=0.0)
    strides = Walker(person, [Stand(2.0), Walk(14), Stand(1.0)]).truth.strides_of(Side.RIGHT)
    everted = np.mean([stride.landing_inversion_rad for stride in strides[2:-2]])
    assert mean(person, Side.RIGHT, "shank_rotation_rad") == pytest.approx(everted, rel=0.02)


def test_mirrored_legs_have_equal_chains():
    person = replace(VirtualPerson(right=Leg(landing_inversion=0.2)), first_side=Side.RIGHT)
    here = Walker(person, [Stand(2.0), Walk(12)], seed=5).chain
    there = Walker(person.mirrored(), [Stand(2.0), Walk(12)], seed=5).chain
    for a, b in zip(here, there, strict=True):
        assert a.side is not b.side
        values = [list(asdict(c).values())[1:] for c in (a, b)]
        assert np.allclose(*values, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "phase",
    [
        Walk(10, speed_mps=0.35, cadence_spm=60),
        Walk(10, speed_mps=0.3, cadence_spm=100),
        Walk(10, speed_mps=2.0, cadence_spm=135),
        Turn(),
        Turn(step_length_m=0.0),
        Jog(10),
        Stairs(10),
    ],
)
def test_every_manner_of_stepping_keeps_the_foot_above_the_floor(phase):
    walker = Walker(VirtualPerson(), [Stand(1.0), Walk(4), phase, Walk(4), Stand(1.0)], seed=2)
    t = np.arange(0.0, walker.end_s, 0.005)
    for side in Side:
        foot = walker.motion(FEET[side]).evaluate(t)
        for point in (walker.person.heel, walker.person.toe):
            assert foot.at_point(point).position[:, 2].min() > -0.003


def test_jogging_has_flights_and_stairs_rise():
    jog = Walker(VirtualPerson(), [Stand(1.0), Jog(12), Stand(1.0)]).truth.steps[3:-3]
    stairs = Walker(VirtualPerson(), [Stand(1.0), Stairs(8), Stand(1.0)])
    pelvis = stairs.motion(Segment.PELVIS).evaluate(np.array([0.0, stairs.end_s]))
    assert all(step.double_support_s < 0 for step in jog)
    assert np.diff(pelvis.position[:, 2]) == pytest.approx(8 * 0.17, abs=1e-9)
    assert stairs.truth.strides[3].rise_m == pytest.approx(0.34)


def test_a_leg_that_hides_its_length_shows_it_in_the_shank():
    person = replace(
        with_right(length_m=0.915),
        strategy=LegLengthStrategy(hidden_standing=1.0, hidden_walking=0.0),
    )
    walker = Walker(person, [Stand(2.0)])
    standing = {
        side: walker.motion(SHANKS[side]).evaluate(np.array([0.0])).rotation[0, 0, 2]
        for side in Side
    }
    more = np.degrees(np.arcsin(standing[Side.RIGHT]) - np.arcsin(standing[Side.LEFT]))
    # docs/leg-length.md: a knee flexion of 20 deg, half of it in the shank, hides 12.8 mm.
    assert more == pytest.approx(10.8, abs=0.2)
    assert walker.truth.standing_difference_m == pytest.approx(0.0, abs=1e-12)


def test_harmonic_ratios_are_those_of_people_not_of_a_machine():
    walker = Walker(VirtualPerson(), [Stand(2.0), Walk(30), Stand(1.0)], seed=1)
    ratios = []
    for stride in walker.truth.strides_of(Side.RIGHT)[3:-3]:
        t = stride.initial_contact_s + np.arange(256) / 256 * stride.stride_time_s
        acc = walker.sensor(Segment.PELVIS).kinematics(t).acceleration
        harmonics = np.abs(np.fft.rfft(acc, axis=0))[1:21]
        ratios.append(harmonics[1::2].sum(axis=0) / harmonics[0::2].sum(axis=0))
    forward, aside, up = np.median(ratios, axis=0)
    # docs/gait.md: about 2.5 to 4 forward and up, 1.8 to 2.8 aside (odd over even there).
    assert 2.0 < forward < 5.0
    assert 1.5 < 1 / aside < 3.5
    assert 2.0 < up < 7.0
