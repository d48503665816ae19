"""The SQLite file of results and outbox, and what becomes of it when somebody deletes it."""

from __future__ import annotations

import contextlib
import fcntl
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any

from edge.errors import UserError

from .salvage import is_cut_short, salvage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

# A reader of a later version finds what it has to convert.
VERSION = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS results (
    id TEXT PRIMARY KEY, stream TEXT NOT NULL, session TEXT, utc_ns INTEGER NOT NULL,
    payload BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS results_by_stream ON results (stream, utc_ns);
CREATE TABLE IF NOT EXISTS outbox (
    n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, channel TEXT NOT NULL,
    stream TEXT NOT NULL, boot TEXT NOT NULL, mono_ns INTEGER NOT NULL, utc_ns INTEGER NOT NULL,
    bytes INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS outbox_by_channel ON outbox (channel, n);
CREATE TABLE IF NOT EXISTS latest (
    stream TEXT PRIMARY KEY, channel TEXT NOT NULL, payload BLOB NOT NULL) WITHOUT ROWID;
"""


class Database:
    """One connection to the file, for all threads of a process.

    Attributes
    ----------
    lock : RLock
        Held around every statement and every transaction.
    """

    def __init__(self, path: Path) -> None:
        self.lock = threading.RLock()
        self.path = path
        self._db = self._open()

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._mend()
            db = self._connect(self.path)
        except (sqlite3.Error, OSError) as error:
            raise UserError(
                f"{self.path}: {error}: expected a store of ours in a folder that can be written"
            ) from None
        self._inode = self.path.stat().st_ino
        return db

    def _connect(self, path: Path) -> sqlite3.Connection:
        db = sqlite3.connect(path, timeout=10.0, check_same_thread=False)
        db.isolation_level = None
        # Three strides a page; it can be chosen only before the first table is made.
        db.execute("PRAGMA page_size=8192")
        db.execute("PRAGMA journal_mode=WAL")
        # FULL: what is committed outlives a power cut too. Rates are low enough for it.
        db.execute("PRAGMA synchronous=FULL")
        [(version,)] = db.execute("PRAGMA user_version")
        if version > VERSION:
            raise UserError(f"{path}: made by a later version (its format is {version})")
        if version < VERSION:
            db.executescript(SCHEMA)
            db.execute(f"PRAGMA user_version={VERSION}")
        return db

    def _mend(self) -> None:
        """Put a damaged file aside, and what can be read of it in its place."""
        if not self.path.exists() or not is_cut_short(self.path):
            return
        with self.path.with_suffix(".mend.lock").open("w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # Another process may have mended it meanwhile; its log may hold the missing pages.
            self._replay_log()
            if not is_cut_short(self.path):
                return
            aside = self.path.with_suffix(f".damaged-{time.time_ns() // 10**9}.sqlite")
            self._move(self.path, aside)
            fresh_path = self.path.with_suffix(".rescue")
            fresh_path.unlink(missing_ok=True)
            fresh = self._connect(fresh_path)
            salvage(aside, fresh)
            fresh.close()
            fresh_path.replace(self.path)

    def _replay_log(self) -> None:
        """Opening and closing carries the log over into the file."""
        db = sqlite3.connect(self.path)
        with contextlib.suppress(sqlite3.DatabaseError):
            db.execute("SELECT count(*) FROM sqlite_master")
        db.close()

    @staticmethod
    def _move(path: Path, to: Path) -> None:
        """Rename a database together with its log."""
        for suffix in ("-wal", "-shm", ""):
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.replace(to.with_name(to.name + suffix))

    def close(self) -> None:
        """Let go of the file."""
        with self.lock:
            self._db.close()

    def all(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """Rows of a query."""
        with self.lock:
            return self._db.execute(sql, values).fetchall()

    def transaction(self, statements: Iterable[tuple[str, Sequence[Any]]]) -> int:
        """Do all or nothing; returns how many rows changed.

        Raises
        ------
        sqlite3.Error
            Where the disk refuses; nothing is changed then.
        """
        with self.lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                n = sum(self._db.execute(sql, values).rowcount for sql, values in statements)
                self._db.execute("COMMIT")
            except sqlite3.Error:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
            return n

    def rescue(self) -> bool:
        """Put the file back, with all it held, where somebody deleted or replaced it.

        Returns
        -------
        bool
            Whether that was needed.

        Raises
        ------
        sqlite3.Error or OSError
            Where it cannot be done; the connection still serves the old content then.
        """
        with self.lock:
            if self._file() == self._inode:
                return False
            # The deleted file lives as long as it is open: copy it beside its place, then move.
            copy_path = self.path.with_suffix(".rescue")
            copy_path.unlink(missing_ok=True)
            copy = sqlite3.connect(copy_path)
            self._db.backup(copy)
            copy.close()
            # A log of the old file must never be taken for one of the new.
            for log in ("-wal", "-shm"):
                self.path.with_name(self.path.name + log).unlink(missing_ok=True)
            copy_path.replace(self.path)
            self._db.close()
            self._db = self._open()
            return True

    def _file(self) -> int | None:
        try:
            return self.path.stat().st_ino
        except FileNotFoundError:
            return None

    def follow(self) -> None:
        """Go over to the file that another process has put back."""
        with self.lock:
            if self._file() not in {None, self._inode}:
                self._db.close()
                self._db = self._open()
