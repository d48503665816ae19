"""The technician's jig: gauge blocks must come out within a millimetre."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from calibration.errors import Refused
from calibration.trial import Readings, Trial
from edge.cli.app import app
from edge.clinic.jig import BAR_M, BLOCKS_MM, JIG, ROCK, check_jig, judge_jig
from edge.errors import UserError
from tests.clinic_person import RATE_HZ, Protocol, Sensor, obliquity_of, turned

STEPS = {step.name: step for step in JIG.steps}


def readings(doing: Protocol) -> Readings:
    span = doing.span()
    n = len(span)
    return Readings(
        "pelvis", np.arange(n) / RATE_HZ, span.gyr[:, 0], span.acc[:, 0], None, np.zeros(n, bool)
    )


def held(sensor: Sensor, height_mm: float, slope: float = 0.0) -> Readings:
    doing = Protocol(obliquity_of(height_mm / 1e3, BAR_M) + slope, sensor)
    doing.stand(seconds=5.5, sway=0.0)
    return readings(doing)


def rocked(sensor: Sensor, slope: float = 0.0, rolls=(0.0,) * 6) -> Readings:
    doing = Protocol(slope, sensor)
    doing.bow(rolls)
    return readings(doing)


def jig(sensor: Sensor, slope: float = 0.0, slip_mm: float = 0.0) -> dict[str, Readings]:
    blocks = {f"block_{mm}": held(sensor, mm, slope) for mm in BLOCKS_MM}
    return {
        "level": held(sensor, 0.0, slope),
        "turned": held(sensor, 0.0, -slope),
        "rock": rocked(sensor, slope),
        **blocks,
        "level_again": held(sensor, slip_mm, slope),
    }


def calibrated(rng: np.random.Generator) -> Sensor:
    """As `Sensor.drawn`, at any roll, with axes aligned as the gyroscope's calibration leaves."""
    sensor = Sensor.drawn(rng)
    sensor.mount = turned(rng.uniform(-180, 180), rng.uniform(-30, 30), rng.uniform(-30, 30))
    sensor.acc_bias = rng.normal(0, 1e-3 * 9.81, 3)
    sensor.acc_scale = 1 + rng.normal(0, 5e-4, 3)
    sensor.misalignment = turned(*rng.normal(0, 0.05, 3))
    return sensor


def command(tmp_path, *arguments: str):
    folders = ("--store", str(tmp_path / "store"), "--config", str(tmp_path / "none.toml"))
    return CliRunner().invoke(app, ["calibrate", "jig", "back", *folders, *arguments])


def test_gauge_blocks_come_out_within_a_millimetre_at_any_roll():
    rng = np.random.default_rng(8)
    for _ in range(30):
        report = check_jig(jig(calibrated(rng), slope=rng.normal(0, 0.5)))
        assert report.passed, report.sentence
        assert [row.block_mm for row in report.rows] == [0, 5, 10, 15, 20]


def test_a_perfect_sensor_is_exact_and_the_slope_of_the_bench_is_told():
    report = check_jig(jig(Sensor(turned(35, 10, -20)), slope=0.8))
    assert report.worst_mm < 0.05
    assert report.bench_slope_deg == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize(("roll", "passes"), [(0.25, True), (0.5, False)])
def test_axes_of_gyroscope_and_accelerometer_that_disagree_do_not_pass(roll, passes):
    report = check_jig(jig(Sensor(misalignment=turned(roll=roll))))
    assert report.passed == passes
    assert ("Passed" if passes else "Not passed") in report.sentence


@pytest.mark.parametrize(("slip_mm", "passes"), [(0.2, True), (0.5, False)])
def test_a_clamp_that_slips_does_not_pass(slip_mm, passes):
    report = check_jig(jig(Sensor(), slip_mm=slip_mm))
    assert report.passed == passes
    assert ("clamp" in report.sentence) != passes


def test_a_missing_step_too_few_rockings_and_a_wandering_bar_are_refused_by_name():
    done = jig(Sensor())
    with pytest.raises(Refused, match="block_10") as caught:
        check_jig({k: v for k, v in done.items() if k != "block_10"})
    assert caught.value.step == "block_10"
    with pytest.raises(Refused, match="3 rockings count"):
        judge_jig(STEPS[ROCK], rocked(Sensor(), rolls=(0.0,) * 3))
    with pytest.raises(Refused, match="wandered"):
        judge_jig(STEPS[ROCK], rocked(Sensor(), rolls=(6, -6, 6, -6, 6, -6)))
    assert "6 rockings" in judge_jig(STEPS[ROCK], done[ROCK])
    assert judge_jig(STEPS["level"], done["level"]) == "still"


@pytest.mark.parametrize(("roll", "status"), [(0.1, 0), (0.6, 1)])
def test_the_command_judges_a_recorded_trial(tmp_path, roll, status):
    trial = Trial(tmp_path / "trial")
    for name, taken in jig(Sensor(misalignment=turned(roll=roll))).items():
        trial.save(name, taken)
    folder = ("--trial", str(tmp_path / "trial"))
    told = command(tmp_path, *folder)
    assert told.exit_code == status
    assert ("Passed: every height within" in told.output) == (status == 0)
    report = json.loads(command(tmp_path, *folder, "--json").stdout)
    assert report["passed"] == (status == 0)
    assert [row["block_mm"] for row in report["rows"]] == [0, 5, 10, 15, 20]


def test_the_command_needs_a_sensor_or_a_whole_trial(tmp_path):
    nothing = command(tmp_path).exception
    assert isinstance(nothing, UserError)
    assert "--port" in str(nothing)
    empty = command(tmp_path, "--trial", str(tmp_path / "t")).exception
    assert isinstance(empty, UserError)
    assert "level has not been done" in str(empty)
