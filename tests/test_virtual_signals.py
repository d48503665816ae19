"""What a worn sensor reads: mounting, errors, clock, skin and losses act as they say."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from sensors import Segment
from sensors.virtual import Bow, Imperfections, Skin, Stand, Turn, VirtualPerson, Walk, Walker
from sensors.virtual.body.kinematics import matrix
from sensors.virtual.chance import lost, noise

HALF = 0.5**0.5
SHIN = Segment.LEFT_SHANK


@cache
def walker() -> Walker:
    return Walker(VirtualPerson(), [Stand(2.0), Walk(10), Stand(2.0)], seed=1)


TIMES = np.arange(0.0, 8.0, 0.005)


def test_a_turned_sensor_reads_the_same_vectors_along_its_own_axes():
    # Turned by 90 degrees about z: its x points left, its y backward.
    turned = Imperfections(q_sensor_to_segment=(HALF, 0.0, 0.0, HALF), has_mag=True)
    ideal = walker().sensor(SHIN, Imperfections(has_mag=True))(TIMES)
    seen = walker().sensor(SHIN, turned)(TIMES)
    for a, b in zip(ideal, seen, strict=True):
        assert np.allclose(b, np.column_stack([a[:, 1], -a[:, 0], a[:, 2]]))


def test_bias_scale_and_range_act_on_each_axis():
    how = Imperfections(
        gyr_bias=(0.1, 0.0, -0.1),
        acc_bias=(0.0, 0.2, 0.0),
        gyr_scale=(1.0, 1.01, 1.0),
        acc_scale=(0.99, 1.0, 1.0),
        gyr_range=4.0,
        acc_range=20.0,
    )
    ideal, seen = walker().sensor(SHIN)(TIMES), walker().sensor(SHIN, how)(TIMES)
    gyr = np.clip(ideal.gyr * [1, 1.01, 1] + [0.1, 0, -0.1], -4, 4)
    acc = np.clip(ideal.acc * [0.99, 1, 1] + [0, 0.2, 0], -20, 20)
    assert np.allclose(seen.gyr, gyr)
    assert np.allclose(seen.acc, acc)
    assert np.abs(seen.gyr).max() == 4.0


def test_a_misaligned_gyroscope_turns_its_rates_by_a_small_angle():
    how = Imperfections(gyr_misalignment=(0.0, 0.0, 0.01))
    ideal, seen = walker().sensor(SHIN)(TIMES), walker().sensor(SHIN, how)(TIMES)
    assert np.allclose(seen.gyr[:, 0], ideal.gyr[:, 0] + 0.01 * ideal.gyr[:, 1])
    assert np.allclose(seen.acc, ideal.acc)


def test_a_clock_with_offset_and_drift_reads_the_true_moment_late():
    how = Imperfections(clock_offset_s=1.5, clock_drift_ppm=200.0)
    ideal = walker().sensor(SHIN)(TIMES)
    seen = walker().sensor(SHIN, how)(TIMES * 1.0002 + 1.5)
    assert np.allclose(seen.acc, ideal.acc, atol=1e-9)
    assert np.allclose(how.true_time(how.clock(TIMES)), TIMES)
    assert how.clock(np.array([100.0])) == pytest.approx(101.52)


def test_noise_depends_on_the_moment_and_the_seed_only():
    how = Imperfections(gyr_noise=0.002, acc_noise=0.02, has_mag=True, mag_noise=0.5, seed=7)
    signal = walker().sensor(SHIN, how)
    whole, part = signal(TIMES), signal(TIMES[700:900])
    other = walker().sensor(SHIN, replace(how, seed=8))(TIMES)
    for a, b, c in zip(whole, part, other, strict=True):
        assert np.array_equal(a[700:900], b)
        assert not np.allclose(a, c)


def test_noise_is_white_normal_and_independent_between_axes_and_kinds():
    times = np.arange(0, 100, 0.005)
    columns = np.hstack([noise(times, 3, kind) for kind in range(3)])
    assert np.abs(columns.mean(axis=0)).max() < 0.03
    assert np.abs(columns.std(axis=0) - 1).max() < 0.02
    assert np.abs(np.corrcoef(columns.T) - np.eye(9)).max() < 0.03
    assert np.abs(np.mean(columns[1:] * columns[:-1], axis=0)).max() < 0.03
    assert np.mean(np.abs(columns) < 1) == pytest.approx(0.6827, abs=0.005)


def test_lost_samples_go_by_packets_and_in_the_stated_share():
    samples = np.arange(200_000)
    missing = lost(samples, 0.04, run=10, seed=1)
    assert missing.mean() == pytest.approx(0.04, abs=0.005)
    assert (missing.reshape(-1, 10).all(axis=1) | ~missing.reshape(-1, 10).any(axis=1)).all()
    assert np.array_equal(lost(samples[::-1], 0.04, 10, 1)[::-1], missing)
    assert not lost(samples, 0.0, 10, 1).any()


def test_skin_rings_after_contact_and_is_still_in_standing():
    bolted, worn = walker().sensor(SHIN), walker().sensor(SHIN, skin=Skin())
    step = next(c for c in walker().truth.contacts if c.kind == "ic" and c.side == "left")
    ringing = step.time_s + np.arange(0, 0.15, 0.001)
    standing = np.array([0.0, 1.0, walker().end_s])
    assert np.abs(worn(ringing).gyr - bolted(ringing).gyr).max() > 0.5
    assert np.allclose(worn(standing).acc, bolted(standing).acc, atol=1e-12)


def test_skin_neither_foresees_a_contact_nor_goes_on_ringing():
    bolted, worn = walker().sensor(SHIN), walker().sensor(SHIN, skin=Skin())
    contacts = [c for c in walker().truth.contacts if c.kind == "ic" and c.side == "left"]
    for step, following in pairwise(contacts):
        between = np.linspace(step.time_s + 0.2, following.time_s - 0.001, 100)
        assert np.allclose(worn(between).gyr, bolted(between).gyr, atol=1e-6)


def test_readings_on_skin_are_still_derivatives_of_its_motion():
    signal = walker().sensor(SHIN, skin=Skin(stride_turn=(0.01, 0.0, 0.02)))
    h = 1e-5
    t = np.linspace(2.5, 6.0, 500)
    here, before, after = (signal.kinematics(t + d) for d in (0.0, -h, h))
    velocity = (after.position - before.position) / (2 * h)
    acceleration = (after.velocity - before.velocity) / (2 * h)
    growth = (after.angular_rate - before.angular_rate) / (2 * h)
    turn = np.einsum("nji,njk->nik", here.rotation, (after.rotation - before.rotation) / (2 * h))
    rate = np.column_stack([turn[:, 2, 1], turn[:, 0, 2], turn[:, 1, 0]])
    assert np.abs(here.velocity - velocity).max() < 1e-6
    assert np.abs(here.acceleration - acceleration).max() < 0.05
    assert np.abs(here.angular_rate - rate).max() < 1e-5
    assert np.abs(here.angular_acceleration - growth).max() < 0.05


def test_a_bow_turns_about_the_hip_axis_however_the_pelvis_sensor_sits():
    person = VirtualPerson()
    walker = Walker(person, [Stand(1.0), Bow(3), Stand(1.0)])
    mounting = (0.9, 0.3, -0.2, 0.24)
    mounting = tuple(np.array(mounting) / np.linalg.norm(mounting))
    gyr = walker.sensor(Segment.PELVIS, Imperfections(q_sensor_to_segment=mounting))(
        np.arange(1.0, 13.0, 0.01)
    ).gyr
    axis = np.linalg.svd(gyr)[2][0]
    hips = matrix(np.array([mounting]))[0].T @ [0.0, 1.0, 0.0]
    assert abs(axis @ hips) == pytest.approx(1.0, abs=1e-12)


def test_a_half_turn_takes_the_floor_slope_out_of_the_standing_obliquity():
    walker = Walker(VirtualPerson(), [Stand(2.0), Turn(step_length_m=0.0), Stand(2.0)])
    slope = np.radians(1.0)
    reading = walker.sensor(Segment.PELVIS, floor_slope=slope)(np.array([0.0, walker.end_s])).acc
    level = walker.sensor(Segment.PELVIS)(np.array([0.0, walker.end_s])).acc
    leaning = (reading - level)[:, 1] / 9.81
    assert leaning[0] == pytest.approx(slope, rel=0.02)
    assert leaning.sum() == pytest.approx(0.0, abs=1e-3)
