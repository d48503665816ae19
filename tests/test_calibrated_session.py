"""Calibrations at work: corrected while recording, corrected on replay, flagged on results."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from calibration.fits.accel import POSES, fit_accel
from calibration.fits.gyro import fit_gyro
from calibration.fits.holds import read_hold
from calibration.model import SensorCalibration
from calibration.store import CalibrationStore
from edge.acquire.session import Session
from edge.calibrated import load_corrections, read_corrections
from edge.errors import UserError
from edge.recording.manifest import Header
from edge.recording.reader import OwnRecording
from edge.recording.writer import RecordingWriter
from edge.store.store import Context, Store
from sensors import Segment
from tests.virtual_bench import GRAVITY, BenchSensor, as_block

MADE = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
PLACEMENTS = {"bench": Segment.PELVIS, "other": Segment.LEFT_FOOT}


@pytest.fixture
def rng():
    return np.random.default_rng(61)


@pytest.fixture
def sensor(rng):
    return BenchSensor.drawn(rng)


@pytest.fixture
def known(sensor, rng):
    holds = [read_hold(sensor.hold(rng, pose), pose) for pose in POSES]
    rest = read_hold(sensor.hold(rng, "z_up", 30.0), "rest")
    return SensorCalibration(
        sensor="bench",
        hardware_id="a1",
        accel=fit_accel(holds, MADE, GRAVITY),
        gyro=fit_gyro([rest], [], MADE),
    )


def test_blocks_are_corrected_by_the_node_that_sent_them(known, sensor, rng, tmp_path):
    CalibrationStore(tmp_path).save(known)
    corrections = load_corrections(tmp_path, PLACEMENTS)
    block = corrections.apply(as_block(sensor.hold(rng, "x_up")))
    assert np.linalg.norm(block.acc.mean(axis=0)) == pytest.approx(GRAVITY, abs=0.02)
    assert corrections.ids == (f"bench/{known.calibration_id}",)


def test_a_recording_carries_its_calibrations_and_is_replayed_with_them(
    known, sensor, rng, tmp_path
):
    CalibrationStore(tmp_path).save(known)
    corrections = load_corrections(tmp_path, PLACEMENTS)
    header = Header(
        session="s",
        rate_hz=100,
        origin_ns=0,
        placements=PLACEMENTS,
        calibrations=corrections.records,
    )
    writer = RecordingWriter(tmp_path / "r", header, lambda: 0)
    raw = as_block(sensor.hold(rng, "x_up"))
    writer.write([raw])
    writer.close()
    recording = OwnRecording(tmp_path / "r")
    ((segment, replayed),) = recording.blocks()
    (kept,) = recording.all_blocks()
    assert segment is Segment.PELVIS
    assert np.array_equal(kept.acc, raw.acc)
    assert np.array_equal(replayed.acc, corrections.apply(raw).acc)


def test_what_does_not_hold_is_flagged_with_its_node(known, tmp_path):
    CalibrationStore(tmp_path).save(known)
    corrections = load_corrections(tmp_path, PLACEMENTS)
    missing = ("uncalibrated:accel:other", "uncalibrated:gyro:other")
    assert corrections.flags(PLACEMENTS, MADE, {"bench": "a1"}) == missing
    swapped = corrections.flags(["bench"], MADE, {"bench": "b2"})
    assert swapped == ("calibration_mismatch:bench",)
    late = corrections.flags(["bench"], MADE + timedelta(days=365), {})
    assert "calibration_expired:accel:bench" in late


def test_every_result_of_a_session_bears_the_flags(tmp_path):
    store = Store(tmp_path / "store.sqlite")
    header = Header(session="s", rate_hz=100, origin_ns=0, placements=PLACEMENTS)
    session = Session(
        rate_hz=100,
        placements=PLACEMENTS,
        origin_ns=0,
        writer=RecordingWriter(tmp_path / "r", header, lambda: 0),
        store=store,
        about=Context(session="s"),
    )
    assert "uncalibrated:accel:bench" in session.about.quality.flags
    session.finish()
    store.close()


def test_damaged_calibrations_are_told(known, tmp_path):
    path = CalibrationStore(tmp_path).save(known)
    path.write_text("schema = 3")
    with pytest.raises(UserError, match="schema is 3"):
        load_corrections(tmp_path, ["bench"])
    with pytest.raises(UserError, match="calibration in the recording: sensor"):
        read_corrections({"bench": {"schema": "calibration/1.0"}})
