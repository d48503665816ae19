"""Results and outbox on disk: together or not at all, and never lost to a careless hand."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.contract import BOUT, EVENT, LEG_LENGTH, NODE_STATUS, SESSION, STRIDE
from edge.errors import UserError
from edge.store.identity import new_ulid, utc_text
from edge.store.store import Context, Store

NOW_NS = 1_000_000_000_000


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "store.sqlite")
    yield store
    store.close()


def add(store, channel=STRIDE, n=1, **address):
    ids = [store.add(channel, channel.example, time.monotonic_ns(), **address) for _ in range(n)]
    store.commit()
    return ids


def waiting(store):
    return [row.id for row in store.outbox.rows(0, 1 << 62, 1_000_000)]


def test_a_result_waits_for_the_broker_until_it_is_done(store):
    ids = add(store, n=3)
    rows = store.outbox.rows(0, 1 << 62, 10)
    assert [row.id for row in rows] == ids
    store.outbox.done([rows[0].n, rows[2].n])
    assert waiting(store) == [ids[1]]
    assert len(store.results("gait/stride")) == 3


def test_the_envelope_tells_when_who_and_by_what(tmp_path):
    store = Store(tmp_path / "s.sqlite", now_ns=lambda: NOW_NS, utc_ns=lambda: 10**18)
    about = Context(session="s-1", subject="K7Q2-M9XD-0", calib=("c-1",))
    store.add(STRIDE, STRIDE.example, NOW_NS - 2_500_000_000, about)
    store.commit()
    made = json.loads(store.results("gait/stride")[0])
    assert made["t"] == utc_text(10**18 - 2_500_000_000)
    assert made["schema"] == "gait.stride/1.0"
    assert (made["session"], made["subject"], made["calib"]) == ("s-1", "K7Q2-M9XD-0", ["c-1"])
    assert made["boot_id"] == store.boot_id
    store.close()


def test_counts_each_stream_on_its_own(store):
    add(store, n=2)
    add(store, NODE_STATUS, node="left-foot")
    seqs = [json.loads(row.payload)["seq"] for row in store.outbox.rows(0, 1 << 62, 10)]
    assert seqs == [0, 1, 0]


def test_only_the_newest_state_waits(store):
    for _ in range(3):
        add(store, NODE_STATUS, node="left-foot")
    add(store, NODE_STATUS, node="pelvis")
    assert store.outbox.backlog().depth == 2
    assert {stream for _, stream, _ in store.outbox.latest()} == {
        "node/left-foot/status",
        "node/pelvis/status",
    }


def test_a_cleared_state_is_empty(store):
    add(store, SESSION)
    store.clear(SESSION)
    store.commit()
    assert [payload for _, _, payload in store.outbox.latest()] == [b""]
    assert [row.payload for row in store.outbox.rows(0, 1 << 62, 10)] == [b""]


def test_what_was_committed_is_there_after_a_kill(tmp_path):
    path = tmp_path / "store.sqlite"
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from edge.contract import STRIDE\n"
        "from edge.store.store import Store\n"
        "store = Store(Path(sys.argv[1]))\n"
        "while True:\n"
        "    name = store.add(STRIDE, STRIDE.example, time.monotonic_ns())\n"
        "    store.commit()\n"
        "    print(name, flush=True)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program, path], stdout=subprocess.PIPE)
    told = [child.stdout.readline() for _ in range(50)]
    child.send_signal(signal.SIGKILL)
    told += child.stdout.readlines()
    child.wait()
    child.stdout.close()
    names = {name.decode().strip() for name in told if name.endswith(b"\n")}
    assert len(names) >= 50
    store = Store(path)
    assert names <= set(waiting(store))
    store.close()


def test_a_store_deleted_while_running_comes_back_whole(store, tmp_path):
    path = tmp_path / "store.sqlite"
    reader = Store(path)
    before = add(store, n=5)
    for file in tmp_path.glob("store.sqlite*"):
        file.unlink()
    time.sleep(1.1)
    after = add(store, n=2)
    reader.follow()
    assert path.exists()
    assert [n for n in waiting(reader) if n in before + after] == before + after
    reader.close()
    assert len(waiting(store)) == 8  # seven strides and the event that tells of it
    assert "put back" in json.loads(store.results("event/storage")[0])["data"]["message"]


def test_rows_wait_in_memory_while_the_disk_is_full(store):
    add(store)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, hard))
        ids = [store.add(STRIDE, STRIDE.example, 0) for _ in range(300)]
        assert not store.commit()
        assert store.error is not None
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, previous)
    assert store.commit()
    assert store.error is None
    assert waiting(store)[1:] == ids


def test_a_full_outbox_gives_up_strides_before_bouts_and_never_events(store):
    add(store, n=20)
    add(store, BOUT, n=2)
    add(store, LEG_LENGTH)
    add(store, EVENT, kind="link")
    assert store.trim(2500, 0) > 0
    left = [row.channel.name for row in store.outbox.rows(0, 1 << 62, 100)]
    assert "gait.stride" not in left
    assert left.count("clinic.leg_length") == 1
    assert left.count("event") == 2  # the link's, and the one that says what was given up
    assert len(store.results("gait/stride")) == 20


def test_pruning_keeps_what_the_broker_waits_for(store):
    add(store, n=3)
    rows = store.outbox.rows(0, 1 << 62, 10)
    store.outbox.done([rows[0].n])
    assert store.prune(time.time_ns() + 1) == 1
    assert waiting(store) == [row.id for row in rows[1:]]


def test_one_process_of_a_role(store, tmp_path):
    store.claim("acquire")
    other = Store(tmp_path / "store.sqlite")
    assert other.is_claimed("acquire")
    with pytest.raises(UserError, match="`acquire` runs already"):
        other.claim("acquire")
    assert not other.is_claimed("publish")
    other.close()


@pytest.mark.parametrize("missing", [1, 4096, 20_000, 60_000, 150_000])
def test_a_store_cut_short_gives_back_what_can_be_read_and_nothing_wrong(tmp_path, missing):
    path = tmp_path / "store.sqlite"
    store = Store(path)
    ids = set(add(store, n=300))
    store.close()
    os.truncate(path, path.stat().st_size - missing)
    mended = Store(path)
    made = [json.loads(payload) for payload in mended.results("gait/stride")]
    assert {one["id"] for one in made} <= ids
    assert set(waiting(mended)) == {one["id"] for one in made}
    assert len(made) >= 300 - 3 * missing // 900 - 20
    assert add(mended)
    assert list(tmp_path.glob("store.damaged-*.sqlite"))
    mended.close()


def test_names_a_store_of_a_later_version(tmp_path):
    Store(tmp_path / "store.sqlite").close()
    with sqlite3.connect(tmp_path / "store.sqlite") as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(UserError, match="a later version"):
        Store(tmp_path / "store.sqlite")


def test_names_a_file_that_is_no_store(tmp_path):
    path = tmp_path / "store.sqlite"
    path.write_bytes(b"not a database, but a letter" * 100)
    with pytest.raises(UserError, match="expected a store of ours"):
        Store(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_names_a_folder_that_cannot_be_written(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UserError):
        Store(tmp_path / "store.sqlite")


@given(st.lists(st.integers(0, 1 << 61), min_size=1, max_size=50))
def test_ids_sort_by_making_even_when_the_clock_steps_back(times_ns):
    made = [new_ulid(t) for t in times_ns]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert all(len(name) == 26 for name in made)
