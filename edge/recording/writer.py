"""Writes a recording: raw blocks, before calibration, and all that is needed to compute it anew.

A folder holds `session.json` (the manifest), `journal.jsonl` (clock exchanges, the table from
monotonic to wall time, markers) and segments. While it runs a segment is a file that a power cut
can only shorten (`live.py`); every ten minutes it is sealed as Parquet (`archive.py`).
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from math import inf
from typing import TYPE_CHECKING, Any

from edge.errors import UserError
from edge.store.identity import time_quality, utc_text

from .apart import seal_apart
from .format import Kind, Tally, rows_of
from .live import SUFFIX, LiveSegment
from .manifest import (
    JOURNAL,
    Header,
    Manifest,
    counts_of,
    journal_line,
    software,
    write_manifest,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from sensors import Block
    from sensors.clock import Exchange

# Three turns of the service; with the packet of a node on top, a kill costs less than a second.
BATCH_NS = 550_000_000
SYNC_NS = 5_000_000_000
SEGMENT_NS = 600_000_000_000
WALL_TIME_NS = 10_000_000_000


class RecordingWriter:
    """Writes one recording into a folder of its own.

    It never raises once it runs: a disk that is full or gone stops the recording, not the
    analysis, and `stopped` says why. Slow work (syncing, sealing) is done by a thread of its own.

    Parameters
    ----------
    folder : Path
        Made here; it must not exist.
    header : Header
        What is known at the start.
    now_ns, utc_ns : callable
        Monotonic and wall clock, nanoseconds.
    reserve_mb : float
        Recording stops when the disk has less than this left, so that results still fit.

    Attributes
    ----------
    stopped : str or None
        Why it records no longer.
    free_mb : float
        Room on its disk when it last wrote.

    Raises
    ------
    UserError
        If the folder cannot be made.
    """

    def __init__(
        self,
        folder: Path,
        header: Header,
        now_ns: Callable[[], int] = time.monotonic_ns,
        utc_ns: Callable[[], int] = time.time_ns,
        *,
        reserve_mb: float = 0.0,
    ) -> None:
        self.stopped: str | None = None
        self.free_mb = inf
        self._folder = folder
        self._now_ns = now_ns
        self._utc_ns = utc_ns
        self._reserve = reserve_mb * 1e6
        self._pending: list[tuple[int, Block]] = []
        self._kinds: tuple[Kind, ...] = ()
        self._n_blocks = self._n_segments = 0
        self._tally = Tally()
        self._live: LiveSegment | None = None
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="recording")
        self._slow: list[Future[Any]] = []
        self._unsealed: list[Path] = []
        self._batch_ns = self._sync_ns = self._segment_ns = now_ns()
        self._wall_ns = self._batch_ns - WALL_TIME_NS
        self._manifest = Manifest(
            state="recording", started=utc_text(utc_ns()), header=header, software=software()
        )
        try:
            folder.mkdir(parents=True)
            write_manifest(folder, self._manifest)
            self._journal = (folder / JOURNAL).open("a", encoding="utf-8")
            # Held while this process lives: nobody may recover what is still being written.
            fcntl.flock(self._journal, fcntl.LOCK_SH)
            self._journal.write(journal_line(self._manifest))
            self._journal.flush()
        except OSError as error:
            raise UserError(f"{folder}: cannot be recorded into: {error.strerror}") from None

    def write(self, blocks: Iterable[Block]) -> None:
        """Take in blocks as they come; call it in every turn, also without any."""
        if self.stopped is not None:
            return
        for block in blocks:
            self._tally.add(block)
            self._pending.append((self._n_blocks, block))
            self._n_blocks += 1
        now_ns = self._now_ns()
        if now_ns - self._batch_ns >= BATCH_NS:
            self._guard(self._flush, now_ns)

    def exchanges(self, sensor: str, exchanges: Iterable[tuple[int, Exchange]]) -> None:
        """Note clock exchanges, each with the epoch it belongs to."""
        for epoch, exchange in exchanges:
            self._note("exchange", sensor=sensor, epoch=epoch, **asdict(exchange))

    def marker(self, label: str, **values: Any) -> None:
        """Note that something happens now: a phase of a protocol, a fault, a person's remark."""
        self._note("marker", label=label, **values)

    def close(self) -> None:
        """Write what is left, seal the last segment, complete the manifest."""
        # Late: Parquet is of no use while it runs, and stays in memory once it is there.
        from .archive import count_samples, finish_recording, seal_segment  # noqa: PLC0415

        if self.stopped is None:
            self._guard(self._flush, self._now_ns())
        for job in self._slow:
            self._guard(job.result)
        self._worker.shutdown()
        # What it still holds is written now, and a disk may refuse that too.
        self._guard(self._journal.close)
        self._end_live()
        for path in self._unsealed if self.stopped is None else ():
            self._guard(seal_segment, path, self._reserve)
        try:
            # What was taken in and never written must not be counted.
            whole = self.stopped is None
            found = counts_of(self._tally) if whole else count_samples(self._folder)
            state = "complete" if whole else "stopped"
            update = {"state": state, "reason": self.stopped, "sensors": found}
            finish_recording(self._folder, self._manifest.model_copy(update=update))
        except (OSError, UserError) as error:
            self.stopped = self.stopped or str(error)

    def _note(self, kind: str, **values: Any) -> None:
        if self.stopped is None:
            line = {"kind": kind, "t_mono_ns": self._now_ns(), **values}
            self._guard(self._journal.write, json.dumps(line) + "\n")

    def _guard(self, work: Callable[..., Any], *arguments: Any) -> None:
        try:
            work(*arguments)
        except OSError as error:
            self._stop(str(error))

    def _stop(self, why: str) -> None:
        self.stopped = why
        self._pending.clear()
        if self._live is not None:
            self._live.close()
            self._live = None

    def _flush(self, now_ns: int) -> None:
        self._batch_ns = now_ns
        free = shutil.disk_usage(self._folder).free
        self.free_mb = free / 1e6
        if free < self._reserve:
            self._stop(f"less than {self._reserve / 1e6:.0f} MB left on the disk")
            return
        if now_ns - self._wall_ns >= WALL_TIME_NS:
            self._wall_ns = now_ns
            self._note("wall", utc_ns=self._utc_ns(), quality=time_quality())
        self._journal.flush()
        if self._live is not None and now_ns - self._segment_ns >= SEGMENT_NS:
            self._end_segment()
        if self._pending:
            self._write_batch(now_ns)
        if now_ns - self._sync_ns >= SYNC_NS:
            self._sync_ns = now_ns
            self._do_slowly(self._sync, *self._descriptors())

    def _write_batch(self, now_ns: int) -> None:
        new = {Kind.of(block): None for _, block in self._pending}
        if self._live is None or not new.keys() <= set(self._kinds):
            # Nodes come up one by one: sealing each time would take the start from measuring.
            self._end_live()
            self._kinds = tuple({**dict.fromkeys(self._kinds), **new})
            self._live = self._begin_segment(now_ns)
        self._live.write(rows_of(self._pending, self._kinds))
        self._pending.clear()

    def _begin_segment(self, now_ns: int) -> LiveSegment:
        path = self._folder / f"segment-{self._n_segments:04d}{SUFFIX}"
        self._segment_ns = now_ns
        self._n_segments += 1
        return LiveSegment(path, self._kinds)

    def _end_live(self) -> None:
        if self._live is not None:
            self._live.close()
            self._unsealed.append(self._live.path)
            self._live = None

    def _end_segment(self) -> None:
        self._end_live()
        for path in self._unsealed:
            self._do_slowly(seal_apart, path, self._reserve)
        self._unsealed.clear()

    def _do_slowly(self, work: Callable[..., Any], *arguments: Any) -> None:
        for done in [job for job in self._slow if job.done()]:
            self._slow.remove(done)
            done.result()
        self._slow.append(self._worker.submit(work, *arguments))

    def _descriptors(self) -> list[int]:
        # Duplicates: the worker may come to them when the files are closed already.
        live = [self._live.duplicate()] if self._live else []
        return [os.dup(self._journal.fileno()), *live]

    @staticmethod
    def _sync(*descriptors: int) -> None:
        try:
            for number in descriptors:
                os.fdatasync(number)
        finally:
            for number in descriptors:
                os.close(number)
