"""Walking seen by the pelvis sensor alone, beside the feet of the same people and other systems."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from cext.quaternion import from_rotation_vector, rotate
from edge.gait import analyse_walking
from edge.results import Person
from edge.timegrid import Span
from sensors import Segment
from sensors.virtual import Jog, Stand, VirtualPerson, Walk, Walker

PELVIS_ONLY = (Segment.PELVIS,)
ALL_BUT_SHANKS = (Segment.LEFT_FOOT, Segment.RIGHT_FOOT, Segment.PELVIS)


def span_of(path, segments) -> tuple[Span, Person]:
    with np.load(path) as data:
        gyr = np.stack([data[f"{s}_gyr"] for s in segments], axis=1).astype(float)
        acc = np.stack([data[f"{s}_acc"] for s in segments], axis=1).astype(float)
        height = json.loads(str(data["info"])).get("Height")
        rate_hz = float(data["fs"])
    valid = np.ones(gyr.shape[:2], dtype=bool)
    known = height is not None and np.isfinite(height)
    person = Person(height_m=height / 100.0 if known else None)
    return Span(rate_hz, 0.0, segments, gyr, acc, None, valid, ~valid), person


@pytest.mark.data
def test_speed_agrees_with_the_feet_of_ten_people_within_its_own_uncertainty(data_folder):
    ratios, errors = [], []
    for subject in range(1, 11):
        path = data_folder / "ipol_10m" / f"{subject}-1.npz"
        alone = analyse_walking(*span_of(path, PELVIS_ONLY)).bouts
        with_feet = analyse_walking(*span_of(path, ALL_BUT_SHANKS)).bouts
        assert len(alone) >= 1
        longest, true = (max(b, key=lambda bout: bout.n_strides) for b in (alone, with_feet))
        errors.append(longest.speed_mps - true.speed_mps)
        ratios.append(errors[-1] / longest.speed_sd_mps)
    assert np.sqrt(np.mean(np.square(errors))) < 0.12
    assert np.sqrt(np.mean(np.square(ratios))) < 1.5


@pytest.mark.data
def test_straight_walks_agree_with_cameras(data_folder):
    for trial in (1, 2):
        path = data_folder / f"mobgap_HA001_Test5_Trial{trial}.npz"
        with np.load(path) as data:
            begin_s, end_s = data["stereophoto_wb_start_end"][0]
            speed_mps = float(data["stereophoto_wb_speed"][0])
        walk = analyse_walking(*span_of(path, PELVIS_ONLY))
        inside = [s for s in walk.strides if begin_s < s.initial_contact_s < end_s]
        assert abs(np.mean([s.speed_mps for s in inside]) - speed_mps) < 0.15
        assert all(s.side is None for s in walk.strides)


@pytest.mark.data
def test_any_mounting_gives_the_same_speed(data_folder):
    span, person = span_of(data_folder / "mobgap_HA001_Test5_Trial1.npz", PELVIS_ONLY)
    q = from_rotation_vector([1.2, -0.4, 2.0])
    turned = replace(span, gyr=rotate(q, span.gyr), acc=rotate(q, span.acc))
    here, there = analyse_walking(span, person), analyse_walking(turned, person)
    assert len(here.bouts) == len(there.bouts) == 1
    assert abs(here.bouts[0].speed_mps - there.bouts[0].speed_mps) < 1e-3


def test_counts_the_steps_of_a_virtual_person():
    walker = Walker(VirtualPerson(), [Stand(3), Walk(30), Stand(3)], seed=2)
    time_s = np.arange(0.0, walker.end_s, 0.01)
    readings = walker.sensor(Segment.PELVIS)(time_s)
    valid = np.ones((len(time_s), 1), dtype=bool)
    span = Span(
        100.0, 0.0, PELVIS_ONLY, readings.gyr[:, None], readings.acc[:, None], None, valid, ~valid
    )
    walk = analyse_walking(span, Person())
    (bout,) = walk.bouts
    true = [c for c in walker.truth.contacts if c.kind == "ic"]
    assert abs(len(walk.contacts) - len(true)) <= 2
    assert abs(bout.cadence_spm - 108.0) < 3.0


def bobbing_span(landed_s, rate_hz=100.0):
    """A pelvis that bobs once at each of some times, upright and level."""
    time_s = np.arange(0.0, landed_s[-1] + 3.0, 1.0 / rate_hz)
    up = sum(3.0 * np.exp(-0.5 * ((time_s - at_s) / 0.1) ** 2) for at_s in landed_s)
    acc = np.stack([0.0 * up, 0.0 * up, 9.81 + up - up.mean()], axis=1)[:, None]
    valid = np.ones((len(time_s), 1), dtype=bool)
    return Span(rate_hz, 0.0, PELVIS_ONLY, np.zeros_like(acc), acc, None, valid, ~valid)


def test_a_lean_into_the_first_step_and_out_of_the_last_is_no_step():
    steps_s = 4.0 + 0.55 * np.arange(12)
    leaning_s = np.concatenate([[steps_s[0] - 0.95], steps_s, [steps_s[-1] + 0.9]])
    walk = analyse_walking(bobbing_span(leaning_s), Person())
    assert len(walk.contacts) == len(steps_s)
    assert abs(walk.bouts[0].cadence_spm - 60.0 / 0.55) < 1.0


def test_a_person_of_unknown_height_has_a_less_certain_speed():
    span = bobbing_span(4.0 + 0.55 * np.arange(30))
    unknown, known = (analyse_walking(span, Person(height_m=h)).bouts[0] for h in (None, 1.72))
    assert known.speed_mps == unknown.speed_mps
    assert known.speed_sd_mps < unknown.speed_sd_mps


def test_rocking_in_a_chair_is_no_walking():
    time_s = np.arange(0.0, 20.0, 0.01)
    lean = 0.1 * np.sin(2.0 * np.pi * 0.4 * time_s)
    gyr = np.zeros((len(time_s), 1, 3))
    gyr[:, 0, 1] = np.gradient(lean, time_s)
    acc = np.stack([-9.81 * np.sin(lean), 0.0 * lean, 9.81 * np.cos(lean)], axis=1)[:, None]
    valid = np.ones((len(time_s), 1), dtype=bool)
    walk = analyse_walking(Span(100.0, 0.0, PELVIS_ONLY, gyr, acc, None, valid, ~valid), Person())
    assert walk.bouts == ()


def test_running_has_steps_but_no_speed_by_the_pelvis():
    walker = Walker(VirtualPerson(), [Stand(3), Jog(24), Stand(3)], seed=2)
    time_s = np.arange(0.0, walker.end_s, 0.01)
    readings = walker.sensor(Segment.PELVIS)(time_s)
    valid = np.ones((len(time_s), 1), dtype=bool)
    span = Span(
        100.0, 0.0, PELVIS_ONLY, readings.gyr[:, None], readings.acc[:, None], None, valid, ~valid
    )
    ran = [s for s in analyse_walking(span, Person()).strides if "edge" not in s.flags]
    assert len(ran) >= 16
    assert all(s.speed_mps is None and "running" in s.flags for s in ran)
