"""Fits of the bench calibration against known errors and an independent solver."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from scipy.optimize import least_squares
from scipy.stats import t as student

from calibration.apply import correct_acc, correct_gyr
from calibration.errors import Refused
from calibration.fits.accel import (
    ANYWHERE_SD_MPS2,
    FACES,
    POSES,
    fit_accel,
    gravity_at,
    missing_pose,
)
from calibration.fits.gyro import fit_gyro, read_turn
from calibration.fits.holds import read_hold
from calibration.fits.sphere import Prior, fibonacci, fit_sphere, student_t95
from calibration.model import Verdict
from tests.virtual_bench import GRAVITY, BenchSensor

MADE = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
DRAWS = 1000
EIGHTEEN = tuple(POSES)[:18]
TURNS = [(face, n) for face in ("x_up", "y_up", "z_up") for n in (3, -3)]


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def accel_of(sensor, rng, poses=EIGHTEEN):
    holds = [read_hold(sensor.hold(rng, pose), pose) for pose in poses]
    return fit_accel(holds, MADE, GRAVITY)


def gyro_of(sensor, rng, accel):
    turns = [
        read_turn(sensor.turn(rng, face, n), f"turn_{face}_{n}", n, accel) for face, n in TURNS
    ]
    return fit_gyro([read_hold(sensor.hold(rng, "z_up", 30.0), "rest")], turns, MADE)


@pytest.fixture(scope="module")
def draws():
    """Fits of a thousand sensors drawn over the data sheets' spread."""
    rng = np.random.default_rng(2026)
    made = []
    for _ in range(DRAWS):
        sensor = BenchSensor.drawn(rng)
        accel = accel_of(sensor, rng)
        made.append((sensor, accel, gyro_of(sensor, rng, accel)))
    return made


def shares_covered(errors, half_widths):
    return np.mean(np.abs(errors) <= half_widths, axis=0)


def test_accelerometer_is_right_to_3_mg_after_calibration(draws):
    up = GRAVITY * fibonacci(50)
    worst = []
    for sensor, accel, _ in draws:
        read = up @ sensor.acc_matrix.T + sensor.acc_bias
        error = correct_acc(read, accel) - up @ sensor.to_sensor_frame.T
        worst.append(np.linalg.norm(error, axis=1).max())
    assert np.quantile(worst, 0.95) < 0.003 * GRAVITY


def test_accelerometer_uncertainty_covers_the_truth(draws):
    bias = [np.array(a.bias_mps2) - s.acc_bias for s, a, _ in draws]
    matrix = [(np.array(a.matrix) - s.acc_correction)[np.triu_indices(3)] for s, a, _ in draws]
    bias_u95 = [a.bias_u95_mps2 for _, a, _ in draws]
    matrix_u95 = [np.array(a.matrix_u95)[np.triu_indices(3)] for _, a, _ in draws]
    shares = np.concatenate([shares_covered(bias, bias_u95), shares_covered(matrix, matrix_u95)])
    assert np.all((shares > 0.93) & (shares < 0.97))


def test_gyroscope_scale_is_right_to_3_in_1000(draws):
    scale = [np.diag(np.array(g.matrix) - s.gyr_correction) for s, _, g in draws]
    assert np.quantile(np.abs(scale), 0.95) < 0.003


def test_gyroscope_uncertainty_covers_the_truth(draws):
    matrix = [np.array(g.matrix) - s.gyr_correction for s, _, g in draws]
    bias = [np.array(g.bias_radps) - s.gyr_bias for s, _, g in draws]
    shares = np.concatenate(
        [
            shares_covered(matrix, [g.matrix_u95 for _, _, g in draws]).ravel(),
            shares_covered(bias, [g.bias_u95_radps for _, _, g in draws]),
        ]
    )
    assert np.all((shares > 0.93) & (shares < 0.97))


def test_agrees_with_an_independent_solver(rng):
    sensor = BenchSensor.drawn(rng)
    holds = [read_hold(sensor.hold(rng, pose), pose) for pose in POSES]
    accel = fit_accel(holds, MADE, GRAVITY)
    up = np.stack([hold.acc for hold in holds])

    def off(x):
        lower = np.array([[x[3], 0, 0], [x[6], x[4], 0], [x[7], x[8], x[5]]])
        return np.linalg.norm((up - x[:3]) @ lower.T, axis=1) - GRAVITY

    found = least_squares(off, [0, 0, 0, 1, 1, 1, 0, 0, 0], xtol=1e-14, ftol=1e-14)
    lower = np.array(
        [[found.x[3], 0, 0], [found.x[6], found.x[4], 0], [found.x[7], found.x[8], found.x[5]]]
    )
    # A triangular correction is the symmetric one turned: the metric is what both share.
    ours = np.array(accel.matrix)
    assert np.allclose(accel.bias_mps2, found.x[:3], atol=2e-4)
    assert np.allclose(ours @ ours, lower.T @ lower, atol=2e-4)


def test_left_out_residuals_are_those_of_fits_without_the_pose(rng):
    up = GRAVITY * np.stack(list(POSES.values())) + rng.normal(0, 0.01, (26, 3))
    prior = Prior(0.6, 0.02, 0.01)
    whole = fit_sphere(up, GRAVITY, prior, 0.01)
    without = fit_sphere(np.delete(up, 5, axis=0), GRAVITY, prior, 0.01)
    predicted = np.linalg.norm((up[5] - without.bias) @ without.matrix) - GRAVITY
    assert whole.left_out[5] == pytest.approx(predicted, rel=0.02)


@pytest.mark.parametrize("dof", [3, 4, 6, 9, 15, 200])
def test_student_quantile(dof):
    assert student_t95(dof) == pytest.approx(student.ppf(0.975, dof), rel=2e-3)


def test_six_positions_say_what_they_leave_open(rng):
    sensor = BenchSensor.drawn(rng)
    six = accel_of(sensor, rng, FACES)
    full = accel_of(sensor, rng)
    assert six.form == "six"
    assert six.verdict is Verdict.AMBER
    assert six.error_u95_mps2 > 5 * full.error_u95_mps2
    assert full.verdict is Verdict.GREEN


def test_fewer_than_nine_poses_name_the_next_one(rng):
    sensor = BenchSensor.drawn(rng)
    with pytest.raises(Refused, match="7 poses were held") as refused:
        accel_of(sensor, rng, EIGHTEEN[:7])
    assert refused.value.step in POSES


def test_gravity_that_is_not_known_widens_the_scale_and_says_what_to_give(rng):
    sensor = BenchSensor.drawn(rng)
    holds = [read_hold(sensor.hold(rng, pose), pose) for pose in EIGHTEEN]
    anywhere = fit_accel(holds, MADE, GRAVITY, ANYWHERE_SD_MPS2)
    assert anywhere.matrix_u95[0][0] == pytest.approx(1.96 * ANYWHERE_SD_MPS2 / GRAVITY, rel=0.1)
    assert anywhere.bias_u95_mps2 == fit_accel(holds, MADE, GRAVITY).bias_u95_mps2
    assert anywhere.verdict is Verdict.AMBER
    assert "give --latitude" in anywhere.findings[0]


def test_a_side_without_pose_is_refused(rng):
    sensor = BenchSensor.drawn(rng)
    with pytest.raises(Refused, match=r"hold .*z_down.* as well"):
        accel_of(sensor, rng, [pose for pose in POSES if "z_down" not in pose])


def test_missing_pose_begins_with_the_faces():
    held = np.stack([POSES[face] for face in FACES[:3]])
    assert missing_pose(held)[0] in FACES[3:]


def test_a_disturbed_pose_is_named(rng):
    sensor = BenchSensor.drawn(rng)
    holds = [read_hold(sensor.hold(rng, pose), pose) for pose in EIGHTEEN]
    holds[4] = replace(holds[4], acc=holds[4].acc * 1.02)
    with pytest.raises(Refused, match=f"repeat {EIGHTEEN[4]}"):
        fit_accel(holds, MADE, GRAVITY)


def test_a_pose_that_moved_is_refused(rng):
    sensor = BenchSensor.drawn(rng)
    readings = sensor.hold(rng, "x_up")
    slipped = readings.acc + np.linspace(0, 0.2, len(readings))[:, None] * [0, 1, 0]
    with pytest.raises(Refused, match=r"moved during x_up.*repeat x_up") as refused:
        read_hold(replace(readings, acc=slipped), "x_up")
    assert refused.value.step == "x_up"


def test_a_saturated_hold_is_refused(rng):
    readings = BenchSensor.drawn(rng).hold(rng, "x_up")
    saturated = np.zeros(len(readings), dtype=bool)
    saturated[40] = True
    with pytest.raises(Refused, match="end of its range"):
        read_hold(replace(readings, saturated=saturated), "x_up")


def test_a_short_or_shaken_hold_is_refused(rng):
    sensor = BenchSensor.drawn(rng)
    with pytest.raises(Refused, match="too short"):
        read_hold(sensor.hold(rng, "x_up", seconds=1.0), "x_up")
    shaken = replace(sensor, acc_noise=0.5)
    with pytest.raises(Refused, match="shook"):
        read_hold(shaken.hold(rng, "x_up"), "x_up")


def test_a_miscounted_turn_is_refused(rng):
    sensor = BenchSensor.drawn(rng)
    with pytest.raises(Refused, match="count again"):
        read_turn(sensor.turn(rng, "z_up", 2), "turn_z", 3, None)


def test_turns_about_two_axes_name_the_third(rng):
    sensor = BenchSensor.drawn(rng)
    turns = [
        read_turn(sensor.turn(rng, face, n), "t", n, None)
        for face in ("x_up", "z_up")
        for n in (3, -3, 3)
    ]
    rest = read_hold(sensor.hold(rng, "z_up", 30.0), "rest")
    with pytest.raises(Refused, match="about the y axis: add turn_y"):
        fit_gyro([rest], turns, MADE)


def test_a_tipped_turn_is_refused(rng):
    sensor = BenchSensor.drawn(rng)
    readings = sensor.turn(rng, "z_up")
    tipped = readings.acc.copy()
    tipped[-200:] = sensor.hold(rng, "x_up").acc[:200]
    with pytest.raises(Refused, match="tipped"):
        read_turn(replace(readings, acc=tipped), "turn_z", 3, None)


def test_bias_follows_the_temperature(rng):
    sensor = BenchSensor.drawn(rng)
    slope = np.radians([0.01, -0.02, 0.015])
    rests = []
    for temperature_c in (15.0, 25.0, 35.0):
        warm = replace(sensor, gyr_bias=sensor.gyr_bias + slope * (temperature_c - 25))
        readings = replace(warm.hold(rng, "z_up", 30.0), temperature_c=temperature_c)
        rests.append(read_hold(readings, "rest"))
    fit = fit_gyro(rests, [], MADE)
    assert np.allclose(fit.bias_slope_radps_per_k, slope, atol=np.radians(2e-3))
    warm_rate = correct_gyr((sensor.gyr_bias + slope * 8)[None], fit, temperature_c=33.0)
    assert np.degrees(np.abs(warm_rate)).max() < 0.03


def test_bias_alone_is_amber(rng):
    sensor = BenchSensor.drawn(rng)
    fit = fit_gyro([read_hold(sensor.hold(rng, "z_up", 30.0), "rest")], [], MADE)
    assert fit.verdict is Verdict.AMBER
    assert "six counted turns" in fit.findings[-1]


def test_gravity_by_place():
    # Equator and pole of WGS 84, and Zurich by swisstopo's gravity map to 1e-3.
    assert gravity_at(0, 0) == pytest.approx(9.78033, abs=1e-5)
    assert gravity_at(90, 0) == pytest.approx(9.83218, abs=1e-5)
    assert gravity_at(47.4, 440) == pytest.approx(9.807, abs=1e-3)
