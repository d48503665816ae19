"""What stands beside the samples of a recording: who, with what, how much, and its hashes."""

from __future__ import annotations

import hashlib
import json
import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationError

from edge.errors import UserError
from edge.files import write_whole
from edge.messages import Subject  # noqa: TC001 (the same)
from edge.results import Record
from sensors import Segment  # noqa: TC001 (pydantic reads it when the models are made)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .format import Tally

MANIFEST = "session.json"
JOURNAL = "journal.jsonl"
# What a result depends on besides our own code.
LIBRARIES = ("evenstride", "numpy", "pyarrow", "pyserial")


class Header(Record):
    """What is known when a recording starts: all that its results depend on.

    Attributes
    ----------
    origin_ns : int
        Host time of second 0.
    placements : dict of node to Segment
        Nodes that are not in it are recorded, and not analysed.
    calibrations : dict of node to record
        Whole calibrations, not only their names: the recording must do without our files.
    info : dict
        The person and the clinic's intake, with the names of plain recordings.
    """

    session: str
    rate_hz: float
    origin_ns: int
    placements: dict[str, Segment]
    subject: Subject | None = None
    site: str | None = None
    edge: str | None = None
    protocol: str | None = None
    config_sha256: str | None = None
    nodes: dict[str, dict[str, Any]] = Field(default_factory=dict)
    calibrations: dict[str, dict[str, Any]] = Field(default_factory=dict)
    info: dict[str, Any] = Field(default_factory=dict)


class SegmentFile(Record):
    """One file of samples."""

    name: str
    n: int
    first_ns: int
    last_ns: int
    sha256: str


class SensorCount(Record):
    """Samples of one sensor."""

    n: int
    n_lost: int


def counts_of(tally: Tally) -> dict[str, SensorCount]:
    """What a tally has counted."""
    return {name: SensorCount(n=n, n_lost=tally.n_lost[name]) for name, n in tally.n.items()}


class Manifest(Record):
    """The content of `session.json`."""

    format: Literal["recording/1.0"] = "recording/1.0"
    state: Literal["recording", "complete", "stopped", "recovered", "pruned"]
    reason: str | None = None
    started: str
    header: Header
    software: dict[str, str]
    segments: tuple[SegmentFile, ...] = ()
    sensors: dict[str, SensorCount] = Field(default_factory=dict)
    journal_sha256: str | None = None


def software() -> dict[str, str]:
    """Versions of what computes."""
    versions = {name: version(name) for name in LIBRARIES}
    return {**versions, "python": platform.python_version(), "machine": platform.platform()}


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace `session.json`, whole or not at all."""
    write_whole(folder / MANIFEST, manifest.model_dump_json(indent=1) + "\n")


def read_manifest(folder: Path) -> Manifest:
    """Read `session.json`.

    Raises
    ------
    UserError
        If the folder is no recording of ours, or its manifest is damaged.
    """
    path = folder / MANIFEST
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}: expected a recording's folder") from None
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(str(place) for place in fault["loc"])
        raise UserError(f"{path}: damaged: {key}: {fault['msg']}") from None


def journal_line(manifest: Manifest) -> str:
    """Line of the journal that repeats a manifest: one sector that is gone costs no recording."""
    return json.dumps({"kind": "manifest", "manifest": manifest.model_dump(mode="json")}) + "\n"


def read_manifest_or_copy(folder: Path) -> Manifest:
    """Read `session.json`, or where it is damaged what the journal repeats of it.

    Raises
    ------
    UserError
        As of `read_manifest`, where the journal does not help.
    """
    try:
        return read_manifest(folder)
    except UserError:
        first = next(read_journal(folder), {})
        if first.get("kind") != "manifest":
            raise
        try:
            return Manifest.model_validate(first.get("manifest"))
        except ValidationError:
            pass
        raise


def read_journal(folder: Path) -> Iterator[dict[str, Any]]:
    """Entries of the journal up to the first torn line."""
    path = folder / JOURNAL
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            try:
                entry = json.loads(line)
            except (ValueError, RecursionError):
                return
            if not isinstance(entry, dict) or not line.endswith(b"\n"):
                return
            yield entry


def sha256(path: Path) -> str:
    """Hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
