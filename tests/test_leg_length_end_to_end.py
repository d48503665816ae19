"""The whole way: raw signals of five worn sensors in, the published record out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cext import quaternion
from edge.gait.leg_length import estimate_leg_length
from edge.gait.leg_length.phases import cut
from sensors import Segment, Side
from sensors.virtual import LegLengthStrategy
from tests.clinic_person import person, turned
from tests.clinic_walker import drawn_sensors, legs, record, steady


@pytest.fixture(scope="module")
def ten():
    """10 mm longer on the right, a seat and boards of 10 mm."""
    return record(steady(0.010), board_m=0.010, seat=True)


def estimated(recording, **known):
    return estimate_leg_length(recording.span, recording.phases, person(**known))


def test_a_person_without_errors_is_measured_without_errors(ten):
    result = estimated(ten)
    assert result.refused is None
    assert result.flags == ()
    assert result.references_used == ("bows", "seat")
    assert result.difference_mm == pytest.approx(10.0, abs=0.3)
    assert result.pelvic_midstance_difference_mm == pytest.approx(5.0, abs=0.5)
    assert result.dynamic_minus_standing_mm == pytest.approx(0.0, abs=0.5)
    assert result.n_strides >= 30
    assert result.speed_mps == pytest.approx(1.25, abs=0.02)
    changes = {board.board_side: board.change_mm for board in result.boards}
    assert changes[Side.RIGHT] == pytest.approx(10.0, abs=0.3)
    assert changes[Side.LEFT] == pytest.approx(-10.0, abs=0.3)


@pytest.mark.parametrize("true_mm", [0.0, -20.0])
def test_other_sizes_and_the_other_side(true_mm):
    result = estimated(record(steady(true_mm / 1e3)))
    assert result.difference_mm == pytest.approx(true_mm, abs=0.4)
    assert result.pelvic_midstance_difference_mm == pytest.approx(true_mm / 2, abs=0.5)


def test_a_person_in_the_mirror_has_the_other_sign(ten):
    other = estimated(record(steady(0.010).mirrored(), board_m=0.010, seat=True))
    result = estimated(ten)
    assert other.difference_mm == pytest.approx(-result.difference_mm, abs=0.1)
    here, there = result.pelvic_midstance_difference_mm, other.pelvic_midstance_difference_mm
    assert there == pytest.approx(-here, abs=0.3)


def test_any_turn_of_the_pelvis_sensor_changes_nothing(ten):
    k = ten.span.index(Segment.PELVIS)
    turn = turned(10, -10, 10)
    gyr, acc = ten.span.gyr.copy(), ten.span.acc.copy()
    gyr[:, k] = quaternion.rotate(turn, gyr[:, k])
    acc[:, k] = quaternion.rotate(turn, acc[:, k])
    result, before = (
        estimated(replace(ten, span=replace(ten.span, gyr=gyr, acc=acc))),
        estimated(ten),
    )
    assert result.difference_mm == pytest.approx(before.difference_mm, abs=0.05)
    there, here = result.pelvic_midstance_difference_mm, before.pelvic_midstance_difference_mm
    assert there == pytest.approx(here, abs=0.05)


def test_calibration_error_noise_and_soft_tissue_stay_within_the_interval():
    rng = np.random.default_rng(2)
    errors, heights = [], []
    for i in range(6):
        true_mm = (12.0, -12.0)[i % 2]
        recording = record(
            legs(true_mm / 1e3), drawn_sensors(rng), seat=True, steps=70, skin_deg=0.6, seed=i
        )
        given = 0.172 * (1 + rng.normal(0, 0.06))
        result = estimated(recording, hip_width_m=given)
        assert result.refused is None
        assert result.interval_mm[0] <= true_mm <= result.interval_mm[1]
        assert np.sign(result.difference_mm) == np.sign(true_mm)
        errors.append(result.difference_mm - true_mm)
        heights.append(result.pelvic_midstance_difference_mm - true_mm / 2)
    # No bow axis and no seat error in this person: what the sensors and the posture do.
    assert np.std(errors) < 2.0
    assert np.std(heights) < 1.5


STRATEGIES = {
    "vaulting on the short side": (LegLengthStrategy(0.5, 0.0, 1.0), 15.0, 0.0, -15.0),
    "bent or fallen in both": (LegLengthStrategy(0.5, 0.6, 0.6), 6.0, 3.0, 0.0),
    "level pelvis": (LegLengthStrategy(1.0, 0.0, 0.0), 15.0, 15.0, 0.0),
}


@pytest.mark.parametrize(
    ("strategy", "standing", "height", "disagreement"), STRATEGIES.values(), ids=STRATEGIES
)
def test_ways_of_compensating(strategy, standing, height, disagreement):
    result = estimated(record(steady(0.015, strategy)))
    assert result.difference_mm == pytest.approx(standing, abs=0.4)
    assert result.pelvic_midstance_difference_mm == pytest.approx(height, abs=0.6)
    assert result.dynamic_minus_standing_mm == pytest.approx(disagreement, abs=0.7)
    assert ("standing_and_walking_disagree" in result.flags) == (abs(disagreement) > 10)


def test_a_missing_trial_is_refused_or_done_without(ten):
    assert "only 2 of 3 placements" in estimated(ten.without(3)).refused
    fewer = estimated(ten.without(7))
    assert fewer.refused is None
    assert [board.board_side for board in fewer.boards] == [Side.RIGHT]
    no_walk = estimated(ten.without(13))
    assert no_walk.difference_mm == pytest.approx(10.0, abs=0.3)
    assert no_walk.walking_refused == "nobody walked"


def test_walking_is_not_reported_with_an_aid_too_slow_or_too_short(ten):
    assert "aid" in estimated(ten, walking_aid=True).walking_refused
    short = estimated(record(steady(0.010), steps=40))
    assert "30 are needed" in short.walking_refused
    assert short.pelvic_midstance_difference_mm is None
    assert short.difference_mm == pytest.approx(10.0, abs=0.3)


def test_whatever_is_missing_there_is_a_number_or_a_reason(ten):
    rng = np.random.default_rng(9)
    for _ in range(40):
        phases = [
            p.model_copy(
                update={"end_s": p.start_s + rng.uniform(0.1, 1.2) * (p.end_s - p.start_s)}
            )
            for p in ten.phases
            if rng.random() < 0.8
        ]
        span = ten.span.part(0, int(len(ten.span) * rng.uniform(0.3, 1.5)))
        span = replace(span, valid=rng.random(span.valid.shape) < rng.choice([1.0, 1.0, 0.95, 0.5]))
        result = estimate_leg_length(span, phases, person())
        assert (result.difference_mm is None) == (result.refused is not None)
        assert result.difference_mm is None or abs(result.difference_mm - 10) < 3


AT_EASE = {
    "one knee bends": (Segment.RIGHT_SHANK, turned(pitch=6.0), {"knee_bends_on_one_side"}),
    "it bends a little": (Segment.RIGHT_SHANK, turned(pitch=3.0), set()),
    "one foot falls inward": (Segment.LEFT_FOOT, turned(roll=4.0), {"feet_roll_differently"}),
    "it falls a little": (Segment.LEFT_FOOT, turned(roll=2.0), set()),
}


@pytest.mark.parametrize(("segment", "turn", "flags"), AT_EASE.values(), ids=AT_EASE)
def test_a_leg_that_gives_way_when_standing_at_ease_is_flagged(ten, segment, turn, flags):
    """The second half of one trial is told to be at ease, with one segment turned."""
    first = ten.phases[0]
    half = (first.start_s + first.end_s) / 2
    at_ease = first.model_copy(update={"start_s": half, "knees": "natural"})
    straight = first.model_copy(update={"end_s": half})
    acc = ten.span.acc.copy()
    part = cut(replace(ten.span, acc=acc), at_ease)
    k = part.index(segment)
    part.acc[:, k] = quaternion.rotate(quaternion.conjugate(turn), part.acc[:, k])
    phases = (straight, at_ease, *ten.phases[1:])
    result = estimate_leg_length(replace(ten.span, acc=acc), phases, person())
    assert set(result.flags) == flags
