"""Guides walked step by step on the bench and on a person, refused, repeated, resumed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy.signal import bilinear, lfilter, lfilter_zi

from calibration.errors import CalibrationError, Refused, StoreError
from calibration.fits.accel import FACES, fit_accel
from calibration.fits.bench import JUDGES, accel_of_trial, finished, gyro_of_trial
from calibration.fits.gyro import fit_gyro
from calibration.fits.holds import read_hold
from calibration.fits.verify import verify
from calibration.fitting.person import fit_person, judge_fitting
from calibration.guide import ACCEL, ACCEL_SIX, FITTING, GUIDES, GYRO, GuideWalk
from calibration.model import SensorCalibration, Verdict
from calibration.trial import GroupTrial, Trial
from sensors import Segment
from tests.virtual_bench import GRAVITY, BenchSensor, readings_for
from tests.virtual_walks import fitted

MADE = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def rng():
    return np.random.default_rng(31)


def bench_walk(guide, folder):
    return GuideWalk(guide, Trial(folder), JUDGES[guide.name])


def walk_through(walk, sensor, rng):
    while walk.next is not None:
        assert walk.take(walk.next, readings_for(walk.next, sensor, rng)).taken


def test_every_step_has_one_name_and_says_what_to_do():
    for guide in GUIDES.values():
        names = [step.name for step in guide.steps]
        assert len(set(names)) == len(names)
        assert all(step.do.endswith(".") and step.seconds > 0 for step in guide.steps)


def test_accelerometer_and_gyroscope_from_trials(rng, tmp_path):
    sensor = BenchSensor.drawn(rng)
    walk_through(bench_walk(ACCEL, tmp_path / "accel"), sensor, rng)
    walk_through(bench_walk(GYRO, tmp_path / "gyro"), sensor, rng)
    accel = accel_of_trial(Trial(tmp_path / "accel"), MADE, GRAVITY)
    gyro = gyro_of_trial(Trial(tmp_path / "gyro"), MADE, accel)
    assert finished(ACCEL, Trial(tmp_path / "accel"))
    assert (accel.verdict, gyro.verdict) == (Verdict.GREEN, Verdict.GREEN)
    assert np.allclose(accel.bias_mps2, sensor.acc_bias, atol=0.02)
    assert np.allclose(gyro.matrix, sensor.gyr_correction, atol=0.003)


def test_goes_on_where_the_power_went(rng, tmp_path):
    sensor = BenchSensor.drawn(rng)
    walk = bench_walk(ACCEL_SIX, tmp_path)
    for _ in range(3):
        walk.take(walk.next, readings_for(walk.next, sensor, rng))
    assert bench_walk(ACCEL_SIX, tmp_path).next.name == FACES[3]


def test_a_refused_step_stays_next_and_its_readings_are_kept(rng, tmp_path):
    sensor = BenchSensor.drawn(rng)
    walk = bench_walk(ACCEL_SIX, tmp_path)
    outcome = walk.take(walk.next, sensor.hold(rng, "y_down"))
    assert not outcome.taken
    assert outcome.sentence == "This is y_down, not x_up: turn the sensor."
    assert walk.next.name == "x_up"
    assert len(Trial(tmp_path).load("x_up")) == 300


def test_a_step_can_be_repeated(rng, tmp_path):
    sensor = BenchSensor.drawn(rng)
    walk = bench_walk(ACCEL_SIX, tmp_path)
    walk_through(walk, sensor, rng)
    walk.repeat("z_up")
    assert walk.next.name == "z_up"


def test_only_optional_steps_are_left_out(tmp_path):
    walk = GuideWalk(FITTING, GroupTrial(tmp_path, ["a"]), judge_fitting)
    walk.leave_out("bows")
    with pytest.raises(CalibrationError, match="walk cannot be left out"):
        walk.leave_out("walk")


def calibrated(sensor, rng):
    holds = [read_hold(sensor.hold(rng, step.name), step.name) for step in ACCEL.steps]
    rest = read_hold(sensor.hold(rng, "z_up", 30.0), "rest")
    return SensorCalibration(
        sensor="bench",
        hardware_id="a1",
        accel=fit_accel(holds, MADE, GRAVITY),
        gyro=fit_gyro([rest], [], MADE),
    )


def faces_of(sensor, rng):
    return [read_hold(sensor.hold(rng, face), face) for face in FACES]


def test_verification_passes_a_sensor_that_holds(rng):
    sensor = BenchSensor.drawn(rng)
    assert verify(calibrated(sensor, rng), faces_of(sensor, rng), MADE).verdict is Verdict.GREEN


def test_verification_finds_a_sensor_that_was_dropped(rng):
    sensor = BenchSensor.drawn(rng)
    dropped = replace(sensor, acc_bias=sensor.acc_bias + np.array([0, 0.15, 0]))
    found = verify(calibrated(sensor, rng), faces_of(dropped, rng), MADE)
    assert found.verdict is Verdict.RED
    assert "calibrate the accelerometer again" in found.findings[0]


def test_verification_finds_another_sensor_and_an_expired_certificate(rng):
    sensor = BenchSensor.drawn(rng)
    known = calibrated(sensor, rng)
    assert verify(known, faces_of(sensor, rng), MADE, "b2").verdict is Verdict.RED
    late = verify(known, faces_of(sensor, rng), MADE + timedelta(days=200))
    assert late.verdict is Verdict.AMBER
    assert any("calibration_expired:accel" in finding for finding in late.findings)


def test_verification_needs_a_certificate_and_six_poses(rng):
    sensor = BenchSensor.drawn(rng)
    with pytest.raises(Refused, match="never calibrated"):
        verify(SensorCalibration(sensor="x"), faces_of(sensor, rng), MADE)
    with pytest.raises(Refused, match="6 are needed"):
        verify(calibrated(sensor, rng), faces_of(sensor, rng)[:3], MADE)


def test_a_good_fitting_is_green_all_over(rng, tmp_path):
    fitting = fit_person(fitted(rng, tmp_path), {s.value: s for s in Segment})
    assert [fit.findings for fit in fitting.sensors] == [()] * 5
    assert fitting.verdict is Verdict.GREEN
    assert all(fit.alignment is not None for fit in fitting.sensors)


def test_swapped_labels_are_red(rng, tmp_path):
    labels = {s.value: s for s in Segment}
    labels["left_foot"], labels["right_foot"] = Segment.RIGHT_FOOT, Segment.LEFT_FOOT
    fitting = fit_person(fitted(rng, tmp_path), labels)
    red = {fit.sensor for fit in fitting.sensors if fit.verdict is Verdict.RED}
    assert red == {"left_foot", "right_foot"}


def test_a_sensor_strapped_on_the_other_way_round_is_noticed(rng, tmp_path):
    fitting = fit_person(fitted(rng, tmp_path))
    last = {fit.sensor: fit.alignment for fit in fitting.sensors}
    up = np.array(last["pelvis"].standing_up)
    last["pelvis"] = last["pelvis"].model_copy(update={"standing_up": tuple(-up)})
    again = fit_person(GroupTrial(tmp_path), earlier=last)
    (finding,) = [finding for fit in again.sensors for finding in fit.findings]
    assert finding.startswith("pelvis is strapped on 180 deg otherwise")


def test_a_slipped_sensor_is_named(rng, tmp_path):
    def slip(name, gyr, acc, time_s):
        if name != "left_shank":
            return gyr, acc
        angle = np.radians(20) * np.clip((time_s - 12) / 3, 0, 1)
        turned = acc.copy()
        turned[:, 0] = np.cos(angle) * acc[:, 0] - np.sin(angle) * acc[:, 1]
        turned[:, 1] = np.sin(angle) * acc[:, 0] + np.cos(angle) * acc[:, 1]
        return gyr, turned

    fitting = fit_person(fitted(rng, tmp_path, slip))
    (fit,) = [fit for fit in fitting.sensors if fit.sensor == "left_shank"]
    assert fit.verdict is not Verdict.GREEN
    assert any("slipped" in finding for finding in fit.findings)


def test_a_loose_sensor_is_named(rng, tmp_path):
    """A mass on a soft strap: a resonance at 12 Hz that is hardly damped."""
    w = 2 * np.pi * 12
    b, a = bilinear([0.2 * w, w * w], [1, 0.2 * w, w * w], 100)

    def swung(values):
        return np.stack([lfilter(b, a, v, zi=lfilter_zi(b, a) * v[0])[0] for v in values.T], axis=1)

    def loosen(name, gyr, acc, time_s):
        return (swung(gyr), swung(acc)) if name == "right_shank" else (gyr, acc)

    fitting = fit_person(fitted(rng, tmp_path, loosen))
    assert [f.sensor for f in fitting.sensors if any("loose" in x for x in f.findings)] == [
        "right_shank"
    ]


def test_the_guide_of_fitting_judges_each_step(rng, tmp_path):
    trial = fitted(rng, tmp_path)
    walk = GuideWalk(FITTING, GroupTrial(tmp_path / "again", trial.sensors), judge_fitting)
    sentences = [walk.take(step, trial.load(step.name)).sentence for step in FITTING.steps]
    assert "straight steps" in sentences[1]
    assert sentences[2].startswith("5 bows seen by pelvis")
    assert walk.next is None


def test_a_fitting_without_walk_says_what_is_missing(rng, tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(StoreError, match="stand"):
        fit_person(GroupTrial(tmp_path))
