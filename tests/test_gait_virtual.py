"""Strides of a virtual person, whose truth is exact: speeds, turns, stairs, jogging, mountings."""

from __future__ import annotations

import numpy as np
import pytest

from edge.gait import analyse_walking
from edge.gait.range_end import flat_tops
from edge.results import Person
from edge.timegrid import Span
from sensors import Segment, Side
from sensors.virtual import Imperfections, Jog, Stairs, Stand, Turn, VirtualPerson, Walk, Walker
from sensors.virtual.signals import PLACES_M
from tests.virtual_walks import with_gaps

RATE_HZ = 200.0
FEET = (Segment.LEFT_FOOT, Segment.RIGHT_FOOT)
WAYS = {
    "usual": Walk(20),
    "slow": Walk(16, speed_mps=0.5, cadence_spm=70.0),
    "very slow": Walk(14, speed_mps=0.25, cadence_spm=50.0),
    "fast": Walk(24, speed_mps=1.8, cadence_spm=130.0),
    "shuffling": Walk(20, speed_mps=0.3, cadence_spm=110.0),
    "turning": Turn(np.pi, steps=8, step_length_m=0.4),
    "jogging": Jog(20),
    "upstairs": Stairs(10),
    "downstairs": Stairs(10, rise_m=-0.17),
}


def worn(walker: Walker, segments=FEET, imperfections=None) -> Span:
    time_s = np.arange(0.0, walker.end_s, 1.0 / RATE_HZ)
    readings = [walker.sensor(s, imperfections)(time_s) for s in segments]
    gyr = np.stack([r.gyr for r in readings], axis=1)
    acc = np.stack([r.acc for r in readings], axis=1)
    valid = np.ones(gyr.shape[:2], dtype=bool)
    return Span(RATE_HZ, 0.0, segments, gyr, acc, None, valid, ~valid)


def matched(walk, truth):
    """Pairs of a true stride and the found one whose swing is the same."""
    for true in truth.strides:
        middle = (true.final_contact_s + true.next_initial_contact_s) / 2.0
        same = [
            s
            for s in walk.strides
            if s.side == true.side and s.final_contact_s < middle < s.next_initial_contact_s
        ]
        assert len(same) == 1
        yield true, same[0]


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_every_stride_is_found_with_its_length_and_its_contacts(way):
    walker = Walker(VirtualPerson(), [Stand(2), Walk(4), way, Walk(4), Stand(2)], seed=1)
    walk = analyse_walking(worn(walker), Person())
    for kind in ("ic", "fc"):
        found = [c for c in walk.contacts if c.kind == kind]
        true = [c for c in walker.truth.contacts if c.kind == kind]
        assert len(found) == len(true)
        errors = np.array([f.time_s - t.time_s for f, t in zip(found, true, strict=True)])
        assert np.abs(errors).max() < 0.030
    for true, stride in matched(walk, walker.truth):
        assert abs(stride.stride_length_m - true.length_m) < 0.020
        assert abs(stride.stride_time_s - true.stride_time_s) < 0.025


@pytest.mark.parametrize("way", [WAYS["slow"], WAYS["very slow"], WAYS["usual"]])
def test_the_speed_of_a_stride_is_its_length_by_its_duration_however_long_the_foot_rests(way):
    walker = Walker(VirtualPerson(), [Stand(2), way, Stand(2)], seed=1)
    walk = analyse_walking(worn(walker), Person())
    inner = [(t, s) for t, s in matched(walk, walker.truth) if "edge" not in s.flags]
    assert len(inner) >= 6
    for true, stride in inner:
        speed_mps = true.length_m / true.stride_time_s
        assert abs(stride.speed_mps - speed_mps) < max(0.03 * speed_mps, 0.01)


@pytest.mark.parametrize("seed", [1, 2])
def test_real_sensors_mounted_anyhow_stay_within_their_stated_uncertainty(seed):
    how = Imperfections(
        q_sensor_to_segment=(0.5, -0.5, 0.5, 0.5),
        gyr_bias=(0.01, -0.02, 0.015),
        acc_bias=(0.03, -0.02, 0.03),
        gyr_noise=0.003,
        acc_noise=0.03,
        seed=seed,
    )
    walker = Walker(VirtualPerson(), [Stand(3), Walk(24), Stand(2)], seed=seed)
    walk = analyse_walking(worn(walker, imperfections=how), Person())
    ratios = [
        (stride.stride_length_m - true.length_m) / stride.stride_length_sd_m
        for true, stride in matched(walk, walker.truth)
    ]
    assert np.sqrt(np.mean(np.square(ratios))) < 1.5
    assert np.abs(ratios).max() < 4.0


def test_turns_stairs_and_jogging_are_set_apart_from_steady_strides():
    plan = [Stand(2), Walk(14), Turn(np.pi, steps=8), Walk(14), Stairs(6), Jog(10), Stand(2)]
    walker = Walker(VirtualPerson(), plan, seed=3)
    walk = analyse_walking(worn(walker), Person())
    flags = {flag for stride in walk.strides for flag in stride.flags}
    assert {"turn", "level_change", "running", "edge", "from_standing"} <= flags
    for true, stride in matched(walk, walker.truth):
        if abs(true.turn_rad) > 0.5:
            assert "turn" in stride.flags
        if abs(true.rise_m) > 0.15:
            assert "level_change" in stride.flags
        assert not (stride.steady and stride.flags)
    assert any(s.steady for s in walk.strides)


def test_the_mirrored_walk_gives_the_other_side_the_same_strides():
    span = worn(Walker(VirtualPerson(), [Stand(2), Walk(12), Stand(2)], seed=4))
    # Seen in a mirror at the sagittal plane: y is turned round, rates about x and z as well.
    mirrored = Span(
        span.rate_hz,
        span.start_s,
        (Segment.RIGHT_FOOT, Segment.LEFT_FOOT),
        span.gyr * [-1.0, 1.0, -1.0],
        span.acc * [1.0, -1.0, 1.0],
        None,
        span.valid,
        span.saturated,
    )
    here, there = analyse_walking(span, Person()), analyse_walking(mirrored, Person())
    for side, other in ((Side.LEFT, Side.RIGHT), (Side.RIGHT, Side.LEFT)):
        own = [s for s in here.strides if s.side == side]
        seen = [s for s in there.strides if s.side == other]
        assert len(own) == len(seen) > 4
        for a, b in zip(own, seen, strict=True):
            assert abs(a.stride_length_m - b.stride_length_m) < 1e-6
            assert abs(a.next_initial_contact_s - b.next_initial_contact_s) < 1e-6


@pytest.mark.parametrize("bias", [0.0, 0.02])
def test_a_window_out_of_the_midst_of_walking_gives_true_lengths_or_none(bias):
    walker = Walker(VirtualPerson(), [Stand(3), Walk(24), Stand(2)], seed=5)
    how = Imperfections(gyr_bias=(bias, -bias, bias), gyr_noise=0.003, acc_noise=0.03)
    span = worn(walker, imperfections=how)
    for first_s in (5.0, 5.3, 5.6, 5.9):
        window = span.part(round(first_s * RATE_HZ), round((first_s + 7.7) * RATE_HZ))
        walk = analyse_walking(window, Person())
        assert len(walk.strides) >= 11
        for stride in walk.strides:
            middle = (stride.final_contact_s + stride.next_initial_contact_s) / 2.0
            (true,) = (
                t
                for t in walker.truth.strides
                if t.side == stride.side and t.final_contact_s < middle < t.next_initial_contact_s
            )
            assert stride.stride_length_m is None or (
                abs(stride.stride_length_m - true.length_m) < 0.025
            )


def true_way_m(walker, stride):
    """Way of the sensor between the moments between which a stride's length is given."""
    foot = Segment(f"{stride.side.value}_foot")
    moments = np.array([stride.length_from_s, stride.length_to_s])
    at = walker.motion(foot).evaluate(moments).at_point(PLACES_M[foot])
    return float(np.hypot(*(at.position[1] - at.position[0])[:2]))


@pytest.mark.parametrize("way", [Walk(40), Walk(40, 0.6, cadence_spm=80.0), Jog(40)])
def test_gaps_make_lengths_less_sure_or_take_them_away_but_never_make_them_up(way):
    walker = Walker(VirtualPerson(), [Stand(3), way, Stand(2)], seed=8)
    how = Imperfections(gyr_bias=(0.01, -0.01, 0.01), gyr_noise=0.003, acc_noise=0.03)
    span = with_gaps(worn(walker, imperfections=how), np.random.default_rng(8))
    strides = analyse_walking(span, Person()).strides
    known = [s for s in strides if s.stride_length_m is not None]
    errors = np.array([s.stride_length_m - true_way_m(walker, s) for s in known])
    assert 0.3 * len(strides) < len(known) < len(strides)
    assert np.abs(errors).max() < 0.25
    assert np.mean(np.abs(errors) < 1.96 * np.array([s.stride_length_sd_m for s in known])) > 0.85
    assert all("length_unknown" in s.flags for s in strides if s.stride_length_m is None)


def test_a_bout_that_lost_the_lengths_of_most_strides_has_no_speed():
    walker = Walker(VirtualPerson(), [Stand(2), Walk(12), Stand(2)], seed=9)
    span = worn(walker)
    # In every swing of the left foot, and in all but two of the right one.
    for k, side in enumerate(Side):
        for stride in walker.truth.strides_of(side)[: 7 - 2 * k]:
            first = round((stride.final_contact_s + 0.05) * RATE_HZ)
            span.valid[first : first + round(0.2 * RATE_HZ), k] = False
    walk = analyse_walking(span, Person())
    assert any(s.stride_length_m is not None for s in walk.strides)
    assert sum(s.stride_length_m is None for s in walk.strides) > len(walk.strides) / 2
    assert [(b.speed_mps, b.flags) for b in walk.bouts] == [(None, ("no_length",))]


def test_flat_tops_of_a_gyroscope_are_seen_and_natural_peaks_are_not():
    walker = Walker(VirtualPerson(), [Stand(2), Walk(60), Stand(2)], seed=6)
    gyr = worn(walker, (Segment.LEFT_FOOT,)).gyr[:, 0]
    assert not flat_tops(gyr).any()
    cut = np.clip(gyr, -6.0, 6.0)
    assert np.array_equal(flat_tops(cut), (np.abs(cut) > 0.985 * 6.0).any(axis=1))
    assert len(flat_tops(gyr[:0])) == 0
