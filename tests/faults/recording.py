"""Faults on the disk: killed writers, torn files, a disk that is full, read-only or emptied."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING

from edge.contract import STRIDE
from edge.recording.archive import recover_recording, verify_recording
from edge.recording.manifest import MANIFEST
from edge.recording.writer import RecordingWriter
from edge.store.store import Store
from tests.faults.outcome import Outcome
from tests.test_recording import HEADER, Clock, turns

if TYPE_CHECKING:
    import random
    from pathlib import Path

TURN_NS = 50_000_000
MOUNT = ("mount", "-t", "tmpfs")
LOOP = ("mount", "-o", "loop,errors=remount-ro")
# Samples are synced every 5 s; a batch may wait in the process.
MOST_UNSYNCED_S = 6.0


def writer_killed(folder: Path, tries: int, dice: random.Random) -> Outcome:
    """SIGKILL at random moments of a process that records and stores results."""
    outcome = Outcome("recording process killed", tries)
    worst_s = 0.0
    for i in range(tries):
        place = folder / str(i)
        n_turns, ids = killed_at(place, dice.uniform(0.002, 0.25))
        began = time.monotonic()
        # Killed before the manifest was there, it had no recording yet.
        began_it = (place / "r" / MANIFEST).exists()
        manifest = recover_recording(place / "r") if began_it else None
        sound = manifest is None or not verify_recording(place / "r")
        outcome.recover_s.append(time.monotonic() - began)
        n = manifest.sensors["left"].n if manifest and manifest.segments else 0
        missing_s = max(n_turns * 10 - n, 0) / 200
        worst_s = max(worst_s, missing_s)
        outcome.lost += missing_s > 1.0 or not sound
        store = Store(place / "store.sqlite")
        kept = {row.id for row in store.outbox.rows(0, 1 << 62, 1 << 30)}
        outcome.lost += len(ids - kept)
        store.close()
        shutil.rmtree(place)
    outcome.note = f"at most {worst_s:.2f} s of samples, no committed result"
    return outcome


def killed_at(folder: Path, after_s: float) -> tuple[int, set[str]]:
    """Fork a writer, kill it; the turns it had finished and the results it had committed."""
    folder.mkdir()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        write_for_ever(folder, write)
    os.close(write)
    time.sleep(after_s)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(read, "rb") as pipe:
        told = [line for line in pipe.read().splitlines(keepends=True) if line.endswith(b"\n")]
    ids = {line.decode().strip() for line in told}
    return len(told), ids


def write_for_ever(folder: Path, pipe: int) -> None:
    clock = Clock()
    store = Store(folder / "store.sqlite")
    writer = RecordingWriter(folder / "r", HEADER, clock)
    for blocks in turns(1_000_000):
        clock.ns += TURN_NS
        writer.write(blocks)
        name = store.add(STRIDE, STRIDE.example, time.monotonic_ns())
        store.commit()
        os.write(pipe, f"{name}\n".encode())


def store_deleted(folder: Path, tries: int, dice: random.Random) -> Outcome:
    """The store's files deleted under the process that writes it."""
    outcome = Outcome("store deleted while running", tries)
    store = Store(folder / "store.sqlite")
    ids: set[str] = set()
    for _ in range(tries):
        ids.add(add_one(store))
        for path in folder.glob("store.sqlite*"):
            path.unlink()
        began = time.monotonic()
        while not (folder / "store.sqlite").exists():
            ids.add(add_one(store))
            time.sleep(0.05)
        outcome.recover_s.append(time.monotonic() - began)
    store.close()
    again = Store(folder / "store.sqlite")
    outcome.lost = len(ids - {row.id for row in again.outbox.rows(0, 1 << 62, 1 << 30)})
    again.close()
    return outcome


def add_one(store: Store) -> str:
    name = store.add(STRIDE, STRIDE.example, time.monotonic_ns())
    store.commit()
    return name


def clock_steps(folder: Path, tries: int, dice: random.Random) -> Outcome:
    """The wall clock jumps by up to a day, forwards and back."""
    outcome = Outcome("wall clock steps of a day", tries)
    offset = 0
    store = Store(folder / "store.sqlite", utc_ns=lambda: time.time_ns() + offset)
    ids = []
    for _ in range(tries):
        ids.append(add_one(store))
        offset = dice.randrange(-86_400, 86_400) * 10**9
    rows = store.outbox.rows(0, 1 << 62, 1 << 30)
    outcome.lost = len(set(ids) - {row.id for row in rows})
    outcome.disordered = sum(a > b for a, b in itertools.pairwise(row.id for row in rows))
    store.close()
    return outcome


def full_disk(folder: Path, tries: int, dice: random.Random) -> Outcome:
    """A small disk runs full: of raw samples first, then to its last byte; then there is room."""
    outcome = Outcome("disk full", tries)
    if os.geteuid() != 0:
        outcome.note, outcome.tries = "left out: mounting needs root", 0
        return outcome
    for i in range(tries):
        place = folder / str(i)
        place.mkdir()
        subprocess.run([*MOUNT, "-o", "size=12m", "tmpfs", place], check=True)
        try:
            outcome.lost += lost_on(place)
        finally:
            subprocess.run(["umount", "-l", place], check=True)
    outcome.note = "raw stops first, results go on; all there afterwards"
    return outcome


def lost_on(place: Path) -> int:
    store, ids = Store(place / "store.sqlite"), set()
    writer = RecordingWriter(place / "r", HEADER, clock := Clock(), reserve_mb=4)
    for blocks in turns(20_000):
        clock.ns += TURN_NS
        writer.write(blocks)
        if writer.stopped:
            break
    lost = int("MB left" not in str(writer.stopped))
    ids |= {add_one(store) for _ in range(50)}
    lost += store.error is not None
    fill(place / "ballast")
    ids |= {add_one(store) for _ in range(500)}
    lost += store.error is None
    (place / "ballast").unlink()
    lost += not store.commit()
    lost += len(ids - {row.id for row in store.outbox.rows(0, 1 << 62, 1 << 30)})
    writer.close()
    store.close()
    lost += bool(verify_recording(place / "r"))
    return lost


def read_only(folder: Path, tries: int, dice: random.Random) -> Outcome:
    """The kernel makes a failing disk read-only under the process; then it is mended."""
    outcome = Outcome("disk turns read-only")
    if os.geteuid() != 0 or shutil.which("mke2fs") is None:
        outcome.note = "left out: mounting needs root and e2fsprogs"
        return outcome
    worst_s = 0.0
    for i in range(tries):
        image, place = folder / f"{i}.img", folder / str(i)
        place.mkdir()
        image.touch()
        os.truncate(image, 64 << 20)
        run("mke2fs", "-q", "-F", "-t", "ext4", image)
        run(*LOOP, image, place)
        try:
            ids, n_turns = aborted_on(place, dice.randrange(100, 300), outcome)
        finally:
            run("umount", place)
        # 1 says that it mended something.
        subprocess.run(["e2fsck", "-fy", image], check=False, capture_output=True)
        run(*LOOP, image, place)
        try:
            began = time.monotonic()
            store = Store(place / "store.sqlite")
            outcome.lost += len(ids - {row.id for row in store.outbox.rows(0, 1 << 62, 1 << 30)})
            store.close()
            manifest = recover_recording(place / "r")
            outcome.recover_s.append(time.monotonic() - began)
            outcome.lost += bool(verify_recording(place / "r"))
            left = manifest.sensors.get("left")
            worst_s = max(worst_s, n_turns / 20 - (left.n if left else 0) / 200)
        finally:
            run("umount", place)
        outcome.tries += 1
    outcome.lost += worst_s > MOST_UNSYNCED_S
    outcome.note = f"no committed result, at most {worst_s:.1f} s of samples; later ones wait"
    return outcome


def aborted_on(place: Path, n_turns: int, outcome: Outcome) -> tuple[set[str], int]:
    """Record and store; the disk turns read-only meanwhile. Results committed before, turns."""
    store, ids = Store(place / "store.sqlite"), set()
    writer = RecordingWriter(place / "r", HEADER, clock := Clock())
    for i, blocks in enumerate(turns(n_turns + 60)):
        if i == n_turns:
            run("mount", "-o", "remount,abort", place)
        clock.ns += TURN_NS
        writer.write(blocks)
        name = add_one(store)
        ids |= {name} if i < n_turns else set()
        # Syncing goes on in a thread of its own: leave it time, a fifth of the real one.
        time.sleep(0.01)
    outcome.lost += writer.stopped is None or store.error is None or store.n_lost > 0
    writer.close()
    store.close()
    return ids, n_turns


def run(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True)


def fill(path: Path) -> None:
    """Take all that is left of a disk."""
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(bytes(65_536)):
            pass
    with contextlib.suppress(OSError), path.open("ab", buffering=0) as file:
        while file.write(bytes(512)):
            pass
