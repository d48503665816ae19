"""Seals a recording's segments as Parquet, checks them, and brings back what a power cut left."""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from edge.errors import UserError

from .format import CHANNELS, FIXED, Kind, Tally, blocks_of
from .live import SUFFIX, read_live
from .manifest import (
    JOURNAL,
    Manifest,
    SegmentFile,
    SensorCount,
    counts_of,
    read_journal,
    read_manifest,
    read_manifest_or_copy,
    sha256,
    write_manifest,
)
from .parquet import rows_of_table, table_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Rows = dict[str, NDArray[Any]]

# A row group of a minute: small enough to be read whole on a Pi, long enough to pack well.
BATCHES_A_GROUP = 75
# What reading a file raises that is not whole.
DAMAGE = (OSError, ValueError, KeyError, pa.ArrowException)
# Counters pack by their differences.
SMOOTH = ("block", "seq", "tick", "host_ns")


def read_pieces(path: Path) -> Iterator[tuple[tuple[Kind, ...], Rows]]:
    """Pieces of a segment with their kinds, about a minute of Parquet or a second of a live one."""
    if path.suffix == SUFFIX:
        yield from read_live(path)
    else:
        # The names of the sensors are for other readers; here their numbers count.
        for table in _row_groups(path, (*FIXED, *CHANNELS)):
            yield rows_of_table(table)


def _row_groups(path: Path, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        for i in range(file.num_row_groups):
            yield file.read_row_group(i, columns=columns, use_threads=False)


def seal_segment(path: Path, reserve: float = 0.0) -> Path | None:
    """Make Parquet of a live segment, compare the two, then delete the live one.

    Parameters
    ----------
    path : Path
        The live segment.
    reserve : float
        Bytes that must stay free on the disk while both exist; without that room the live one
        stays as it is, and is as good a part of the recording.

    Returns
    -------
    Path or None
        What holds the samples now; None where it holds not one whole batch.
    """
    with _alone_in(path.parent):
        return _seal(path, reserve)


def _seal(path: Path, reserve: float = 0.0) -> Path | None:
    sealed = path.with_suffix(".parquet")
    if not path.exists():
        # Another process recovered the recording meanwhile.
        return sealed if sealed.exists() else None
    if shutil.disk_usage(path.parent).free - path.stat().st_size < reserve:
        return path
    beside = path.with_suffix(".sealing")
    n = _write_parquet(path, beside)
    if n == 0:
        beside.unlink(missing_ok=True)
        path.unlink()
        return None
    if not _same(path, beside):
        beside.unlink()
        raise OSError(f"{beside}: reads back differently: the disk is failing")
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    beside.replace(sealed)
    path.unlink()
    return sealed


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other process seals or recovers there.

    Sealing outlives a service that is killed, and the next one begins with recovering.
    """
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)


def _write_parquet(path: Path, beside: Path) -> int:
    n, writer = 0, None
    for rows in _grouped(path):
        if writer is None:
            writer = pq.ParquetWriter(
                beside,
                rows.schema,
                compression="zstd",
                # A flipped bit would give wrong values, and nothing else would notice.
                write_page_checksum=True,
                use_dictionary=["sensor"],
                column_encoding=_encodings(rows.schema),
            )
        writer.write_table(rows, row_group_size=max(len(rows), 1))
        n += len(rows)
    if writer is not None:
        writer.close()
    return n


def _grouped(path: Path) -> Iterator[pa.Table]:
    """Tables of about a minute, sorted by sensor."""
    waiting: list[Rows] = []
    kinds: tuple[Kind, ...] = ()
    for kinds, rows in read_live(path):
        waiting.append(rows)
        if len(waiting) == BATCHES_A_GROUP:
            yield _sorted(waiting, kinds)
            waiting = []
    if waiting:
        yield _sorted(waiting, kinds)


def _sorted(pieces: list[Rows], kinds: tuple[Kind, ...]) -> pa.Table:
    rows = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    order = np.lexsort((rows["seq"], rows["block"], rows["kind"]))
    return table_of({name: column[order] for name, column in rows.items()}, kinds)


def _encodings(schema: pa.Schema) -> dict[str, str]:
    integers = schema.field(CHANNELS[0]).type == "int16"
    reading = "DELTA_BINARY_PACKED" if integers else "BYTE_STREAM_SPLIT"
    return {**dict.fromkeys(SMOOTH, "DELTA_BINARY_PACKED"), **dict.fromkeys(CHANNELS, reading)}


def _same(live: Path, parquet: Path) -> bool:
    pairs = zip(_grouped(live), _row_groups(parquet), strict=True)
    return all(ours.equals(theirs) for ours, theirs in pairs)


def finish_recording(folder: Path, manifest: Manifest) -> Manifest:
    """List all segments with their hashes in the manifest and write it."""
    segments = tuple(_describe(path) for path in segment_paths(folder))
    journal = folder / JOURNAL
    made = manifest.model_copy(
        update={
            "segments": segments,
            "journal_sha256": sha256(journal) if journal.exists() else None,
        }
    )
    write_manifest(folder, made)
    return made


def _describe(path: Path) -> SegmentFile:
    n, first, last = 0, 0, 0
    for _, rows in read_pieces(path):
        times = rows["host_ns"]
        first = min(first or int(times.min()), int(times.min()))
        last = max(last, int(times.max()))
        n += len(times)
    return SegmentFile(name=path.name, n=n, first_ns=first, last_ns=last, sha256=sha256(path))


def segment_paths(folder: Path) -> list[Path]:
    """Segments in order; a live one counts only where its Parquet is missing."""
    found = {path.stem: path for path in sorted(folder.glob(f"segment-*{SUFFIX}"))}
    found |= {path.stem: path for path in sorted(folder.glob("segment-*.parquet"))}
    return [found[stem] for stem in sorted(found)]


def recover_recording(folder: Path) -> Manifest:
    """Seal what a crash left open: whole batches are kept, a torn rest is cut off.

    A sealed segment that cannot be read is put aside under the name `.damaged`; the rest of the
    recording is as good as before.

    Raises
    ------
    UserError
        If the folder is no recording, or one that a process is writing.
    """
    read_manifest_or_copy(folder)
    with _alone_in(folder), _unwritten(folder):
        return _recover(folder)


def _recover(folder: Path) -> Manifest:
    manifest = read_manifest_or_copy(folder)
    damaged = [path for path in sorted(folder.glob("segment-*.parquet")) if not _is_readable(path)]
    for path in damaged:
        path.replace(path.with_suffix(".damaged"))
    for live in sorted(folder.glob(f"segment-*{SUFFIX}")):
        if live.with_suffix(".parquet").exists():
            # Sealed and compared already; the crash came before the live one was deleted.
            live.unlink()
        else:
            _seal(live)
    for half in folder.glob("segment-*.sealing"):
        half.unlink()
    _mend_journal(folder)
    made = manifest.model_copy(
        update={
            "state": "recovered" if manifest.state == "recording" else manifest.state,
            "reason": _reason(damaged) or manifest.reason,
            "sensors": count_samples(folder),
        }
    )
    return finish_recording(folder, made)


@contextmanager
def _unwritten(folder: Path) -> Iterator[None]:
    """Refuse a recording whose writer lives: it holds its journal locked."""
    with (folder / JOURNAL).open("a+b") as journal:
        try:
            fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"{folder}: is being recorded just now; stop acquire first") from None
        yield


def _is_readable(path: Path) -> bool:
    """Whether a sealed segment is whole, also in what only other readers read."""
    try:
        for table in _row_groups(path):
            rows_of_table(table)
    except DAMAGE:
        return False
    return True


def _reason(damaged: Sequence[Path]) -> str | None:
    names = ", ".join(path.name for path in damaged)
    return f"damaged, and put aside: {names}" if damaged else None


def _mend_journal(folder: Path) -> None:
    whole = 0
    with (folder / JOURNAL).open("a+b") as file:
        file.seek(0)
        for line, _ in zip(file, read_journal(folder), strict=False):
            whole += len(line)
        file.truncate(whole)


def count_samples(folder: Path) -> dict[str, SensorCount]:
    """Samples and losses of each sensor, counted from the rows themselves."""
    tally = Tally()
    for path in segment_paths(folder):
        for kinds, rows in read_pieces(path):
            for block in blocks_of(rows, kinds):
                tally.add(block)
    return counts_of(tally)


def verify_recording(folder: Path) -> list[str]:
    """Compare a recording with its manifest.

    Returns
    -------
    list of str
        What is wrong, one sentence each; empty where all is well.
    """
    manifest = read_manifest(folder)
    if manifest.state == "recording":
        return [f"{folder}: not finished: `evenstride recording recover` closes it"]
    faults = []
    listed = {segment.name: segment for segment in manifest.segments}
    present = {path.name: path for path in segment_paths(folder)}
    faults += [f"{name}: missing" for name in listed.keys() - present.keys()]
    faults += [f"{name}: not in the manifest" for name in present.keys() - listed.keys()]
    for name in sorted(listed.keys() & present.keys()):
        if sha256(present[name]) != listed[name].sha256:
            faults.append(f"{name}: its content has changed since it was sealed")
    if manifest.journal_sha256 and sha256(folder / JOURNAL) != manifest.journal_sha256:
        faults.append(f"{JOURNAL}: its content has changed")
    if not faults and count_samples(folder) != manifest.sensors:
        faults.append("the samples are not those that the manifest counts")
    return faults
