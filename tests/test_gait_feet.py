"""Strides of the feet on real walking: right against the cameras, whatever the mounting."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cext.quaternion import from_rotation_vector, rotate
from edge.gait import analyse_walking
from edge.results import Person
from edge.timegrid import Span
from sensors import Segment, Side
from sensors.virtual import Stand, VirtualPerson, Walk, Walker
from tests.virtual_walks import with_gaps

NOBODY = Person()


@pytest.fixture(scope="module")
def recording(data_folder):
    with np.load(data_folder / "gaitmap_mocap_pass1.npz") as data:
        return dict(data)


def span_of(recording, segments=(Segment.LEFT_FOOT, Segment.RIGHT_FOOT)):
    gyr = np.stack([recording[f"{s}_gyr"] for s in segments], axis=1).astype(float)
    acc = np.stack([recording[f"{s}_acc"] for s in segments], axis=1).astype(float)
    quiet = np.ones(gyr.shape[:2], dtype=bool)
    return Span(float(recording["fs"]), 0.0, segments, gyr, acc, None, quiet, ~quiet)


def marker_way(recording, side, from_s, to_s):
    heel = recording[f"mocap_{side}_heel"][:, :2]
    known = np.isfinite(heel).all(axis=1)
    at = [
        [np.interp(t, recording["mocap_t"][known], heel[known, axis]) for axis in range(2)]
        for t in (from_s, to_s)
    ]
    return float(np.hypot(*np.subtract(at[1], at[0])))


@pytest.mark.data
def test_stride_lengths_agree_with_cameras_within_their_own_uncertainty(recording):
    strides = analyse_walking(span_of(recording), NOBODY).strides
    last_s = {side: recording[f"{side}_strides_t"][-1, 1] for side in Side}
    walked = [s for s in strides if s.length_to_s < last_s[s.side] + 0.1]
    errors = np.array(
        [
            s.stride_length_m - marker_way(recording, s.side, s.length_from_s, s.length_to_s)
            for s in walked
        ]
    )
    assert len(walked) >= 26
    assert np.sqrt(np.mean(errors**2)) < 0.022
    ratio = errors / [s.stride_length_sd_m for s in walked]
    assert 0.4 < np.sqrt(np.mean(ratio**2)) < 1.5


@pytest.mark.data
def test_contacts_agree_with_cameras(recording):
    contacts = analyse_walking(span_of(recording), NOBODY).contacts
    for kind, column, sd_s in (("ic", 3, 0.010), ("fc", 4, 0.006)):
        errors = []
        for side in Side:
            found = np.array([c.time_s for c in contacts if c.side == side and c.kind == kind])
            truth = recording[f"{side}_strides_t"][:, column]
            errors += [found[np.argmin(np.abs(found - t))] - t for t in truth]
        assert np.abs(errors).max() < 0.06
        assert np.std(errors) < sd_s


@pytest.mark.data
@pytest.mark.parametrize("turn", [[0.0, 0.0, np.pi], [1.9, 0.4, -0.6], [np.pi, 0.0, 0.0]])
def test_any_mounting_gives_the_same_strides(recording, turn):
    span = span_of(recording)
    q = from_rotation_vector(turn)
    turned = replace(
        span,
        gyr=rotate(q, span.gyr),
        acc=rotate(q, span.acc),
    )
    straight, other = (analyse_walking(s, NOBODY).strides for s in (span, turned))
    assert len(other) == len(straight)
    for a, b in zip(straight, other, strict=True):
        assert abs(a.length_to_s - b.length_to_s) < 1e-3
        assert abs((a.stride_length_m or 0.0) - (b.stride_length_m or 0.0)) < 1e-3
        assert abs(a.next_initial_contact_s - b.next_initial_contact_s) < 1e-3


@pytest.mark.data
def test_one_foot_alone_gives_its_own_strides(recording):
    both = analyse_walking(span_of(recording), NOBODY)
    right = analyse_walking(span_of(recording, (Segment.RIGHT_FOOT,)), NOBODY)
    assert [s.stride_length_m for s in right.strides] == [
        s.stride_length_m for s in both.strides if s.side == Side.RIGHT
    ]
    assert {s.side for s in right.strides} == {Side.RIGHT}


@pytest.mark.data
def test_lost_samples_widen_the_interval_and_are_flagged(recording):
    span = span_of(recording)
    whole = analyse_walking(span, NOBODY)
    hit = next(s for s in whole.strides if s.steady)
    lost = (span.time_s > hit.final_contact_s + 0.1) & (span.time_s < hit.final_contact_s + 0.2)
    gyr, acc, valid = span.gyr.copy(), span.acc.copy(), span.valid.copy()
    first, last = np.flatnonzero(lost)[[0, -1]]
    for reading in (gyr, acc):
        reading[lost] = np.linspace(reading[first - 1], reading[last + 1], int(lost.sum()))
    valid[lost] = False
    damaged = analyse_walking(replace(span, gyr=gyr, acc=acc, valid=valid), NOBODY)
    again = min(
        damaged.strides,
        key=lambda s: (s.side != hit.side, abs(s.length_from_s - hit.length_from_s)),
    )
    assert "lost_samples" in again.flags
    assert not again.steady
    assert again.stride_length_sd_m > 1.5 * hit.stride_length_sd_m


@pytest.mark.data
def test_a_bout_sums_up_its_strides(recording):
    walk = analyse_walking(span_of(recording), NOBODY)
    (bout,) = walk.bouts
    inside = [s for s in walk.strides if s.bout == bout.bout]
    assert bout.n_strides == len(inside) >= 27
    assert 90.0 < bout.cadence_spm < 130.0
    assert bout.speed_sd_mps < 0.02 * bout.speed_mps
    assert sum(s.steady for s in inside) >= 15


@pytest.mark.parametrize("segments", [(), (Segment.LEFT_FOOT,), tuple(Segment)])
@pytest.mark.parametrize("n_ticks", [0, 1, 3, 1000])
def test_nothing_comes_from_lying_still(segments, n_ticks):
    rng = np.random.default_rng(3)
    shape = (n_ticks, len(segments), 3)
    gyr = rng.normal(0.0, 0.002, shape)
    acc = rng.normal(0.0, 0.02, shape) + np.array([0.0, 0.0, 9.81])
    valid = np.ones(shape[:2], dtype=bool)
    walk = analyse_walking(Span(200.0, 5.0, segments, gyr, acc, None, valid, ~valid), NOBODY)
    assert walk.strides == walk.contacts == walk.bouts == ()


@pytest.mark.parametrize("fault", ["dead", "frozen", "lost", "gaps", "shaken", "clipped"])
def test_faulty_sensors_never_raise_nor_give_numbers_that_are_none(fault):
    rng = np.random.default_rng(7)
    walker = Walker(VirtualPerson(), [Stand(1), Walk(16), Stand(1)], seed=1)
    time_s = np.arange(0.0, walker.end_s, 0.01)
    readings = [walker.sensor(segment)(time_s) for segment in Segment]
    gyr = np.stack([r.gyr for r in readings], axis=1)
    acc = np.stack([r.acc for r in readings], axis=1)
    valid = np.ones(gyr.shape[:2], dtype=bool)
    half = len(time_s) // 2
    if fault == "dead":
        gyr[:, ::2], acc[:, ::2] = 0.0, 0.0
    elif fault == "frozen":
        gyr[half:], acc[half:], valid[half:] = gyr[half], acc[half], False
    elif fault == "lost":
        valid[rng.random(valid.shape) < 0.4] = False
    elif fault == "shaken":
        gyr += rng.normal(0.0, 3.0, gyr.shape)
        acc += rng.normal(0.0, 10.0, acc.shape)
    else:
        gyr, acc = np.clip(gyr, -3.0, 3.0), np.clip(acc, -16.0, 16.0)
    span = Span(100.0, 0.0, tuple(Segment), gyr, acc, None, valid, ~valid)
    walk = analyse_walking(with_gaps(span, rng) if fault == "gaps" else span, NOBODY)
    assert all(np.isfinite(c.time_s) for c in walk.contacts)
    for stride in walk.strides:
        assert stride.initial_contact_s <= stride.next_initial_contact_s
        assert not (stride.steady and stride.stride_length_m is None)
        for lasts_s in (stride.stance_time_s, stride.swing_time_s, stride.single_support_s):
            assert lasts_s is None or lasts_s >= 0.1
        assert stride.clearance_m is None or stride.clearance_m < 0.5
