"""The standing difference: right without errors, honest about its interval with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cext import quaternion
from edge.gait.leg_length import estimate_leg_length
from edge.gait.leg_length.bows import find_bows
from edge.gait.leg_length.phases import cut
from edge.gait.leg_length.zero import K
from sensors import Side
from tests.clinic_people import SIZES_MM, WIDTH_M, WRONG, Spread, measure
from tests.clinic_person import Protocol, Sensor, obliquity_of, person, turned, usual

PEOPLE = 150


def difference_mm(protocol: Protocol, **known) -> float:
    result = estimate_leg_length(protocol.span(), protocol.phases, person(**known))
    assert result.refused is None
    return result.difference_mm


@pytest.mark.parametrize("true_mm", [0, 5, 10, -10, 20, -20])
def test_returns_the_difference_of_a_person_without_errors(true_mm):
    assert difference_mm(usual(obliquity_of(true_mm / 1e3))) == pytest.approx(true_mm, abs=0.1)


TURNS = {
    "roll": turned(roll=10),
    "pitch": turned(pitch=-10),
    "yaw": turned(yaw=10),
    "all": turned(10, 10, 10),
    "upside_down": turned(roll=180, yaw=35),
    "on_its_side": turned(roll=90, pitch=20),
}


@pytest.mark.parametrize("turn", TURNS.values(), ids=TURNS)
def test_does_not_depend_on_how_the_sensor_is_turned(turn):
    mount = quaternion.multiply(turned(pitch=12), turn)
    assert difference_mm(usual(obliquity_of(0.01), Sensor(mount))) == pytest.approx(10, abs=0.1)


def test_is_the_same_on_a_floor_that_slopes_a_little():
    assert difference_mm(usual(obliquity_of(0.01), floor=0.9)) == pytest.approx(10, abs=0.1)


def test_mirrored_signals_turn_the_sign():
    rng = np.random.default_rng(3)
    protocol = usual(
        obliquity_of(0.012), Sensor.drawn(rng), 0.3, rng.normal(0, 0.5, 8), rng.normal(0, 1.5, 6)
    )
    span = protocol.span()
    mirrored = replace(span, acc=span.acc * [1, -1, 1], gyr=span.gyr * [-1, 1, -1])
    result = estimate_leg_length(span, protocol.phases, person())
    other = estimate_leg_length(mirrored, protocol.phases, person())
    assert other.difference_mm == pytest.approx(-result.difference_mm, abs=0.01)
    assert other.sd_mm == pytest.approx(result.sd_mm, abs=0.01)


def test_states_side_probabilities_and_what_they_rest_on():
    protocol = usual(obliquity_of(-0.02))
    result = estimate_leg_length(protocol.span(), protocol.phases, person())
    assert result.longer_side == "left"
    assert result.references_used == ("bows",)
    assert result.k_factor == K
    assert result.n_placements == 3
    assert result.n_bows == 6
    assert 0.95 < result.p_abs_ge_10 <= result.p_abs_ge_5 <= 1.0
    assert 0.4 < result.p_abs_ge_20 < 0.6


def test_zero_inside_the_interval_leaves_the_side_undetermined():
    protocol = usual(obliquity_of(0.004))
    result = estimate_leg_length(protocol.span(), protocol.phases, person())
    assert result.interval_mm[0] < 0 < result.interval_mm[1]
    assert result.longer_side == "undetermined"


def test_without_a_hip_width_the_answer_is_an_angle():
    protocol = usual(3.0)
    result = estimate_leg_length(protocol.span(), protocol.phases, person(None))
    assert result.difference_mm is None
    assert "degrees only" in result.refused
    assert result.obliquity_deg == pytest.approx(3.0, abs=0.05)
    assert result.obliquity_interval_deg[0] < 3.0 < result.obliquity_interval_deg[1]


def test_a_caliper_alone_is_a_reference_with_a_wide_interval():
    protocol = usual(3.0, bow_rolls=())
    known = person(caliper_obliquity_rad=np.radians(2.0))
    result = estimate_leg_length(protocol.span(), protocol.phases, known)
    assert result.references_used == ("caliper",)
    assert result.obliquity_deg == pytest.approx(2.0, abs=0.01)
    assert result.sd_mm > 6.0


def test_references_that_contradict_each_other_widen_the_interval():
    agree, contradict = usual(3.0), usual(3.0)
    for protocol, error in ((agree, 0.0), (contradict, 3.5)):
        protocol.sit(error)
        protocol.sit(error, "b")
    narrow = estimate_leg_length(agree.span(), agree.phases, person())
    wide = estimate_leg_length(contradict.span(), contradict.phases, person())
    assert narrow.references_used == wide.references_used == ("bows", "seat")
    assert wide.sd_mm > 1.2 * narrow.sd_mm


def test_a_seat_stood_round_one_way_only_is_not_used():
    protocol = usual(3.0)
    protocol.sit(2.0)
    result = estimate_leg_length(protocol.span(), protocol.phases, person())
    assert result.references_used == ("bows",)
    assert "seat_not_used" in result.flags


def test_a_bad_trial_is_left_out_and_its_repetition_taken():
    protocol = usual(obliquity_of(0.01))
    protocol.stand(posture=2.0, facing="a", sway=3.0, placement=2)
    result = estimate_leg_length(protocol.span(), protocol.phases, person())
    assert result.refused is None
    assert result.difference_mm == pytest.approx(10, abs=0.1)
    assert "trials_rejected" in result.flags


def test_shallow_bows_and_pauses_between_bows_are_told_apart():
    protocol = Protocol(2.0)
    for depth in (40.0, 12.0, 40.0):
        protocol.bow([0.0], depth=depth)
    part = protocol.span()
    good = np.ones(len(part), dtype=bool)
    up = part.acc[0, 0] / np.linalg.norm(part.acc[0, 0])
    bows = find_bows(part.rate_hz, part.gyr[:, 0], part.acc[:, 0], good, up)
    assert [round(np.degrees(b.depth_rad)) for b in bows if b.fault is None] == [40, 40]


@pytest.mark.parametrize("late_s", [1.0, 2.0, 3.0, 4.0])
def test_a_phase_that_begins_in_the_middle_of_a_bow_gives_the_same_side(late_s):
    protocol = usual(obliquity_of(0.010))
    late = [
        p.model_copy(update={"start_s": p.start_s + late_s}) if p.phase == "bows" else p
        for p in protocol.phases
    ]
    result = estimate_leg_length(protocol.span(), late, person())
    assert result.difference_mm == pytest.approx(10, abs=0.1)
    assert result.n_bows in {5, 6}


def test_a_bow_with_lost_samples_does_not_count():
    protocol = usual(obliquity_of(0.01))
    span = protocol.span()
    bows = next(p for p in protocol.phases if p.phase == "bows")
    tick = round((bows.start_s + 3.0) * span.rate_hz)
    span.valid[tick] = False
    result = estimate_leg_length(span, protocol.phases, person())
    assert result.n_bows == 5
    assert result.difference_mm == pytest.approx(10, abs=0.1)
    assert len(cut(span, bows)) == 2500


@pytest.mark.parametrize(("side", "sign"), [(Side.RIGHT, 1), (Side.LEFT, -1)])
def test_a_board_changes_the_difference_by_its_height(side, sign):
    protocol = usual(obliquity_of(0.004))
    raised = obliquity_of(0.004 + sign * 0.010) - obliquity_of(0.004)
    for facing in "ab":
        protocol.stand(facing=facing, change=raised, board_mm=10, board_side=side)
    result = estimate_leg_length(protocol.span(), protocol.phases, person())
    (board,) = result.boards
    assert board.board_side is side
    assert board.change_mm == pytest.approx(sign * 10, abs=0.1)
    assert board.interval_mm[0] < sign * 10 < board.interval_mm[1]
    assert result.hidden_share_c == pytest.approx(0.0, abs=0.02)
    assert result.levelling_board_mm == pytest.approx(4.0, abs=0.2)


CASES = [("bows", 3.4), ("bows+seat", 2.8), ("bows+seat+caliper", 2.4)]


@pytest.mark.parametrize(("references", "most_sd_mm"), CASES)
def test_spread_and_coverage_over_people(references, most_sd_mm):
    people = measure(references, Spread(), SIZES_MM, PEOPLE)
    # The SD of 150 people is itself uncertain by 6 %.
    assert people.sd_mm <= 1.06 * most_sd_mm
    assert abs(people.error_mm.mean()) < 3 * most_sd_mm / np.sqrt(PEOPLE)
    assert 0.95 <= people.coverage <= 1.0
    assert people.refused_share < 0.1


def test_the_side_is_right_at_fifteen_millimetres():
    assert measure("bows", Spread(), (15, -15), PEOPLE).right_side >= 0.99


@pytest.mark.parametrize("spread", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("references", ["bows", "bows+seat+caliper"])
def test_the_interval_still_holds_when_the_assumed_spreads_are_wrong(references, spread):
    assert measure(references, spread, (10,), n=40, seed=6).coverage >= 0.90


def test_a_board_of_ten_millimetres_is_seen_to_better_than_two():
    rng = np.random.default_rng(4)
    errors = []
    for _ in range(100):
        protocol = usual(2.0, Sensor.drawn(rng), rng.normal(0, 0.3), rng.normal(0, 0.5, 8))
        raised = obliquity_of(np.sin(np.radians(2.0)) * WIDTH_M + 0.010) - 2.0
        for facing in "ab":
            protocol.stand(
                rng.normal(0, 0.5), facing, change=raised, board_mm=10, board_side=Side.RIGHT
            )
        given = WIDTH_M * (1 + rng.normal(0, 0.06))
        result = estimate_leg_length(protocol.span(), protocol.phases, person(given))
        errors += [board.change_mm - 10 for board in result.boards]
    assert np.std(errors, ddof=1) <= 1.8
