"""Opens whatever recording a person names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensors.plain import open_plain

if TYPE_CHECKING:
    from pathlib import Path

    from .analyze import Recording


def open_recording(path: Path) -> Recording:
    """A plain recording (.npz, .csv), or a folder that `evenstride acquire` recorded.

    Raises
    ------
    RecordingError
        Where it is missing or damaged.
    """
    return open_plain(path)
