"""The virtual walker is the truth of other tests, so here it is held to physics and to itself."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from sensors import Segment, Side
from sensors.virtual import Leg, Stand, Turn, Variability, VirtualPerson, Walk, Walker
from sensors.virtual.body.kinematics import Kinematics
from sensors.virtual.walker import FEET, SHANKS

GRAVITY = np.array([0.0, 0.0, 9.81])
UNEVEN = VirtualPerson(
    left=Leg(length_m=0.895, stance_share=0.60, toe_out=0.05, strike_angle=0.30, pelvic_drop=0.05),
    right=Leg(length_m=0.905, step_time_share=0.53, step_length_share=0.52),
)
EVEN_LEFT = replace(UNEVEN.left, step_time_share=0.47, step_length_share=0.48)
UNEVEN = replace(UNEVEN, left=EVEN_LEFT)
PLAN = (Stand(2.0), Walk(14), Turn(), Walk(8, speed_mps=0.8, cadence_spm=90), Stand(2.0))
SEGMENTS = list(Segment)


@cache
def walker() -> Walker:
    return Walker(UNEVEN, PLAN, seed=3)


def fine(start_s: float, end_s: float, step_s: float = 1e-3) -> np.ndarray:
    return start_s + step_s * np.arange(round((end_s - start_s) / step_s) + 1)


def integrated(values: np.ndarray, step_s: float) -> np.ndarray:
    """Simpson's rule from the first sample to every second one."""
    parts = step_s / 3 * (values[:-2:2] + 4 * values[1:-1:2] + values[2::2])
    return np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(parts, axis=0)])


@pytest.mark.parametrize("segment", SEGMENTS)
def test_each_derivative_is_the_derivative_of_what_stands_before_it(segment):
    t = fine(3.0, 6.0, 1e-4)
    k = walker().motion(segment).evaluate(t)
    moved = integrated(k.velocity, 1e-4)
    sped = integrated(k.acceleration, 1e-4)
    turned = integrated(k.angular_acceleration, 1e-4)
    assert np.abs(k.position[::2] - k.position[0] - moved).max() < 1e-7
    assert np.abs(k.velocity[::2] - k.velocity[0] - sped).max() < 1e-4
    assert np.abs(k.angular_rate[::2] - k.angular_rate[0] - turned).max() < 1e-4


@pytest.mark.parametrize("segment", SEGMENTS)
def test_ideal_readings_integrated_at_1_khz_give_the_motion_back(segment):
    signal = walker().sensor(segment)
    stride = walker().truth.strides[5]
    t = fine(stride.heel_off_s - 0.05, stride.next_foot_flat_s)
    truth = signal.kinematics(t)
    gyr, acc, _ = signal(t)
    found = strapdown(truth, gyr, acc, 1e-3)
    assert np.abs(found.position - truth.position).max() < 1e-3
    assert angle_between(found.q_segment_to_earth, truth.q_segment_to_earth).max() < 1e-4


def test_orientation_stays_within_a_twentieth_of_a_degree_over_a_minute():
    walk = Walker(UNEVEN, [Stand(1.0), Walk(98), Stand(2.0)], seed=1)
    signal = walk.sensor(Segment.RIGHT_FOOT)
    t = fine(0.0, 60.0)
    truth = signal.kinematics(t)
    gyr, acc, _ = signal(t)
    found = strapdown(truth, gyr, acc, 1e-3)
    off = angle_between(found.q_segment_to_earth, truth.q_segment_to_earth)
    assert np.degrees(off.max()) < 0.05


def strapdown(truth: Kinematics, gyr: np.ndarray, acc: np.ndarray, step_s: float) -> Kinematics:
    """Textbook strapdown from the first state; trapezoids, rotation by the mean rate."""
    turns = step_s * (gyr[1:] + gyr[:-1]) / 2 + step_s**2 / 12 * np.cross(gyr[:-1], gyr[1:])
    angle = np.linalg.norm(turns, axis=1)
    half = np.sinc(angle / 2 / np.pi) / 2
    steps = np.column_stack([np.cos(angle / 2), turns * half[:, None]])
    q = products(np.vstack([truth.q_segment_to_earth[:1], steps]))
    force = rotate(q, acc) - GRAVITY
    v = truth.velocity[0] + summed(force, step_s)
    p = truth.position[0] + summed(v, step_s)
    none = np.zeros_like(acc)
    return Kinematics(p, v, none, q, gyr, none)


def summed(values: np.ndarray, step_s: float) -> np.ndarray:
    parts = step_s * (values[1:] + values[:-1]) / 2
    return np.concatenate([np.zeros((1, 3)), np.cumsum(parts, axis=0)])


def products(q: np.ndarray) -> np.ndarray:
    """Product of all quaternions up to each, by doubling the span that is multiplied."""
    span = 1
    while span < len(q):
        q = np.vstack([q[:span], product(q[:-span], q[span:])])
        span *= 2
    return q


def product(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    w = p[:, :1] * q[:, :1] - np.sum(p[:, 1:] * q[:, 1:], axis=1, keepdims=True)
    return np.hstack([w, p[:, :1] * q[:, 1:] + q[:, :1] * p[:, 1:] + np.cross(p[:, 1:], q[:, 1:])])


def rotate(q: np.ndarray, v: np.ndarray) -> np.ndarray:
    u = q[:, 1:]
    return v + 2 * np.cross(u, np.cross(u, v) + q[:, :1] * v)


def angle_between(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    vector = np.linalg.norm(
        p[:, 1:] * q[:, :1] - q[:, 1:] * p[:, :1] + np.cross(p[:, 1:], q[:, 1:]), axis=1
    )
    return 2 * np.arctan2(vector, np.abs(np.sum(p * q, axis=1)))


@pytest.mark.parametrize("side", list(Side))
def test_a_flat_foot_neither_moves_nor_turns(side):
    for stride in walker().truth.strides_of(side):
        t = np.linspace(stride.foot_flat_s, stride.heel_off_s, 50)
        foot = walker().motion(FEET[side]).evaluate(t)
        assert np.ptp(foot.position, axis=0).max() < 1e-12
        assert np.abs(foot.angular_rate).max() == 0.0
        assert np.abs(foot.acceleration).max() < 1e-12


@pytest.mark.parametrize("side", list(Side))
def test_the_heel_rests_after_contact_and_the_toe_before_leaving(side):
    person = walker().person
    for stride in walker().truth.strides_of(side):
        stopped = stride.initial_contact_s + person.slide_duration_s
        landing = np.linspace(stopped, stride.foot_flat_s, 30)
        leaving = np.linspace(stride.heel_off_s, stride.final_contact_s - 1e-9, 30)
        foot = walker().motion(FEET[side])
        heel = foot.evaluate(landing).at_point(person.heel)
        toe = foot.evaluate(leaving).at_point(person.toe)
        assert np.abs(heel.velocity).max() < 1e-9
        assert np.abs(toe.velocity).max() < 1e-9
        assert np.abs(np.append(heel.position[:, 2], toe.position[:, 2])).max() < 1e-9


def test_the_shock_of_contact_integrates_to_the_speed_it_takes_away():
    person, stride = walker().person, walker().truth.strides[4]
    t = stride.initial_contact_s + np.linspace(0, person.slide_duration_s, 6001)
    heel = walker().motion(FEET[stride.side]).evaluate(t).at_point(person.heel)
    taken = integrated(heel.acceleration, t[1] - t[0])[-1]
    assert heel.velocity[0, 2] < -0.1
    assert np.allclose(taken, -heel.velocity[0], atol=1e-6)
    assert np.abs(heel.velocity[t > t[0] + person.contact_duration_s, 2]).max() < 1e-12


@pytest.mark.parametrize("side", list(Side))
def test_foot_and_shank_share_the_ankle(side):
    t = fine(0.0, walker().end_s, 0.01)
    foot = walker().motion(FEET[side]).evaluate(t)
    shank = walker().motion(SHANKS[side]).evaluate(t)
    assert np.array_equal(foot.position, shank.position)
    assert np.array_equal(foot.acceleration, shank.acceleration)


def test_standing_sensors_read_gravity_upward_and_no_rate():
    for segment in SEGMENTS:
        signal = walker().sensor(segment)
        gyr, acc, mag = signal(np.array([-5.0, walker().end_s + 5]))
        up = signal.kinematics(np.array([-5.0, walker().end_s + 5])).rotation[:, 2]
        assert np.array_equal(gyr, np.zeros((2, 3)))
        assert np.allclose(acc, 9.81 * up)
        assert mag is None


def test_a_person_stands_as_before_after_a_walk():
    still = replace(UNEVEN, variability=Variability.none())
    walk = Walker(still, [Stand(2.0), Walk(7), Stand(2.0)])
    for segment in SEGMENTS:
        before, after = walk.sensor(segment)(np.array([0.0, walk.end_s])).acc
        assert np.allclose(before, after, atol=1e-9)


def test_truth_is_what_the_motion_shows():
    for side in Side:
        foot = walker().motion(FEET[side])
        for stride in walker().truth.strides_of(side):
            ends = np.array([stride.heel_off_s, stride.next_foot_flat_s])
            flat = foot.evaluate(ends)
            landing = foot.evaluate(np.array([stride.initial_contact_s]))
            leaving = foot.evaluate(np.array([stride.final_contact_s]))
            way = np.diff(flat.position, axis=0)[0]
            assert stride.length_m == pytest.approx(np.hypot(way[0], way[1]), abs=1e-12)
            assert pitch(landing) == pytest.approx(-stride.strike_angle_rad, abs=1e-9)
            assert pitch(leaving) == pytest.approx(stride.push_off_angle_rad, abs=1e-9)


def pitch(k: Kinematics) -> float:
    return -float(np.arcsin(k.rotation[0, 2, 0]))


def test_contacts_alternate_and_every_stride_has_its_contacts():
    truth = walker().truth
    ics = [c for c in truth.contacts if c.kind == "ic"]
    assert all(a.side is not b.side for a, b in pairwise(ics))
    for side in Side:
        times = {c.time_s for c in truth.contacts if c.side is side}
        for s in truth.strides_of(side):
            assert {s.initial_contact_s, s.final_contact_s, s.next_initial_contact_s} <= times
            assert s.initial_contact_s < s.foot_flat_s < s.heel_off_s < s.final_contact_s


def test_asymmetries_of_the_person_are_those_of_the_walk():
    person = replace(UNEVEN, variability=Variability.none())
    truth = Walker(person, [Stand(2.0), Walk(24), Stand(1.0)]).truth
    steady = truth.strides[6:-6]
    for side in Side:
        leg = person.leg(side)
        strides = [s for s in steady if s.side is side]
        steps = [s for s in truth.steps[6:-6] if s.side is side]
        for s in strides:
            assert s.stance_time_s / s.stride_time_s == pytest.approx(leg.stance_share, abs=1e-9)
            assert s.toe_out_rad == pytest.approx(leg.toe_out, abs=1e-9)
            assert s.stride_time_s == pytest.approx(120 / 108, abs=1e-9)
            assert s.length_m == pytest.approx(2 * 1.25 * 60 / 108, abs=1e-9)
        for s in steps:
            assert s.step_time_s == pytest.approx(leg.step_time_share * 120 / 108, abs=1e-9)
            assert s.length_m == pytest.approx(leg.step_length_share * 2.5 * 60 / 108, abs=1e-9)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_leg_length_difference_obeys_the_identity_of_standing_and_walking(share):
    person = replace(
        UNEVEN,
        variability=Variability.none(),
        strategy=replace(UNEVEN.strategy, midstance_share=share),
    )
    walk = Walker(person, [Stand(2.0), Walk(24), Stand(1.0)])
    truth, width = walk.truth, person.hip_width_m
    middle = replace(truth, midstances=truth.midstances[6:-5])
    difference = middle.pelvic_midstance_difference_m
    tilt = np.mean([np.sin(m.obliquity_rad) for m in middle.midstances])
    assert truth.standing_difference_m == pytest.approx(0.010)
    assert width * np.sin(truth.stays[0].obliquity_rad) == pytest.approx(0.010, abs=1e-9)
    assert difference == pytest.approx(share * 0.010, abs=1e-6)
    assert difference + width * tilt == pytest.approx(0.010, abs=1e-9)


@pytest.mark.parametrize("segment", SEGMENTS)
def test_a_mirrored_person_gives_mirrored_signals(segment):
    mirrored_plan = [replace(p, angle=-p.angle) if isinstance(p, Turn) else p for p in PLAN]
    mirrored = Walker(UNEVEN.mirrored(), mirrored_plan, seed=3)
    swap = {Segment.PELVIS: Segment.PELVIS}
    for sides in (FEET, SHANKS):
        swap |= {sides[Side.LEFT]: sides[Side.RIGHT], sides[Side.RIGHT]: sides[Side.LEFT]}
    t = fine(0.0, walker().end_s, 0.01)
    here, there = walker().sensor(segment)(t), mirrored.sensor(swap[segment])(t)
    assert np.allclose(there.acc, here.acc * [1, -1, 1], atol=1e-8)
    assert np.allclose(there.gyr, here.gyr * [-1, 1, -1], atol=1e-8)


def test_the_same_seed_gives_the_same_walk_and_another_seed_another():
    again, other = Walker(UNEVEN, PLAN, seed=3), Walker(UNEVEN, PLAN, seed=4)
    assert again.truth == walker().truth
    assert other.truth != walker().truth


def test_a_minute_of_five_segments_at_200_hz_takes_less_than_a_second():
    start = time.process_time()
    walk = Walker(VirtualPerson(), [Stand(2.0), Walk(104), Stand(2.0)])
    for segment in SEGMENTS:
        walk.sensor(segment)(np.arange(0, 60, 1 / 200))
    assert time.process_time() - start < 1.0


def test_the_pelvis_advances_by_the_steps_and_as_far_as_the_feet():
    truth = Walker(UNEVEN, [Stand(2.0), Walk(24), Stand(1.0)]).truth
    steps = truth.steps[4:-4]
    advances = {s: np.mean([x.pelvic_advance_m for x in steps if x.side is s]) for s in Side}
    assert sum(advances.values()) == pytest.approx(2.5 * 60 / 108, rel=0.02)
    assert all(step.width_m > 0.05 for step in steps)


def test_the_example_of_the_page_runs(capsys):
    page = Path(__file__).resolve().parent.parent / "docs" / "virtual-walker.md"
    example = page.read_text(encoding="utf-8").split("```python")[1].split("```")[0]
    exec(compile(example, str(page), "exec"), {})
    assert capsys.readouterr().out.startswith("1.")
