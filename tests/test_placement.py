"""Which sensor sits where, from walking alone, whatever the mounting."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.errors import Refused
from calibration.fitting.placement import SURE, find_placement, suspected_swaps
from calibration.fitting.tapping import judge_tap, placement_by_taps, tapped_sensor
from calibration.guide import TAPPING, GuideWalk
from calibration.trial import GroupTrial
from sensors import Segment
from tests.virtual_bench import BenchSensor, tapped
from tests.virtual_walks import RATE_HZ, any_rotation, ten_steps

SEVERAL = ["gaitmap_mocap_pass1", "gaittoolbox_S02_walk_part1", "qmt_fullbody_lower"]
SEVERAL += [f"ipol_10m/{subject}-{trial}" for subject in range(1, 11) for trial in range(1, 5)]
# In these two every cue of both shoes and the pelvis, and the slope of the insteps in standing,
# say that the shoes' labels are exchanged against the same person's other two trials.
EXCHANGED_LABELS = {"ipol_10m/4-1", "ipol_10m/4-2"}
OTHER_SHOE = {"left_foot": "right_foot", "right_foot": "left_foot"}


@pytest.fixture
def rng():
    return np.random.default_rng(17)


def recording(folder, name, rng):
    """Readings by true segment, each turned at random."""
    with np.load(folder / f"{name}.npz") as file:
        found = {}
        for segment in Segment:
            if f"{segment}_gyr" in file:
                turn = any_rotation(rng).T
                true = OTHER_SHOE.get(segment, segment) if name in EXCHANGED_LABELS else segment
                found[str(true)] = (
                    file[f"{segment}_gyr"].astype(float) @ turn,
                    file[f"{segment}_acc"].astype(float) @ turn,
                )
        return float(file["fs"]), found


def test_ten_steps_of_any_virtual_person_and_any_mounting(rng):
    for _ in range(60):
        placement = find_placement(RATE_HZ, ten_steps(rng))
        assert all(seat.sensor == seat.segment for seat in placement.seats)


@pytest.mark.data
@pytest.mark.parametrize("name", SEVERAL)
def test_every_real_recording_without_being_told(data_folder, name, rng):
    rate_hz, readings = recording(data_folder, name, rng)
    placement = find_placement(rate_hz, readings)
    assert all(seat.sensor == seat.segment for seat in placement.seats)


@pytest.mark.data
@pytest.mark.parametrize("name", ["qmt_fullbody_lower", "ipol_10m/6-1"])
@pytest.mark.parametrize("parts", [("left_foot", "right_foot"), ("left_foot", "pelvis")])
def test_fewer_sensors_are_placed_too(data_folder, name, parts, rng):
    rate_hz, readings = recording(data_folder, name, rng)
    placement = find_placement(rate_hz, {part: readings[part] for part in parts})
    assert all(seat.sensor == seat.segment for seat in placement.seats)


def test_a_lone_pelvis_sensor_is_known_by_its_calm(rng):
    readings = ten_steps(rng)
    placement = find_placement(RATE_HZ, {"node": readings["pelvis"]})
    assert placement.segments == {"node": Segment.PELVIS}


def test_is_sure_of_a_clear_case_and_names_its_evidence(rng):
    placement = find_placement(RATE_HZ, ten_steps(rng))
    assert placement.confidence > 0.9
    assert {"pelvic sway", "pelvic rotation"} <= {name for name, _ in placement.evidence}


def test_two_shanks_alone_leave_the_side_open(rng):
    readings = ten_steps(rng)
    shanks = {name: readings[name] for name in ("left_shank", "right_shank")}
    assert find_placement(RATE_HZ, shanks).confidence < 0.9 < SURE


def test_says_which_labels_are_swapped(rng):
    placement = find_placement(RATE_HZ, ten_steps(rng))
    labels = dict(zip(Segment, Segment, strict=True))
    assert suspected_swaps(placement, labels) == ()
    labels["left_shank"], labels["right_shank"] = labels["right_shank"], labels["left_shank"]
    (sentence,) = suspected_swaps(placement, labels)
    assert sentence == (
        "left_shank and right_shank are swapped: they sit on the left_shank and right_shank."
    )


def test_says_which_single_label_is_wrong(rng):
    readings = ten_steps(rng)
    del readings["pelvis"]
    placement = find_placement(RATE_HZ, readings)
    (sentence,) = suspected_swaps(placement, {"left_foot": Segment.PELVIS})
    assert sentence == "left_foot is labelled pelvis and sits on the left_foot."


def test_two_steps_are_too_few(rng):
    with pytest.raises(Refused, match="walk ten steps") as refused:
        find_placement(RATE_HZ, ten_steps(rng, steps=2))
    assert refused.value.step == "walk"


def test_sensors_that_feel_nothing_at_all_are_refused_in_a_sentence():
    dead = {name: (np.zeros((1000, 3)), np.zeros((1000, 3))) for name in ("a", "b")}
    with pytest.raises(Refused, match="Nothing moved"):
        find_placement(200.0, dead)


def test_more_sensors_than_places_are_refused(rng):
    readings = ten_steps(rng)
    readings["spare"] = readings["pelvis"]
    with pytest.raises(Refused, match="take off"):
        find_placement(RATE_HZ, readings)


def test_three_sensors_on_one_leg_are_refused(rng):
    readings = ten_steps(rng)
    readings["right_foot"] = readings["left_foot"]
    with pytest.raises(Refused, match="swing together"):
        find_placement(RATE_HZ, readings)


def test_sensors_swapped_half_way_are_refused(rng):
    before, after = ten_steps(rng, steps=20), ten_steps(rng, steps=20)
    after["left_foot"], after["right_foot"] = after["right_foot"], after["left_foot"]
    n = min(len(before["pelvis"][0]), len(after["pelvis"][0]))
    joined = {
        name: tuple(np.concatenate([a[:n], b[:n]]) for a, b in zip(pair, after[name], strict=True))
        for name, pair in before.items()
    }
    with pytest.raises(Refused, match="changed places during the walk"):
        find_placement(RATE_HZ, joined)


def tapped_group(rng, which, names=("a", "b", "c", "d", "e")):
    """Five worn sensors, one of them tapped; its neighbour feels a little of it."""
    quiet = {name: BenchSensor.drawn(rng).hold(rng, "z_up", 10.0) for name in names}
    return quiet | ({which: tapped(rng, which, 0.0)} if which else {})


def test_tapping_each_in_turn_tells_who_sits_where(rng, tmp_path):
    trial = GroupTrial(tmp_path, "abcde")
    walk = GuideWalk(TAPPING, trial, judge_tap)
    for name, step in zip("abcde", TAPPING.steps, strict=True):
        assert walk.take(step, tapped_group(rng, name)).sentence == f"{name} sits there"
    assert placement_by_taps(trial) == dict(zip("abcde", Segment, strict=True))


def test_a_tap_that_nobody_or_everybody_felt_is_refused(rng):
    with pytest.raises(Refused, match="No tap was felt"):
        tapped_sensor(tapped_group(rng, None), "tap_pelvis")
    shaken = {name: tapped(rng, name, 0.0) for name in "ab"}
    with pytest.raises(Refused, match="shaken alike"):
        tapped_sensor(shaken, "tap_pelvis")


def test_one_sensor_tapped_for_two_places_is_refused(rng, tmp_path):
    trial = GroupTrial(tmp_path, "abcde")
    for step in TAPPING.steps[:2]:
        trial.save(step.name, tapped_group(rng, "a"))
    with pytest.raises(Refused, match="a was tapped for left_foot and for right_foot"):
        placement_by_taps(trial)
