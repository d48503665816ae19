"""The technician at the terminal, and the commands from recorded trials."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from calibration.fits.accel import FACES
from calibration.fits.bench import JUDGES
from calibration.guide import ACCEL, GYRO, MAG, NOISE, TAPS
from calibration.store import CalibrationStore
from calibration.trial import GroupTrial, Trial
from edge.calibrate.fittings import last_alignments
from edge.calibrate.procedures import Bench, run_procedure
from edge.calibrate.source import collect
from edge.cli.calibrate import calibrate_app
from edge.errors import UserError
from sensors import Segment
from tests.virtual_bench import GRAVITY, BenchSensor, as_block, readings_for, tapped
from tests.virtual_walks import fitted, ten_steps


@pytest.fixture
def rng():
    return np.random.default_rng(53)


class TableSource:
    """A sensor that lies on the table as somebody put it, sampled as fast as it is read."""

    chip = "virtual"
    hardware_id = "v1"
    temperature_c = 24.5

    def __init__(self, sensor, rng):
        self.name = "bench"
        self._sensor, self._rng = sensor, rng
        self._time_s = 0.0
        self.pose = "z_up"
        self.silent = False

    def read(self, timeout_s):
        if self.silent:
            return []
        piece = self._sensor.hold(self._rng, self.pose, seconds=0.5, sd_rad=0.0, pose_error=0.0)
        self._time_s += 0.5
        return [as_block(replace(piece, time_s=piece.time_s + self._time_s))]

    def close(self):
        pass


class Technician:
    """Answers what was written down, and puts the sensor into the pose beside each answer."""

    def __init__(self, source, script):
        self._source, self._script = source, list(script)

    def __call__(self, _prompt):
        answer, pose = self._script.pop(0)
        self._source.pose = pose or self._source.pose
        return answer


def at_the_bench(tmp_path, source, script):
    out = io.StringIO()
    bench = Bench(
        sensor="bench",
        store=CalibrationStore(tmp_path),
        source=source,
        gravity_mps2=GRAVITY,
        console=Console(file=out, width=200),
        ask=Technician(source, script),
        sleep=lambda _: None,
    )
    return run_procedure("accel-six", bench), out.getvalue()


def test_a_technician_walks_all_faces(rng, tmp_path):
    source = TableSource(BenchSensor.drawn(rng), rng)
    made, said = at_the_bench(tmp_path, source, [("", face) for face in FACES])
    assert made.accel.n_poses == 6
    assert (made.chip, made.hardware_id) == ("virtual", "v1")
    assert CalibrationStore(tmp_path).load("bench") == made
    assert "6 of 6" in said


def test_a_wrong_pose_is_told_and_taken_again(rng, tmp_path):
    source = TableSource(BenchSensor.drawn(rng), rng)
    script = [("", "y_down")] + [("", face) for face in FACES]
    made, said = at_the_bench(tmp_path, source, script)
    assert "This is y_down, not x_up" in said
    assert made is not None


def test_stopping_loses_nothing(rng, tmp_path):
    source = TableSource(BenchSensor.drawn(rng), rng)
    begun = [("", face) for face in FACES[:4]]
    assert at_the_bench(tmp_path, source, [*begun, ("q", None)])[0] is None
    made, said = at_the_bench(tmp_path, source, [("", face) for face in FACES[4:]])
    assert "4 of 6 steps were done before" in said
    assert made.accel.n_poses == 6


def test_an_earlier_step_can_be_taken_again(rng, tmp_path):
    source = TableSource(BenchSensor.drawn(rng), rng)
    script = [("", FACES[0]), (f"r {FACES[0]}", None), ("s", None), *(("", f) for f in FACES)]
    made, said = at_the_bench(tmp_path, source, script)
    assert "cannot be left out" in said
    assert made.accel.n_poses == 6


def test_a_silent_sensor_is_named(rng):
    source = TableSource(BenchSensor.drawn(rng), rng)
    source.silent = True
    with pytest.raises(UserError, match=r"bench has sent nothing.*cable"):
        collect(source, 3.0)


def record_trials(sensor, rng, folder):
    """What the guides would have recorded."""
    accel, gyro = Trial(folder / "accel"), Trial(folder / "gyro")
    for step in ACCEL.steps:
        accel.save(step.name, sensor.hold(rng, step.name))
    for step in GYRO.steps:
        gyro.save(step.name, readings_for(step, sensor, rng))
    Trial(folder / "noise").save(NOISE.steps[0].name, sensor.hold(rng, "z_up", 150.0))


def command(*arguments):
    return CliRunner().invoke(calibrate_app, [str(a) for a in arguments])


def test_recorded_trials_are_fitted_again(rng, tmp_path):
    record_trials(BenchSensor.drawn(rng), rng, tmp_path)
    for name in ("accel", "gyro", "noise"):
        place = ("--latitude", 47) if name == "accel" else ()
        result = command(
            name, "node-1", "--trial", tmp_path / name, "--store", tmp_path / "s", "--json", *place
        )
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout)[name]["verdict"] == "green"
    known = CalibrationStore(tmp_path / "s").load("node-1")
    assert set(known.fits) == {"accel", "gyro", "noise"}


def test_verify_certificate_and_list(rng, tmp_path):
    sensor = BenchSensor.drawn(rng)
    record_trials(sensor, rng, tmp_path)
    store = ("--store", tmp_path / "s")
    command("accel", "node-1", "--trial", tmp_path / "accel", "--latitude", 47, *store)
    result = command("verify", "node-1", "--trial", tmp_path / "accel", *store)
    assert "Verification" in result.stdout
    page, pdf = tmp_path / "c.html", tmp_path / "c.pdf"
    assert command("certificate", "node-1", "--html", page, "--pdf", pdf, *store).exit_code == 0
    assert "node-1" in page.read_text()
    assert pdf.read_bytes().startswith(b"%PDF")
    assert json.loads(command("list", "--json", *store).stdout) == {"node-1": ["uncalibrated:gyro"]}


def test_the_magnetometer_needs_a_place_on_earth(tmp_path):
    place = ("--latitude", 100, "--longitude", 10)
    result = command("mag", "n", *place, "--trial", tmp_path, "--store", tmp_path)
    assert isinstance(result.exception, UserError)
    assert "latitude" in str(result.exception)


def test_a_refused_trial_is_one_sentence(rng, tmp_path):
    trial = Trial(tmp_path / "t")
    sensor = BenchSensor.drawn(rng)
    for step in ACCEL.steps[:7]:
        trial.save(step.name, sensor.hold(rng, step.name))
    result = command("accel", "n", "--trial", tmp_path / "t", "--store", tmp_path)
    assert isinstance(result.exception, UserError)
    assert "7 poses were held and 9 are needed" in str(result.exception)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("accel", "n"), "not configured: give --port"),
        (("certificate", "n"), "name the file"),
        (("certificate", "n", "--html", "c.html"), "has no calibration"),
    ],
)
def test_what_is_missing_is_said(arguments, told, tmp_path):
    result = command(*arguments, "--store", tmp_path)
    assert isinstance(result.exception, UserError)
    assert told in str(result.exception)


def test_placement_of_a_recording_tells_swapped_labels(rng, tmp_path):
    readings = ten_steps(rng)
    readings["left_foot"], readings["right_foot"] = readings["right_foot"], readings["left_foot"]
    arrays = {f"{name}_gyr": gyr for name, (gyr, _) in readings.items()}
    arrays |= {f"{name}_acc": acc for name, (_, acc) in readings.items()}
    np.savez(tmp_path / "walk.npz", fs=100.0, **arrays)
    result = command("placement", tmp_path / "walk.npz", "--json")
    assert result.exit_code == 1
    (sentence,) = json.loads(result.stdout)["suspected_swaps"]
    assert sentence.startswith("left_foot and right_foot are swapped")


def test_taps_of_a_recorded_trial(rng, tmp_path):
    trial = GroupTrial(tmp_path / "t", ["a", "b"])
    trial.save("taps", {"a": tapped(rng, "a", 0.0), "b": tapped(rng, "b", 0.002)})
    result = command("taps", "a", "--trial", tmp_path / "t", "--store", tmp_path / "s", "--json")
    assert json.loads(result.stdout)["timing"]["offset_s"] == pytest.approx(0.002, abs=5e-4)


def test_every_bench_guide_has_a_judge():
    assert {ACCEL.name, GYRO.name, MAG.name, NOISE.name} <= set(JUDGES)
    assert TAPS.steps[0].name == "taps"


def test_fit_of_a_recorded_person(rng, tmp_path):
    fitted(rng, tmp_path / "person")
    config = tmp_path / "none.toml"
    result = command(
        "fit", "--trial", tmp_path / "person", "--store", tmp_path, "--config", config, "--json"
    )
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["verdict"] == "green"
    assert {sensor["segment"] for sensor in told["sensors"]} == set(Segment)
    assert set(last_alignments(tmp_path)) == set(Segment)
