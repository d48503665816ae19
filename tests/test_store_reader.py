"""Looking at a store that others write."""

from __future__ import annotations

import sqlite3
import time

import pytest

from edge.contract import BOUT, SESSION, STRIDE
from edge.store.reader import StoreReader
from edge.store.store import Context, Store

ONE, OTHER = Context(session="s-1"), Context(session="s-2")


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "store.sqlite")
    yield store
    store.close()


@pytest.fixture
def reader(tmp_path):
    return StoreReader(tmp_path / "store.sqlite")


def add(store, channel, about=ONE):
    name = store.add(channel, channel.example, time.monotonic_ns(), about)
    store.commit()
    return name


def test_a_store_that_is_not_there_holds_nothing(reader):
    assert reader.newest("gait/stride", 10) == []
    assert reader.latest("session") is None
    assert reader.sessions(("gait/bout",), 10) == []
    assert reader.backlog().depth == 0


def test_the_newest_come_first_and_only_those_of_the_stream(store, reader):
    ids = [add(store, STRIDE) for _ in range(3)]
    add(store, BOUT)
    found = reader.newest(STRIDE.stream(), 2)
    assert [row.id for row in found] == [ids[2], ids[1]]
    assert found[0].session == "s-1"
    since = reader.newest(STRIDE.stream(), 10, since_utc_ns=found[1].utc_ns)
    assert [row.id for row in since][:1] == [ids[2]]
    assert ids[0] not in [row.id for row in since]


def test_one_session_or_all(store, reader):
    add(store, BOUT)
    second = add(store, BOUT, OTHER)
    assert [row.id for row in reader.newest(BOUT.stream(), 9, "s-2")] == [second]
    spans = reader.sessions((BOUT.stream(), STRIDE.stream()), 9)
    assert [span.session for span in spans] == ["s-2", "s-1"]


def test_a_star_takes_all_streams_below(store, reader):
    store.tell("link", "info", "a")
    store.tell("storage", "alarm", "b")
    store.commit()
    add(store, STRIDE)
    assert {row.stream for row in reader.newest("event/*", 9)} == {"event/link", "event/storage"}


def test_kept_values_and_what_waits(store, reader):
    add(store, SESSION)
    assert b"s-1" not in (reader.latest("status") or b"")
    assert b'"stream":"session"' in reader.latest("session")
    backlog = reader.backlog()
    assert (backlog.depth, backlog.bytes > 0) == (1, True)
    store.clear(SESSION)
    store.commit()
    assert reader.latest("session") == b""


def test_a_reader_cannot_write_and_holds_no_writer_up(store, reader):
    with reader._open() as db:
        db.execute("SELECT count(*) FROM results").fetchall()
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            db.execute("DELETE FROM results")
        began_s = time.monotonic()
        add(store, STRIDE)
        assert time.monotonic() - began_s < 0.5


def test_a_store_that_was_put_back_is_found(store, reader, tmp_path):
    add(store, BOUT)
    store.close()
    for part in tmp_path.glob("store.sqlite*"):
        part.unlink()
    assert reader.newest(BOUT.stream(), 9) == []
    fresh = Store(tmp_path / "store.sqlite")
    name = add(fresh, BOUT)
    assert [row.id for row in reader.newest(BOUT.stream(), 9)] == [name]
    fresh.close()


def test_a_damaged_store_is_an_error_of_sqlite(reader, tmp_path):
    (tmp_path / "store.sqlite").write_bytes(b"SQLite format 3\0" + bytes(5000))
    with pytest.raises(sqlite3.Error):
        reader.newest("gait/bout", 1)
