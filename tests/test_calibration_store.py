"""Calibrations on disk, applied to blocks, flagged when they no longer hold; trials kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.apply import apply, correct
from calibration.errors import StoreError
from calibration.fits.accel import POSES, fit_accel
from calibration.fits.gyro import fit_gyro
from calibration.fits.holds import read_hold
from calibration.model import AccelFit, SensorCalibration, TimingFit, Verdict
from calibration.store import CalibrationStore, read_toml, write_toml
from calibration.trial import Trial, from_blocks
from tests.virtual_bench import GRAVITY, BenchSensor, as_block

MADE = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.fixture
def calibration(rng):
    sensor = BenchSensor.drawn(rng)
    holds = [read_hold(sensor.hold(rng, pose), pose) for pose in POSES]
    rest = read_hold(sensor.hold(rng, "z_up", 30.0), "rest")
    return SensorCalibration(
        sensor="node-3",
        chip="LSM6DSOX",
        hardware_id="a1b2",
        accel=fit_accel(holds, MADE, GRAVITY),
        gyro=fit_gyro([rest], [], MADE),
    )


def test_comes_back_unchanged(calibration, tmp_path):
    store = CalibrationStore(tmp_path)
    store.save(calibration)
    assert store.load("node-3") == calibration
    assert store.sensors() == ("node-3",)
    assert store.load("node-4") is None


finite = st.floats(-1e3, 1e3)
triples = st.tuples(finite, finite, finite)


@settings(max_examples=30, deadline=None)
@given(triples, triples, st.floats(0, 1), st.text(max_size=20), st.integers(9, 40))
def test_any_record_survives_toml(tmp_path_factory, bias, u95, error, finding, n_poses):
    fit = AccelFit(
        made=MADE,
        method="accel_sphere@1.0",
        verdict=Verdict.AMBER,
        findings=(finding,),
        bias_mps2=bias,
        bias_u95_mps2=u95,
        matrix=((1, 0, 0), (0, 1, 0), (0, 0, 1)),
        matrix_u95=(u95, u95, u95),
        error_u95_mps2=error,
        pose_rms_mps2=error,
        left_out_rms_mps2=error,
        gravity_mps2=GRAVITY,
        n_poses=n_poses,
        form="poses",
    )
    record = SensorCalibration(sensor="s", accel=fit)
    path = tmp_path_factory.mktemp("toml") / "s.toml"
    path.write_bytes(write_toml(record).encode())
    assert read_toml(path) == record
    assert read_toml(path).calibration_id == record.calibration_id


def test_keeps_what_it_replaces(calibration, tmp_path):
    store = CalibrationStore(tmp_path)
    store.save(calibration)
    store.save(calibration.model_copy(update={"chip": "ISM330DHCX"}))
    earlier = tmp_path / f"node-3.{calibration.calibration_id}.toml"
    assert read_toml(earlier) == calibration
    assert store.sensors() == ("node-3",)


def test_leaves_no_half_file_behind(calibration, tmp_path):
    CalibrationStore(tmp_path).save(calibration)
    assert [f.name for f in tmp_path.iterdir()] == ["node-3.toml"]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda text: text[: len(text) // 2] + "= [", "not a readable TOML file"),
        (lambda text: text.replace("calibration/1.0", "calibration/9"), "schema is"),
        (lambda text: text.replace("n_poses = 26", 'n_poses = "many"'), "accel.n_poses is 'many'"),
        (lambda text: text.replace("n_poses", "poses"), "accel"),
    ],
)
def test_a_damaged_file_is_named_with_its_key(calibration, tmp_path, damage, told):
    path = CalibrationStore(tmp_path).save(calibration)
    path.write_text(damage(path.read_text()))
    with pytest.raises(StoreError, match=told):
        read_toml(path)


def test_a_name_cannot_leave_the_folder(tmp_path):
    with pytest.raises(StoreError, match="expected letters"):
        CalibrationStore(tmp_path).load("../passwd")


def test_flags_what_no_longer_holds(calibration):
    assert calibration.flags(MADE, "a1b2") == ()
    later = MADE + timedelta(days=181)
    assert "calibration_expired:accel" in calibration.flags(later)
    assert calibration.flags(MADE, "ffff") == ("calibration_mismatch",)
    bare = SensorCalibration(sensor="new")
    assert bare.flags(MADE) == ("uncalibrated:accel", "uncalibrated:gyro")
    red = calibration.accel.model_copy(update={"verdict": Verdict.RED})
    rejected = calibration.model_copy(update={"accel": red})
    assert rejected.flags(MADE) == ("calibration_rejected:accel",)


def test_apply_corrects_a_block_and_its_clock(calibration, rng):
    timing = TimingFit(
        made=MADE,
        method="timing_taps@1.0",
        verdict=Verdict.GREEN,
        reference="node-1",
        offset_s=0.002,
        offset_u95_s=0.0005,
        n_taps=8,
    )
    known = calibration.model_copy(update={"timing": timing})
    sensor = BenchSensor.drawn(np.random.default_rng(3))
    block = as_block(sensor.hold(rng, "y_up"))
    corrected = apply(block, known)
    assert np.linalg.norm(corrected.acc.mean(axis=0)) == pytest.approx(GRAVITY, abs=0.02)
    assert np.abs(np.degrees(corrected.gyr.mean(axis=0))).max() < 0.05
    assert np.all(block.host_ns - corrected.host_ns == 2_000_000)
    readings = correct(from_blocks([block]), known)
    assert np.array_equal(readings.acc, corrected.acc)


def test_an_uncalibrated_block_passes_unchanged(rng):
    block = as_block(BenchSensor.drawn(rng).hold(rng, "y_up"))
    assert np.array_equal(apply(block, SensorCalibration(sensor="bench")).acc, block.acc)


def test_trial_keeps_every_step_and_every_try(rng, tmp_path):
    sensor = BenchSensor.drawn(rng)
    trial = Trial(tmp_path / "trial")
    first, again = sensor.hold(rng, "x_up"), sensor.hold(rng, "x_up")
    trial.save("x_up", first)
    trial.save("y_up", first)
    trial.save("x_up", again)
    # Power goes while the next step is being written: its file is not there.
    (tmp_path / "trial" / "z_up.unfinished").write_bytes(b"half")
    resumed = Trial(tmp_path / "trial")
    assert resumed.done() == ("y_up", "x_up")
    assert np.array_equal(resumed.load("x_up").acc, again.acc)
    assert np.array_equal(resumed.load("x_up.earlier-1").acc, first.acc)


def test_a_step_never_taken_is_named(tmp_path):
    with pytest.raises(StoreError, match="take that step again"):
        Trial(tmp_path).load("z_up")


def test_blocks_of_two_sensors_are_no_step(rng):
    blocks = [as_block(BenchSensor.drawn(rng).hold(rng, "x_up")) for _ in range(2)]
    assert len(from_blocks(blocks)) == 600
    with pytest.raises(ValueError, match="one sensor"):
        from_blocks([])
