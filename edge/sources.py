"""Opens whatever recording a person names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensors.plain import open_plain

if TYPE_CHECKING:
    from pathlib import Path

    from .analyze import Recording


def open_recording(path: Path, *, refit_clocks: bool = False) -> Recording:
    """A plain recording (.npz, .csv), or a folder that `evenstride acquire` recorded.

    `refit_clocks` fits the nodes' clocks anew, which a plain recording does not have.

    Raises
    ------
    RecordingError, UserError
        Where it is missing or damaged.
    """
    if path.is_dir():
        # Needs pyarrow: 0.2 s and 50 MB that a plain recording does without.
        from .recording.reader import OwnRecording  # noqa: PLC0415

        return OwnRecording(path, refit_clocks=refit_clocks)
    return open_plain(path)
