"""The last fitting on disk, beside the calibrations: where each sensor sat, and how."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from calibration.fitting.alignment import Alignment
from edge.errors import UserError
from edge.files import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from calibration.fitting.person import Fitting

FILE = "fitting.json"
SCHEMA = "fitting/1.0"


def fitting_content(fitting: Fitting) -> dict[str, Any]:
    """What the file and `--json` hold."""
    return {
        "schema": SCHEMA,
        "verdict": fitting.verdict,
        "n_steps": fitting.placement.n_steps,
        "evidence": dict(fitting.placement.evidence),
        "sensors": [
            {
                "sensor": fit.sensor,
                "segment": fit.segment,
                "verdict": fit.verdict,
                "findings": list(fit.findings),
                "alignment": fit.alignment and fit.alignment.model_dump(mode="json"),
            }
            for fit in fitting.sensors
        ],
    }


def save_fitting(folder: Path, fitting: Fitting) -> None:
    """Write the fitting; the one before is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / FILE, json.dumps(fitting_content(fitting), indent=1))


def last_findings(folder: Path) -> tuple[float, list[dict[str, Any]]] | None:
    """When the last fitting was (UTC, s), and `segment`, `verdict`, `findings` of each sensor.

    None where there was none, or where its file is damaged.
    """
    path = folder / FILE
    keys = ("segment", "verdict", "findings")
    try:
        rows = json.loads(path.read_text())["sensors"]
        return path.stat().st_mtime, [{key: row[key] for key in keys} for row in rows]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def last_alignments(folder: Path) -> dict[str, Alignment]:
    """Alignments of the last fitting by sensor; empty where there was none.

    Raises
    ------
    UserError
        If the file is damaged.
    """
    path = folder / FILE
    if not path.exists():
        return {}
    try:
        rows = json.loads(path.read_text())["sensors"]
        aligned = [row["alignment"] for row in rows if row["alignment"] is not None]
        found = [Alignment.model_validate(row) for row in aligned]
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise UserError(f"{path}: damaged ({error}); delete it and fit again") from error
    return {alignment.sensor: alignment for alignment in found}
