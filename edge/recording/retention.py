"""What of all recordings is kept, for how long, and in which order it goes."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from edge.errors import UserError

from .apart import recover_apart
from .manifest import (
    JOURNAL,
    MANIFEST,
    Manifest,
    read_manifest,
    read_manifest_or_copy,
    write_manifest,
)

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was deleted of a recording, and why."""

    folder: Path
    mb: float
    reason: str


def recordings_in(root: Path) -> list[tuple[Path, Manifest]]:
    """Recordings below a folder, the oldest first; folders that are none are passed over."""
    found = []
    for path in sorted(root.glob(f"*/{MANIFEST}")):
        try:
            found.append((path.parent, read_manifest(path.parent)))
        except UserError:
            continue
    return sorted(found, key=lambda item: item[1].started)


def recover_all(root: Path) -> list[Path]:
    """Close every recording that a crash left open, or whose manifest a failing card damaged.

    What cannot be recovered stays as it is: one recording must not keep a new one from its start.
    """
    closed = []
    for path in sorted(root.glob(f"*/{MANIFEST}")):
        try:
            if read_manifest_or_copy(path.parent).state == "recording":
                recover_apart(path.parent)
                closed.append(path.parent)
        except (UserError, OSError):
            continue
    return closed


def prune_recordings(
    root: Path, raw_days: float, reserve_mb: float, *, dry_run: bool = False
) -> list[Pruned]:
    """Delete raw samples that are too old, and the oldest ones while the disk lacks room.

    The manifest stays and says `pruned`: that something was measured is kept, the samples are not.
    A recording that runs is never touched.
    """
    gone: list[Pruned] = []
    missing = reserve_mb * 1e6 - shutil.disk_usage(root).free if root.exists() else 0.0
    for folder, manifest in recordings_in(root):
        if manifest.state in {"recording", "pruned"}:
            continue
        age_days = (time.time() - _seconds(manifest.started)) / 86_400
        too_old = age_days > raw_days
        if not too_old and missing <= 0:
            continue
        size = sum(path.stat().st_size for path in _raw(folder))
        reason = f"older than {raw_days:g} days" if too_old else "no room"
        gone.append(Pruned(folder, size / 1e6, reason))
        missing -= size
        if not dry_run:
            _delete_raw(folder, manifest, reason)
    return gone


def _delete_raw(folder: Path, manifest: Manifest, reason: str) -> None:
    # The manifest first: a crash in between leaves files that nobody counts on.
    write_manifest(
        folder,
        manifest.model_copy(
            update={"state": "pruned", "reason": reason, "segments": (), "journal_sha256": None}
        ),
    )
    for path in _raw(folder):
        path.unlink()


def _raw(folder: Path) -> list[Path]:
    return [*folder.glob("segment-*"), *folder.glob(JOURNAL)]


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).astimezone(UTC).timestamp()
