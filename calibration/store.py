"""Calibrations as TOML files, one per sensor: written whole or not at all, earlier ones kept."""

from __future__ import annotations

import os
import re
import tomllib
from typing import TYPE_CHECKING

import tomli_w
from pydantic import ValidationError

from .errors import StoreError
from .model import SCHEMA, SensorCalibration

if TYPE_CHECKING:
    from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class CalibrationStore:
    """A folder of calibrations.

    The newest of a sensor is `NAME.toml`; each one that it replaced is kept as `NAME.ID.toml`, ID
    its `calibration_id`, so that an old result can still be traced.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, sensor: str) -> Path:
        """Return the file of a sensor.

        Raises
        ------
        StoreError
            If the name could leave the folder.
        """
        if not _NAME.fullmatch(sensor):
            raise StoreError(
                f"sensor name {sensor!r}: expected letters, digits, '.', '_' and '-' only"
            )
        return self.folder / f"{sensor}.toml"

    def sensors(self) -> tuple[str, ...]:
        """Names of the sensors that have a calibration, sorted."""
        found = (f for f in self.folder.glob("*.toml") if not re.search(r"\.[0-9a-f]{12}$", f.stem))
        return tuple(sorted(f.stem for f in found))

    def load(self, sensor: str) -> SensorCalibration | None:
        """Return the newest calibration of a sensor, None where it was never calibrated.

        Raises
        ------
        StoreError
            If the file is damaged or of another schema; the text names key and expectation.
        """
        path = self.path(sensor)
        return read_toml(path) if path.exists() else None

    def save(self, calibration: SensorCalibration) -> Path:
        """Write a calibration, keep the one it replaces, and return its file."""
        path = self.path(calibration.sensor)
        self.folder.mkdir(parents=True, exist_ok=True)
        if path.exists():
            earlier = read_toml(path).calibration_id
            kept = path.with_name(f"{calibration.sensor}.{earlier}.toml")
            _write_whole(kept, path.read_bytes())
        _write_whole(path, write_toml(calibration).encode())
        return path


def write_toml(calibration: SensorCalibration) -> str:
    """Return the calibration as the text of its file; what is not known is left out."""
    return tomli_w.dumps(calibration.as_written())


def read_toml(path: Path) -> SensorCalibration:
    """Read one calibration file.

    Raises
    ------
    StoreError
        If it is missing, damaged or of another schema.
    """
    try:
        content = tomllib.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise StoreError(f"{path}: not a readable TOML file ({error}); calibrate again") from error
    schema = content.get("schema")
    if schema != SCHEMA:
        raise StoreError(f"{path}: schema is {schema!r}, expected {SCHEMA!r}")
    try:
        return SensorCalibration.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise StoreError(f"{path}: {key} is {first['input']!r}: {first['msg']}") from error


def _write_whole(path: Path, content: bytes) -> None:
    unfinished = path.with_name(f".{path.name}.unfinished")
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    # The rename itself must outlive a power cut.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
