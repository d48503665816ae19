"""Files that a power cut or a failing card shortens, empties or scrambles, byte after byte.

One copy of a file is torn a byte further each time, over its last megabyte, and read by the very
code that recovers. Where a file is a chain of pieces of which each is read for itself (those of a
live segment, lines of the journal), every byte is tried on each piece behind the first, and the
whole file at fewer places: the cost would grow with the square of the length otherwise.
"""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from edge.contract import STRIDE
from edge.recording.archive import (
    DAMAGE,
    read_pieces,
    recover_recording,
    seal_segment,
    verify_recording,
)
from edge.recording.live import SUFFIX, read_live
from edge.recording.manifest import JOURNAL, MANIFEST, read_journal
from edge.store.store import Store
from tests.faults.outcome import Outcome
from tests.test_recording import record, turns

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edge.recording.format import Kind

    Piece = tuple[tuple[Kind, ...], dict[str, NDArray]]

MEGABYTE = 1 << 20
EVERY_ROW = 1 << 62
# Of a file that is read whole each time: so many places, among them its very ends.
WHOLE_TRIES = 1_000
# Five minutes of three sensors are some megabytes.
TURNS = 2_000


def last_offsets(size: int, tries: int, first: int = 0) -> range:
    """So many places in the last megabyte from `first` on, evenly spread, the last one first."""
    first = max(size - MEGABYTE, first)
    return range(size - 1, first - 1, -max((size - first) // tries, 1))


def few(tries: int) -> int:
    """So many places where a file is read from its beginning each time."""
    return min(tries // 10 + 1, WHOLE_TRIES)


def tear(path: Path, content: bytes, places: Sequence[int], rest: bytes | None) -> Iterator[int]:
    """Write a file, then cut it at each place, or put bytes of `rest` behind the place.

    Parameters
    ----------
    path : Path
        Of the file.
    content : bytes
        As it was.
    places : sequence of int
        Descending.
    rest : bytes or None
        As long as `content`; None cuts.

    Yields
    ------
    int
        The place, when the file is torn there.
    """
    path.write_bytes(content)
    end = len(content)
    with path.open("r+b", buffering=0) as file:
        for at in places:
            if rest is None:
                file.truncate(at)
            else:
                os.pwrite(file.fileno(), rest[at:end], at)
            end = at
            yield at


def rests(size: int, dice: random.Random) -> tuple[bytes | None, ...]:
    """What may stand behind the damage: nothing, zeros as of a sector never written, noise."""
    return None, bytes(size), dice.randbytes(size)


def torn_live(folder: Path, tries: int, dice: random.Random) -> Outcome:
    """The segment that is being written."""
    outcome = Outcome("open segment cut, zeroed, scrambled")
    record(folder / "r", turns(min(TURNS, tries)), close=False)
    [path] = (folder / "r").glob(f"*{SUFFIX}")
    whole, whole_pieces = path.read_bytes(), list(read_live(path))
    ends = piece_ends(path)
    outcome.lost += len(whole_pieces) != len(ends) - 1
    torn = folder / f"torn{SUFFIX}"
    for rest in rests(len(whole), dice):
        places = last_offsets(len(whole), tries, ends[0])
        for i, own in pieces(ends, places):
            content = whole[: ends[0]] + whole[ends[i] : ends[i + 1]]
            shift = ends[i] - ends[0]
            near = [at - shift for at in own]
            for _ in tear(torn, content, near, rest):
                outcome.tries += 1
                found = list(read_live(torn))
                # Zeros may be what stood there.
                expected = 0 if rest is None else len(found)
                outcome.lost += len(found) != expected or not same(found, whole_pieces[i : i + 1])
        for at in tear(torn, whole, last_offsets(len(whole), few(tries), ends[0]), rest):
            outcome.tries += 1
            found = list(read_live(torn))
            outcome.lost += len(found) < sum(end <= at for end in ends) - 1
            outcome.lost += not same(found, whole_pieces)
    outcome.note = "every whole batch before the damage, never a wrong value"
    return outcome


def piece_ends(path: Path) -> list[int]:
    """Where the schema of a live segment and each of its pieces end."""
    with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
        return [file.tell(), *(file.tell() for _ in stream)]


def same(found: Sequence[Piece], expected: Sequence[Piece]) -> bool:
    """Whether what was found are the first of those expected."""
    return len(found) <= len(expected) and all(
        kinds == right_kinds and all(np.array_equal(rows[name], right[name]) for name in right)
        for (kinds, rows), (right_kinds, right) in zip(found, expected, strict=False)
    )


def pieces(ends: Sequence[int], places: Sequence[int]) -> Iterator[tuple[int, list[int]]]:
    """Number of a piece, and the descending places that lie in it."""
    i, own = len(ends) - 2, []
    for at in places:
        while at < ends[i]:
            if own:
                yield i, own
            i, own = i - 1, []
        own.append(at)
    yield i, own


def torn_sealed(folder: Path, tries: int, dice: random.Random) -> Outcome:
    """A sealed segment: synced before its stream goes, so only a failing card tears it."""
    outcome = Outcome("sealed segment cut, zeroed, a byte flipped")
    record(folder / "r", turns(min(TURNS, tries)), close=False)
    [stream] = (folder / "r").glob(f"*{SUFFIX}")
    sealed = seal_segment(stream)
    whole, groups = sealed.read_bytes(), list(read_pieces(sealed))
    places = last_offsets(len(whole), tries)
    for rest in (None, bytes(len(whole))):
        for _ in tear(sealed, whole, places, rest):
            outcome.tries += 1
            outcome.lost += readable_and_wrong(sealed, groups)
    # Of the footer only the manifest's hash can tell, which `OwnRecording` compares.
    n_pages = len(whole) - int.from_bytes(whole[-8:-4], "little") - 8
    for _ in range(few(tries)):
        at = dice.randrange(n_pages)
        flipped = whole[:at] + bytes([whole[at] ^ (1 << dice.randrange(8))]) + whole[at + 1 :]
        sealed.write_bytes(flipped)
        outcome.tries += 1
        outcome.lost += readable_and_wrong(sealed, groups)
    outcome.note = "refused, never a wrong value"
    return outcome


def readable_and_wrong(sealed: Path, groups: Sequence[Piece]) -> bool:
    try:
        found = list(read_pieces(sealed))
    except DAMAGE:
        return False
    return not same(found, groups)


def torn_journal(folder: Path, tries: int, dice: random.Random) -> Outcome:
    """The journal: clock exchanges, wall times, markers."""
    outcome = Outcome("journal cut or zeroed")
    writer = record(folder / "r", turns(200), close=False)
    for i in range(min(15_000, 5 * tries)):
        writer.marker("note", number=i, share=i / 7)
    path = folder / "r" / JOURNAL
    writer._journal.flush()
    whole, entries = path.read_bytes(), list(read_journal(folder / "r"))
    lines = whole.splitlines(keepends=True)
    ends = [0]
    for line in lines:
        ends.append(ends[-1] + len(line))
    place = folder / "torn"
    place.mkdir()
    for rest in (None, bytes(len(whole))):
        for i, own in pieces(ends, last_offsets(len(whole), tries, ends[1])):
            shift = ends[i] - ends[1]
            near = [at - shift for at in own]
            for _ in tear(place / JOURNAL, lines[0] + lines[i], near, rest):
                outcome.tries += 1
                outcome.lost += list(read_journal(place)) != entries[:1]
        for at in tear(place / JOURNAL, whole, last_offsets(len(whole), few(tries)), rest):
            outcome.tries += 1
            whole_lines = sum(end <= at for end in ends[1:])
            outcome.lost += list(read_journal(place)) != entries[:whole_lines]
    outcome.note = "every whole line before the damage"
    return outcome


def torn_manifest(folder: Path, tries: int, dice: random.Random) -> Outcome:
    """`session.json`, which is replaced whole: only a failing card tears it."""
    outcome = Outcome("manifest cut, zeroed, scrambled")
    record(folder / "whole", turns(40), close=False)
    manifest = (folder / "whole" / MANIFEST).read_bytes()
    counted = recover_recording(shutil.copytree(folder / "whole", folder / "counted")).sensors
    place = folder / "r"
    for rest in rests(len(manifest), dice):
        for at in last_offsets(len(manifest), tries):
            shutil.copytree(folder / "whole", place)
            began = time.monotonic()
            for _ in tear(place / MANIFEST, manifest, [at], rest):
                outcome.tries += 1
                found = recover_recording(place)
            outcome.recover_s.append(time.monotonic() - began)
            outcome.lost += found.sensors != counted or bool(verify_recording(place))
            shutil.rmtree(place)
    outcome.note = "recovered from the copy in the journal"
    return outcome


def torn_log(folder: Path, tries: int, dice: random.Random) -> Outcome:
    """The store's log of changes (-wal), as a power cut leaves it."""
    outcome = Outcome("store's log cut, zeroed, scrambled")
    home, place = folder / "whole", folder / "torn"
    store, commits, ends = Store(home / "store.sqlite"), [], [0]
    log = home / "store.sqlite-wal"
    while log.stat().st_size < MEGABYTE if log.exists() else True:
        commits.append(store.add(STRIDE, STRIDE.example, time.monotonic_ns()))
        store.commit()
        ends.append(log.stat().st_size)
    database, whole = (home / "store.sqlite").read_bytes(), log.read_bytes()
    store.close()
    place.mkdir()
    # Every byte of the newest commits, and as many places before them.
    newest = last_offsets(min(len(whole), MEGABYTE), tries // 2)
    places = {*range(len(whole) - tries // 2, len(whole)), *newest}
    for rest in rests(len(whole), dice):
        for at in places:
            (place / "store.sqlite").write_bytes(database)
            for _ in tear(place / "store.sqlite-wal", whole, [at], rest):
                outcome.tries += 1
                began = time.monotonic()
                found = ids_in(place / "store.sqlite")
                outcome.recover_s.append(time.monotonic() - began)
            n = sum(end <= at for end in ends[1:])
            outcome.lost += found[:n] != commits[:n] or found != commits[: len(found)]
            shutil.rmtree(place)
            place.mkdir()
    outcome.note = "every commit before the damage"
    return outcome


def torn_store(folder: Path, tries: int, dice: random.Random) -> Outcome:
    """The database itself, cut: what a failing card does, for SQLite syncs it before it counts."""
    outcome = Outcome("store cut")
    store = Store(folder / "whole.sqlite")
    commits = [store.add(STRIDE, STRIDE.example, time.monotonic_ns()) for _ in range(800)]
    store.close()
    whole, share = (folder / "whole.sqlite").read_bytes(), []
    for at in last_offsets(len(whole), tries):
        path = folder / "torn" / "store.sqlite"
        path.parent.mkdir()
        path.write_bytes(whole[:at])
        outcome.tries += 1
        began = time.monotonic()
        found = ids_in(path)
        outcome.recover_s.append(time.monotonic() - began)
        outcome.lost += len(set(found) - set(commits))
        share.append(len(found) / len(commits))
        shutil.rmtree(path.parent)
    outcome.note = f"{min(share):.0%} to {max(share):.0%} of the results brought back, none wrong"
    return outcome


def ids_in(path: Path) -> list[str]:
    """What a store that is opened there holds, in its order."""
    store = Store(path)
    try:
        return [row.id for row in store.outbox.rows(0, EVERY_ROW, 1 << 30)]
    finally:
        store.close()
