"""Opens a recording for analysis or replay: its blocks in the order they came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge.calibrated import read_corrections
from edge.errors import UserError

from .archive import DAMAGE, read_pieces, segment_paths
from .format import blocks_of, runs_of
from .manifest import JOURNAL, read_journal, read_manifest, sha256
from .reclock import Reclock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sensors import Block, Segment

    from .manifest import Manifest

# Of a marker, what is not content.
MARKER_KEYS = {"kind", "label", "t_mono_ns"}


class OwnRecording:
    """A folder that `RecordingWriter` wrote; opening reads the manifest and the journal only.

    Parameters
    ----------
    folder : Path
        The recording.
    refit_clocks : bool
        Whether `blocks` gives times fitted afterwards, instead of those of the live run.

    Attributes
    ----------
    manifest : Manifest
        Who, with what, how much.

    Raises
    ------
    UserError
        If the folder is no recording, or was never finished.
    """

    def __init__(self, folder: Path, *, refit_clocks: bool = False) -> None:
        self.manifest: Manifest = read_manifest(folder)
        self._folder = folder
        self._refit_clocks = refit_clocks
        if self.manifest.state == "recording":
            raise UserError(
                f"{folder}: not finished; close it with: evenstride recording recover {folder}"
            )
        if not self.manifest.segments:
            raise UserError(f"{folder}: holds no samples (state: {self.manifest.state})")

    @property
    def rate_hz(self) -> float:
        """Ticks a second of the time grid."""
        return self.manifest.header.rate_hz

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Those that carry a sensor."""
        return tuple(self.manifest.header.placements.values())

    @property
    def start_s(self) -> float:
        """Time of its beginning on its own axis."""
        return 0.0

    @property
    def origin_ns(self) -> int:
        """Host time of its beginning."""
        return self.manifest.header.origin_ns

    @property
    def duration_s(self) -> float:
        """Recorded time."""
        return (max(s.last_ns for s in self.manifest.segments) - self.origin_ns) / 1e9

    @property
    def info(self) -> dict[str, Any]:
        """What is known of the person: at the start, and by the intake of a protocol."""
        info = dict(self.manifest.header.info)
        for told in self._markers("info"):
            info |= told
        return info

    @property
    def phases(self) -> tuple[dict[str, Any], ...]:
        """Labelled phases of a clinic protocol, from the journal's markers."""
        return tuple(self._markers("phase"))

    def _markers(self, label: str) -> Iterator[dict[str, Any]]:
        for entry in read_journal(self._folder):
            if entry.get("kind") == "marker" and entry.get("label") == label:
                yield {key: value for key, value in entry.items() if key not in MARKER_KEYS}

    def blocks(self) -> Iterator[tuple[Segment, Block]]:
        """Samples of all placed sensors, corrected, a minute of them in memory: see `runs_of`."""
        placements = self.manifest.header.placements
        corrections = read_corrections(self.manifest.header.calibrations)
        reclock = self._reclock()
        for block in self._read(runs_of):
            segment = placements.get(block.sensor)
            if segment is not None:
                yield segment, corrections.apply(reclock.apply(block))

    def _reclock(self) -> Reclock:
        try:
            return Reclock(read_journal(self._folder) if self._refit_clocks else ())
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise UserError(
                f"{self._folder / JOURNAL}: damaged: {error!r}; analyse it without --refit-clocks"
            ) from None

    def all_blocks(self) -> Iterator[Block]:
        """Blocks of all sensors, as they came.

        Raises
        ------
        UserError
            Naming a file that cannot be read.
        """
        return self._read(blocks_of)

    def _read(self, cut: Callable[[Any, Any], Iterator[Block]]) -> Iterator[Block]:
        sealed = {segment.name: segment.sha256 for segment in self.manifest.segments}
        for path in segment_paths(self._folder):
            # Parquet's checksums cover its pages, not what it says of their types.
            if sha256(path) != sealed.get(path.name):
                raise UserError(f"{path}: damaged: not what the manifest says was recorded")
            try:
                for kinds, rows in read_pieces(path):
                    yield from cut(rows, kinds)
            except DAMAGE as error:
                raise UserError(f"{path}: damaged: {error}") from None
