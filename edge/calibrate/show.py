"""Results of calibrating and fitting, for a person or as JSON, on standard output."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from calibration.certificate import certificate_of
from calibration.model import now_utc

from .fittings import fitting_content

if TYPE_CHECKING:
    from collections.abc import Sequence

    from calibration import SensorCalibration, Verdict
    from calibration.fitting.person import Fitting
    from calibration.fitting.placement import Placement

_COLOURS = {"green": "green", "amber": "yellow", "red": "red"}


def show_calibration(made: SensorCalibration, as_json: bool) -> Verdict:
    """Print all figures of a calibration with uncertainties and limits; returns its verdict."""
    page = certificate_of(made, now_utc())
    if as_json:
        content = made.model_dump(mode="json", by_alias=True)
        _print_json({**content, "calibration_id": made.calibration_id, "verdict": page.verdict})
        return page.verdict
    for section in page.sections:
        rows = [(r.what, r.unit, r.value, r.u95, r.limit) for r in section.rows]
        title = f"{made.sensor}: {section.title} {_light(section.fit.verdict)}"
        print_table(title, ("Quantity", "Unit", "Value", "± (95 %)", "Limit"), rows)
        for finding in section.fit.findings:
            Console().print(finding, markup=False)
    return page.verdict


def show_fitting(fitting: Fitting, as_json: bool) -> Verdict:
    """Print where every sensor sits and how well; returns the worst verdict."""
    if as_json:
        _print_json(fitting_content(fitting))
        return fitting.verdict
    sure = {seat.sensor: seat.confidence for seat in fitting.placement.seats}
    rows = [
        (
            fit.sensor,
            fit.segment,
            f"{100 * sure[fit.sensor]:.1f} %",
            "" if fit.alignment is None else f"{math.degrees(fit.alignment.spread_rad):.1f}°",
            _light(fit.verdict),
            "\n".join(fit.findings),
        )
        for fit in fitting.sensors
    ]
    columns = ("Sensor", "Sits on", "Sure", "Axis spread", "Light", "To do")
    print_table(f"Fitting, {fitting.placement.n_steps} straight steps", columns, rows)
    return fitting.verdict


def show_placement(found: Placement, swaps: Sequence[str], as_json: bool) -> None:
    """Print where every sensor sits, the evidence and the labels that contradict it."""
    if as_json:
        _print_json(
            {
                "seats": [asdict(seat) for seat in found.seats],
                "n_steps": found.n_steps,
                "evidence": dict(found.evidence),
                "suspected_swaps": list(swaps),
            }
        )
        return
    rows = [(s.sensor, s.segment, f"{100 * s.confidence:.1f} %") for s in found.seats]
    print_table(f"{found.n_steps} straight steps", ("Label", "Sits on", "Sure"), rows)
    evidence = [(cue, f"{ratio:+.1f}") for cue, ratio in found.evidence]
    print_table("Evidence for the sides", ("Cue", "Log-likelihood ratio"), evidence)
    for sentence in swaps:
        Console().print(sentence, markup=False)


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on standard output."""
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    Console().print(table)


def _print_json(content: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(content) + "\n")


def _light(verdict: Verdict) -> str:
    return f"[{_COLOURS[verdict]}]{verdict}[/]"
