"""Walking: D, walking minus standing, lifts, and the flags that feet and shanks raise."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from cext import quaternion
from edge.gait.leg_length.legs import foot_roll, heel_rise, left_axes, pitch_change
from edge.gait.leg_length.midstance import integrate_rate, pair_midstances
from edge.gait.leg_length.walks import measure_walk, titrate
from edge.gait.walk import Walk
from edge.timegrid import Span
from sensors import Segment, Side
from tests.clinic_person import RATE_HZ, Gait, Sensor, obliquity_of, turned, walk

WIDTH_M = 0.172
HIP_LINE = np.array([0.0, 1.0, 0.0])


def level_sensor(**errors) -> Sensor:
    """Its y axis is the hip line."""
    return Sensor(turned(), **errors)


def measured(gait: Gait, sensor: Sensor | None = None, lever=(-0.10, 0.0, 0.02)):
    """D and dynamic difference of identity (1), mm."""
    span, strides = walk(gait, sensor or level_sensor(), lever)
    walked = measure_walk(span, Walk(strides=tuple(strides)), HIP_LINE)
    height = walked.height_m.mean() * 1e3
    return height, height + WIDTH_M * 1e3 * walked.slope.mean()


@pytest.mark.parametrize("true_mm", [0, 10, -10, 20])
def test_midstance_height_difference_is_found(true_mm):
    height, _ = measured(Gait(true_mm / 1e3, 0.0))
    assert height == pytest.approx(true_mm, abs=0.3)


def test_a_gyroscope_that_drifts_and_a_sensor_that_sits_askew_do_not_matter():
    sensor = Sensor(turned(5, 15, -6), gyr_bias=np.radians([0.03, -0.03, 0.02]))
    assert measured(Gait(0.010, 0.0), sensor)[0] == pytest.approx(10, abs=0.4)


def test_spread_of_the_height_difference_over_people():
    rng = np.random.default_rng(5)
    errors = []
    for _ in range(40):
        sensor = Sensor.drawn(rng)
        sensor.gyr_bias = np.radians(rng.normal(0, 0.03, 3))
        gait = Gait(0.005, 1.0, skin=0.4, jitter_s=0.015, scatter_m=0.0035)
        lever = (-0.10, rng.normal(0, 0.008), 0.02)
        errors.append(measured(gait, sensor, lever)[0] - 5.0)
    assert abs(np.mean(errors)) < 0.6
    assert np.std(errors, ddof=1) <= 1.3


@dataclass(frozen=True)
class Strategy:
    """How somebody with 15 mm on the right deals with it; what each quantity then misses, mm.

    `share`: of what is left while walking, seen as D; `hidden_standing`, `hidden_walking`: shares
    taken back by a bent knee, a fallen foot, tiptoes.
    """

    share: float
    hidden_standing: float
    hidden_walking: float
    d_mm: float
    identity_mm: float
    disagreement_mm: float


STRATEGIES = {
    "level pelvis": Strategy(1.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "mixed": Strategy(0.5, 0.0, 0.0, -7.5, 0.0, 0.0),
    "pelvis carries all": Strategy(0.0, 0.0, 0.0, -15.0, 0.0, 0.0),
    "long knee bent walking": Strategy(0.5, 0.0, 0.6, -12.0, -9.0, -9.0),
    "vaulting on the short side": Strategy(0.5, 0.0, 1.0, -15.0, -15.0, -15.0),
    "bent or fallen in both": Strategy(0.5, 0.6, 0.6, -12.0, -9.0, 0.0),
}


@pytest.mark.parametrize("s", STRATEGIES.values(), ids=STRATEGIES)
def test_every_way_of_compensating_shows_where_it_should(s):
    true_m = 0.015
    left_m = true_m * (1 - s.hidden_walking)
    gait = Gait(s.share * left_m, obliquity_of((1 - s.share) * left_m))
    height, identity = measured(gait)
    standing = true_m * (1 - s.hidden_standing) * 1e3
    assert height - 15 == pytest.approx(s.d_mm, abs=0.4)
    assert identity - 15 == pytest.approx(s.identity_mm, abs=0.5)
    assert identity - standing == pytest.approx(s.disagreement_mm, abs=0.5)


def test_lifts_while_walking_give_a_second_opinion_where_the_pelvis_stays_level():
    def walks(share: float):
        by_lift = {}
        for lift_mm in (0.0, -8.0, -16.0):
            left_m = 0.010 + lift_mm / 1e3
            gait = Gait(share * left_m, obliquity_of((1 - share) * left_m), strides=40)
            span, strides = walk(gait, level_sensor())
            by_lift[lift_mm] = measure_walk(span, Walk(strides=tuple(strides)), HIP_LINE)
        return by_lift

    titration = titrate(walks(0.9), fewest_strides=30)
    assert titration.difference_m == pytest.approx(0.010, abs=0.0005)
    assert titration.sd_m == pytest.approx(0.003 / 0.9, rel=0.05)
    assert titrate(walks(0.4), fewest_strides=30) is None
    assert titrate(walks(0.9), fewest_strides=60) is None


def test_strides_with_lost_samples_or_without_the_other_foot_are_left_out():
    span, strides = walk(Gait(0.010, 0.0, strides=20), level_sensor())
    whole = measure_walk(span, Walk(strides=tuple(strides)), HIP_LINE)
    span.valid[500:540] = False
    fewer = measure_walk(span, Walk(strides=tuple(strides)), HIP_LINE)
    assert len(fewer) == len(whole) - 1
    assert fewer.height_m.mean() == pytest.approx(0.010, abs=0.0003)
    only_left = tuple(s for s in strides if s.side is Side.LEFT)
    assert len(measure_walk(span, Walk(strides=only_left), HIP_LINE)) == 0


def test_strides_are_paired_only_where_the_other_foot_is_half_way():
    right, left = [1.0, 2.0, 3.0, 6.0, 7.0], [1.5, 2.1, 4.5, 6.4]
    pairs = pair_midstances(100.0, right, left, 800)
    assert list(zip(pairs.right_from, pairs.left, pairs.right_to, strict=True)) == [
        (100, 150, 200),
        (600, 640, 700),
    ]


def test_running_products_equal_one_product_after_the_other():
    rng = np.random.default_rng(0)
    rate = rng.normal(0, 2, (37, 3))
    q = integrate_rate(100.0, rate)
    once = integrate_rate(100.0, rate[20:])
    np.testing.assert_allclose(quaternion.multiply(q[20], once), q[20:], atol=1e-12)


# Feet and shanks, five sensors that all have x forward, y left, z up.
LEGS = (Segment.LEFT_FOOT, Segment.RIGHT_FOOT, Segment.LEFT_SHANK, Segment.RIGHT_SHANK)


def swinging(heel_rise_deg: float) -> tuple[Span, Walk]:
    """Ten strides of both feet; the left heel rises between foot-flat and mid-stance."""
    _, strides = walk(Gait(0.0, 0.0, strides=10), level_sensor())
    n = round(13 * RATE_HZ)
    gyr = np.zeros((n, 4, 3))
    for s in strides:
        start, stop = round(s.final_contact_s * RATE_HZ), round(s.next_initial_contact_s * RATE_HZ)
        for k in (0, 2) if s.side is Side.LEFT else (1, 3):
            gyr[start:stop, k, 1] = -5.0
    flat = [
        s.model_copy(update={"foot_flat_s": (s.initial_contact_s + 0.1, s.initial_contact_s + 0.2)})
        for s in strides
    ]
    for s in flat:
        if s.side is Side.LEFT:
            rise = round((s.initial_contact_s + 0.2) * RATE_HZ)
            gyr[rise : rise + 10, 0, 1] = np.radians(heel_rise_deg) / 0.1
    good = np.ones((n, 4), dtype=bool)
    span = Span(RATE_HZ, 0.0, LEGS, gyr, np.zeros((n, 4, 3)), None, good, ~good)
    return span, Walk(strides=tuple(flat))


def test_the_left_axis_of_every_leg_sensor_is_found_from_its_swing():
    span, feet = swinging(0.0)
    for axis in left_axes(span, feet).values():
        np.testing.assert_allclose(axis, [0, 1, 0], atol=1e-9)
    turned_round = replace(span, gyr=span.gyr * [-1, -1, 1])
    for axis in left_axes(turned_round, feet).values():
        np.testing.assert_allclose(axis, [0, -1, 0], atol=1e-9)


@pytest.mark.parametrize("rise_deg", [0.0, 2.0])
def test_a_heel_that_rises_in_single_support_is_seen(rise_deg):
    span, feet = swinging(rise_deg)
    axes = left_axes(span, feet)
    rises = {side: heel_rise(span, feet.strides, axes, side) for side in Side}
    assert np.degrees(rises[Side.LEFT]) == pytest.approx(rise_deg, abs=0.2)
    assert np.degrees(rises[Side.RIGHT]) == pytest.approx(0.0, abs=0.2)


def test_a_shank_that_leans_forward_turns_positive():
    upright = np.array([0.0, 0.0, 1.0])
    # Top forward by 10 deg: up, seen from the shank, goes back.
    leaning = np.array([-np.sin(np.radians(10)), 0.0, np.cos(np.radians(10))])
    left = np.array([0.0, 1.0, 0.0])
    assert np.degrees(pitch_change(left, upright, leaning)) == pytest.approx(10)


def test_a_right_foot_that_falls_inward_at_ease_turns_positive():
    """However its sensor sits on the shoe."""
    axes = {segment: np.array([0.0, 1.0, 0.0]) for segment in LEGS}

    def up(roll_deg: float) -> np.ndarray:
        # Everted right foot: its inner, left edge is the lower one.
        return np.array([0.0, -np.sin(np.radians(roll_deg)), np.cos(np.radians(roll_deg))])

    straight = {Segment.LEFT_FOOT: up(-2.0), Segment.RIGHT_FOOT: up(3.0)}
    at_ease = {Segment.LEFT_FOOT: up(-2.0), Segment.RIGHT_FOOT: up(7.0)}
    assert np.degrees(foot_roll(axes, straight, at_ease)) == pytest.approx(4)
    both = at_ease | {Segment.LEFT_FOOT: up(-6.0)}
    assert np.degrees(foot_roll(axes, straight, both)) == pytest.approx(0, abs=0.01)
    assert foot_roll(axes, straight, {}) is None
