"""The orientation filter against truth: walking people exactly, a hand-moved rig by cameras."""

from __future__ import annotations

import numpy as np
import pytest

from cext import OrientationFilter, quaternion, smooth_orientation
from sensors import Segment
from sensors.virtual import Imperfections, Stand, VirtualPerson, Walk, Walker

RATE_HZ = 100.0
UP = np.array([0.0, 0.0, 1.0])


def inclination_deg(a, b):
    up = [quaternion.rotate(quaternion.conjugate(q), UP) for q in (a, b)]
    return np.degrees(np.arccos(np.clip(np.sum(up[0] * up[1], axis=-1), -1, 1)))


def rms(x):
    return float(np.sqrt(np.mean(np.square(x))))


@pytest.fixture(scope="module")
def walkers():
    """Readings and truth by segment: standing, then a minute of walking, or walking at once."""
    rng = np.random.default_rng(2)
    walker = Walker(VirtualPerson(), [Stand(4), Walk(80, 1.2), Stand(2)], seed=1)
    time_s = np.arange(0.0, walker.end_s, 1 / RATE_HZ)
    found = {}
    for segment in Segment:
        how = Imperfections(
            gyr_bias=tuple(rng.normal(0, np.radians(1), 3)),
            gyr_scale=tuple(1 + rng.normal(0, 0.003, 3)),
            acc_bias=tuple(rng.normal(0, 0.03, 3)),
            gyr_noise=0.003,
            acc_noise=0.05,
            seed=4,
        )
        signal = walker.sensor(segment, how)
        readings = signal(time_s)
        # Rates of an instant, held for a sample, turn to half a sample after it.
        truth = signal.kinematics(time_s + 0.5 / RATE_HZ).q_segment_to_earth
        found[segment] = (
            np.ascontiguousarray(readings.gyr),
            np.ascontiguousarray(readings.acc),
            truth,
        )
    return found


@pytest.mark.parametrize("segment", list(Segment))
@pytest.mark.parametrize("from_s", [0, 6])
def test_walking_does_not_bend_a_segment(walkers, segment, from_s):
    """From standing, and from a start in the middle of a stride."""
    cut = slice(round(from_s * RATE_HZ), None)
    gyr, acc, truth = (np.ascontiguousarray(x[cut]) for x in walkers[segment])
    settled = slice(round(12 * RATE_HZ), None)
    live = inclination_deg(OrientationFilter(RATE_HZ).update_block(gyr, acc), truth)
    assert rms(live[settled]) < 1.3
    assert rms(inclination_deg(smooth_orientation(RATE_HZ, gyr, acc), truth)) < 1.2


@pytest.mark.parametrize("segment", list(Segment))
def test_ten_degrees_a_second_of_bias_are_found_in_walking(walkers, segment):
    """No rest at all: from the middle of a stride, a bias that no calibration has removed."""
    cut = slice(round(6 * RATE_HZ), None)
    gyr, acc, truth = (np.ascontiguousarray(x[cut]) for x in walkers[segment])
    gyr = gyr + np.radians([10.0, -10.0, 10.0])
    live = inclination_deg(OrientationFilter(RATE_HZ).update_block(gyr, acc), truth)
    assert rms(live[round(20 * RATE_HZ) :]) < 1.5


def test_the_inclination_keeps_what_its_uncertainty_says(walkers):
    """Of all moments and segments in walking at least 95 % lie within two standard deviations."""
    within = []
    for gyr, acc, truth in walkers.values():
        sensor = OrientationFilter(RATE_HZ)
        for i in range(0, len(gyr) - 25, 25):
            q = sensor.update_block(gyr[i : i + 25], acc[i : i + 25])[-1]
            off = inclination_deg(q, truth[i + 24])
            within.append(off < 2 * np.degrees(sensor.inclination_sd[0]))
    assert np.mean(within) > 0.95


TRIALS = ("04_undisturbed_slow_rotation_with_breaks_A", "33_disturbed_attached_magnet_2cm")


@pytest.mark.data
@pytest.mark.parametrize("trial", TRIALS)
def test_uncertainty_covers_the_optical_truth_without_being_idle(data_folder, trial):
    with np.load(data_folder / "broad" / f"{trial}.npz") as z:
        rate_hz, moving = float(z["rate"]), z["movement"].astype(bool)
        gyr, acc, mag, truth = (
            np.asarray(z[k], dtype=float) for k in ("gyr", "acc", "mag", "opt_quat")
        )
    sensor, step = OrientationFilter(rate_hz), 29
    off, sd = [], []
    for i in range(0, len(gyr) - step, step):
        block = slice(i, i + step)
        q = sensor.update_block(gyr[block], acc[block], mag[block])[-1]
        at = i + step - 1
        if moving[at] and np.isfinite(truth[at]).all():
            error = quaternion.multiply(q, quaternion.conjugate(truth[at]))
            turned = np.abs(2 * np.arctan2(error[3], error[0]))
            off.append((np.radians(inclination_deg(q, truth[at])), min(turned, 2 * np.pi - turned)))
            sd.append((sensor.inclination_sd[0], sensor.heading_sd[0]))
    off, sd = np.array(off), np.array(sd)
    assert (np.mean(off < 2 * sd, axis=0) > 0.95).all()
    assert rms(sd[:, 0]) < 3 * rms(off[:, 0])


@pytest.mark.data
def test_a_bias_or_a_start_in_movement_costs_little(data_folder):
    """One trial: 3 deg/s on every axis changes nothing; without a rest first, below 4 deg."""
    with np.load(data_folder / "broad" / f"{TRIALS[0]}.npz") as z:
        rate_hz, moving = float(z["rate"]), z["movement"].astype(bool)
        gyr, acc, mag, truth = (
            np.asarray(z[k], dtype=float) for k in ("gyr", "acc", "mag", "opt_quat")
        )

    def total_deg(start, bias):
        q = OrientationFilter(rate_hz).update_block(gyr[start:] + bias, acc[start:], mag[start:])
        use = moving[start:] & np.isfinite(truth[start:]).all(axis=1)
        error = quaternion.multiply(q[use], quaternion.conjugate(truth[start:][use]))
        return np.degrees(rms(np.linalg.norm(quaternion.to_rotation_vector(error), axis=1)))

    begin, bias = int(np.argmax(moving)), np.radians(3.0)
    assert total_deg(0, 0.0) < 1.5
    assert total_deg(0, bias) < 1.5
    assert total_deg(begin, 0.0) < 3.0
    assert total_deg(begin, bias) < 4.0
