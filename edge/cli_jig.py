"""`evenstride calibrate jig`: the leg-length method held against gauge blocks."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from .cli_calibrate import (
    DEFAULT_CONFIG,
    ConfigFile,
    Json,
    Port,
    SensorName,
    StoreFolder,
    TrialFolder,
)
from .errors import UserError

if TYPE_CHECKING:
    from calibration.trial import Readings, Trial

    from .clinic.jig import JigReport


def jig(
    sensor: SensorName,
    bar_mm: Annotated[
        float, typer.Option("--bar", min=50, max=500, help="Post to post, mm.")
    ] = 172,
    port: Port = None,
    trial: TrialFolder = None,
    store: StoreFolder = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Leg length on a bar of known length over gauge blocks: within 1 mm, or exit status 1."""
    from calibration import CalibrationStore, SensorCalibration
    from calibration.apply import correct
    from calibration.errors import CalibrationError
    from calibration.model import now_utc
    from calibration.trial import Trial

    from .clinic.jig import check_jig
    from .config import load_config

    if port is None and trial is None:
        raise UserError("give --port of the connected sensor, or --trial of a recorded one")
    known = CalibrationStore(store or load_config(config).folders.calibration)
    fresh = known.folder / "trials" / f"{sensor}-jig-{now_utc():%Y%m%dT%H%M%SZ}"
    kept = Trial(trial or fresh)
    try:
        readings = _walk(kept, port, sensor) if port else _taken(kept)
        calibration = known.load(sensor) or SensorCalibration(sensor=sensor)
        corrected = {name: correct(taken, calibration) for name, taken in readings.items()}
        report = check_jig(corrected, bar_mm / 1e3)
    except CalibrationError as error:
        raise UserError(str(error)) from error
    _show(report, as_json)
    if not report.passed:
        raise typer.Exit(1)


def _walk(kept: Trial, port: str, sensor: str) -> dict[str, Readings]:
    """Readings of all steps; leaves with status 0 where the technician stops half-way."""
    from calibration.guide import GuideWalk

    from .calibrate.source import NodeSource, collect
    from .calibrate.terminal import walk_guide
    from .clinic.jig import JIG, judge_jig

    source = NodeSource(port, sensor)
    try:
        walk = GuideWalk(JIG, kept, judge_jig)
        finished = walk_guide(walk, lambda step, tell: collect(source, step.seconds, tell))
    finally:
        source.close()
    if not finished:
        raise typer.Exit(0)
    return _taken(kept)


def _taken(kept: Trial) -> dict[str, Readings]:
    from calibration.guide import readings_of

    from .clinic.jig import JIG

    return readings_of(kept, [step.name for step in JIG.steps])


def _show(report: JigReport, as_json: bool) -> None:
    from .calibrate.show import print_table

    if as_json:
        content = asdict(report) | {"passed": report.passed, "worst_mm": report.worst_mm}
        sys.stdout.write(json.dumps(content) + "\n")
        return
    rows = [
        (f"{row.block_mm:.0f} mm", f"{row.measured_mm:.2f} mm", f"{row.error_mm:+.2f} mm")
        for row in report.rows
    ]
    print_table("Leg length on the jig", ("Block", "Measured", "Error"), rows)
    typer.echo(report.sentence)
