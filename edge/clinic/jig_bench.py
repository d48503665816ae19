"""The jig at a connected sensor, or again from a recorded trial: readings, report, table."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from calibration import SensorCalibration
from calibration.apply import correct
from calibration.guide import GuideWalk, readings_of
from calibration.model import now_utc
from calibration.trial import Trial
from edge.calibrate.show import print_table
from edge.calibrate.source import collect
from edge.calibrate.terminal import walk_guide

from .jig import JIG, check_jig, judge_jig

if TYPE_CHECKING:
    from pathlib import Path

    from calibration import CalibrationStore
    from edge.calibrate.source import SampleSource

    from .jig import JigReport


def run_jig(
    sensor: str,
    store: CalibrationStore,
    folder: Path | None,
    source: SampleSource | None,
    bar_m: float,
) -> JigReport | None:
    """Walk the jig's guide where a sensor is connected, and measure every height.

    Parameters
    ----------
    sensor : str
        Name of the pelvis sensor.
    store : CalibrationStore
        Its calibration is applied.
    folder : Path or None
        Of the raw readings; None is a new one beside the calibrations.
    source : SampleSource or None
        None measures from the trial as it is.
    bar_m : float
        Between the posts.

    Returns
    -------
    JigReport or None
        None where the technician stopped half-way.

    Raises
    ------
    CalibrationError
        With the step to repeat.
    """
    trial = Trial(folder or store.folder / "trials" / f"{sensor}-jig-{now_utc():%Y%m%dT%H%M%SZ}")
    if source is not None and not walk_guide(
        GuideWalk(JIG, trial, judge_jig),
        lambda step, tell: collect(source, step.seconds, tell),
    ):
        return None
    known = store.load(sensor) or SensorCalibration(sensor=sensor)
    taken = readings_of(trial, [step.name for step in JIG.steps])
    return check_jig({name: correct(readings, known) for name, readings in taken.items()}, bar_m)


def show_jig(report: JigReport, *, as_json: bool) -> None:
    """Print every height and the verdict on standard output."""
    if as_json:
        content = asdict(report) | {"passed": report.passed, "worst_mm": report.worst_mm}
        sys.stdout.write(json.dumps(content) + "\n")
        return
    rows = [
        (f"{row.block_mm:.0f} mm", f"{row.measured_mm:.2f} mm", f"{row.error_mm:+.2f} mm")
        for row in report.rows
    ]
    print_table("Leg length on the jig", ("Block", "Measured", "Error"), rows)
    sys.stdout.write(report.sentence + "\n")
