"""Magnetometer, noise and shared taps of the bench calibration."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest
from scipy.optimize import least_squares

from calibration.errors import Refused
from calibration.fits.mag import cells_filled, earth_field, fit_mag
from calibration.fits.noise import allan_deviation, fit_noise
from calibration.fits.sphere import fibonacci
from calibration.fits.taps import fit_timing
from calibration.model import Verdict
from tests.virtual_bench import RATE_HZ, BenchSensor, tapped

MADE = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
MUNICH = earth_field(48.1, 11.6, 520, date(2026, 3, 1))


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def turned_over(rng, bias_ut, matrix, noise_ut=0.3, seconds=60.0):
    """Slow turning in the hand: a smooth random walk over all orientations."""
    n = int(seconds * RATE_HZ)
    t = np.arange(n) / RATE_HZ
    a, b = 2 * np.pi * 0.31 * t + rng.uniform(0, 6), 2 * np.pi * 0.083 * t + rng.uniform(0, 6)
    up = np.stack([np.sin(a) * np.cos(b), np.sin(a) * np.sin(b), np.cos(a)], axis=1)
    side = np.stack([np.cos(a) * np.cos(b), np.cos(a) * np.sin(b), -np.sin(a)], axis=1)
    spun = np.cos(7 * b)[:, None] * side + np.sin(7 * b)[:, None] * np.cross(up, side)
    north = np.cos(MUNICH.dip_rad) * spun - np.sin(MUNICH.dip_rad) * up
    mag = MUNICH.strength_ut * north @ np.linalg.inv(matrix).T + bias_ut
    sensor = replace(BenchSensor.drawn(rng), acc_matrix=np.eye(3), acc_bias=np.zeros(3))
    return sensor.read(rng, 9.81 * up, np.zeros((n, 3)), mag + rng.normal(0, noise_ut, (n, 3)))


def soft_iron(rng):
    skew = rng.normal(0, 0.03, (3, 3))
    return np.eye(3) + (skew + skew.T) / 2


def test_world_magnetic_model_of_munich():
    # NOAA's calculator gives 48.8 uT and 64.4 deg for this place and year.
    assert MUNICH.strength_ut == pytest.approx(48.8, abs=0.1)
    assert np.degrees(MUNICH.dip_rad) == pytest.approx(64.4, abs=0.1)


def test_a_place_off_the_earth_is_refused():
    with pytest.raises(ValueError, match="latitude"):
        earth_field(148.1, 11.6, 0, date(2026, 3, 1))


def test_finds_a_hard_iron_larger_than_the_field(rng):
    bias, matrix = np.array([120.0, -70.0, 40.0]), soft_iron(rng)
    fit = fit_mag(turned_over(rng, bias, matrix), MUNICH, MADE)
    assert fit.verdict is Verdict.GREEN
    assert np.allclose(fit.bias_ut, bias, atol=0.2)
    assert np.allclose(fit.matrix, matrix, atol=0.005)
    assert abs(np.degrees(fit.dip_residual_rad)) < 0.5


def test_magnetometer_agrees_with_an_independent_solver(rng):
    readings = turned_over(rng, np.array([30.0, -20.0, 10.0]), soft_iron(rng))
    fit = fit_mag(readings, MUNICH, MADE)

    def off(x):
        upper = np.array([[x[3], x[6], x[7]], [0, x[4], x[8]], [0, 0, x[5]]])
        return np.linalg.norm((readings.mag - x[:3]) @ upper.T, axis=1) - MUNICH.strength_ut

    found = least_squares(off, [0, 0, 0, 1, 1, 1, 0, 0, 0])
    x = found.x
    upper = np.array([[x[3], x[6], x[7]], [0, x[4], x[8]], [0, 0, x[5]]])
    ours = np.array(fit.matrix)
    assert np.allclose(fit.bias_ut, x[:3], atol=np.array(fit.bias_u95_ut))
    assert np.allclose(ours @ ours, upper.T @ upper, atol=2 * np.max(fit.matrix_u95))


def test_magnetometer_uncertainty_covers_the_truth(rng):
    inside = []
    for _ in range(150):
        bias, matrix = rng.uniform(-60, 60, 3), soft_iron(rng)
        fit = fit_mag(turned_over(rng, bias, matrix, seconds=30.0), MUNICH, MADE)
        inside.append(np.abs(np.array(fit.bias_ut) - bias) <= fit.bias_u95_ut)
        off = np.abs(np.array(fit.matrix) - matrix)[np.triu_indices(3)]
        inside.append((off <= np.array(fit.matrix_u95)[np.triu_indices(3)])[:3])
        inside.append((off <= np.array(fit.matrix_u95)[np.triu_indices(3)])[3:])
    assert 0.93 < np.mean(inside) < 0.97


def test_a_magnet_near_is_refused(rng):
    readings = turned_over(rng, np.zeros(3), np.eye(3))
    # A magnet fixed in the room: its field is strong on the part of the way that passes it.
    near = np.exp(-(((readings.time_s - readings.time_s[3000]) / 4) ** 2))
    disturbed = readings.mag + 25 * near[:, None] * [1, 0, 0]
    with pytest.raises(Refused, match=r"a magnet.*repeat turn_over"):
        fit_mag(replace(readings, mag=disturbed), MUNICH, MADE)


def test_turning_about_one_axis_only_is_refused(rng):
    readings = turned_over(rng, np.zeros(3), np.eye(3))
    a = np.linspace(0, 20, len(readings))
    flat = MUNICH.strength_ut * np.stack([np.cos(a), np.sin(a), 0.05 * np.sin(3 * a)], axis=1)
    with pytest.raises(Refused, match="directions"):
        fit_mag(replace(readings, mag=flat), MUNICH, MADE)


def test_a_sensor_without_magnetometer_is_told_so(rng):
    with pytest.raises(Refused, match="no magnetometer"):
        fit_mag(BenchSensor.drawn(rng).hold(rng, "x_up"), MUNICH, MADE)


def test_cells_count_the_directions_shown():
    assert cells_filled(fibonacci(5000)) == 60
    assert cells_filled(fibonacci(5000)[:2500]) < 40


def test_white_noise_density_is_found(rng):
    sensor = BenchSensor.drawn(rng)
    fit = fit_noise(sensor.hold(rng, "z_up", 300.0), MADE)
    assert np.allclose(fit.acc_density_mps2_rthz, sensor.acc_noise / np.sqrt(RATE_HZ), rtol=0.05)
    assert np.allclose(fit.gyr_density_radps_rthz, sensor.gyr_noise / np.sqrt(RATE_HZ), rtol=0.05)
    assert fit.verdict is Verdict.GREEN


def test_allan_deviation_by_its_definition(rng):
    values = rng.normal(size=(900, 2)).cumsum(axis=0)
    tau, deviation = allan_deviation(10.0, values)
    size = round(tau[5] * 10)
    means = np.array([values[i : i + size].mean(axis=0) for i in range(900 - size + 1)])
    differences = means[size:] - means[:-size]
    assert np.allclose(deviation[5], np.sqrt(np.mean(differences**2, axis=0) / 2))


def test_a_noisy_sensor_is_red(rng):
    noisy = replace(BenchSensor.drawn(rng), acc_noise=0.3)
    fit = fit_noise(noisy.hold(rng, "z_up", 130.0), MADE)
    assert fit.verdict is Verdict.RED
    assert "replace it" in fit.findings[0]


def test_a_knock_during_the_long_rest_is_refused(rng):
    readings = BenchSensor.drawn(rng).hold(rng, "z_up", 130.0)
    acc = readings.acc.copy()
    acc[5000:5003] += 3.0
    with pytest.raises(Refused, match="repeat long_rest"):
        fit_noise(replace(readings, acc=acc), MADE)
    with pytest.raises(Refused, match="120 s"):
        fit_noise(readings.part(0, 60), MADE)


def test_shared_taps_find_the_offset_to_a_fraction_of_a_sample(rng):
    sensors = {
        "a": tapped(rng, "a", 0.0),
        "b": tapped(rng, "b", 0.0031),
        "c": tapped(rng, "c", 0.02),
    }
    fits = fit_timing(sensors, "a", MADE)
    assert fits["b"].offset_s == pytest.approx(0.0031, abs=5e-4)
    assert fits["b"].verdict is Verdict.GREEN
    assert fits["c"].verdict is Verdict.RED


def test_a_sensor_that_missed_a_tap_is_named(rng):
    sensors = {"a": tapped(rng, "a", 0.0), "b": tapped(rng, "b", 0.0, taps=7)}
    with pytest.raises(Refused, match="b felt 7 taps and a 8"):
        fit_timing(sensors, "a", MADE)
