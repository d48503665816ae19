"""A store that other processes write, looked at: nothing here can change or hold it up.

Each look opens the file anew and lets go at once: a long read would keep SQLite from folding its
log, and a file that was put back after a deletion is found by itself.
"""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .outbox import BACKLOG, Backlog

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

# A writer's lock lasts milliseconds; whoever looks can come again.
PATIENCE_S = 0.5


@dataclass(frozen=True, slots=True)
class Kept:
    """A result as it lies in the store."""

    id: str
    stream: str
    session: str | None
    utc_ns: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class SessionSpan:
    """When the results of a session were stored."""

    session: str
    first_utc_ns: int
    last_utc_ns: int


class StoreReader:
    """Looks at a store; where there is none yet, it holds nothing.

    Every method may raise `sqlite3.Error` where the file is damaged or locked for long.

    Parameters
    ----------
    path : Path
        Of the store.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def newest(
        self, stream: str, limit: int, session: str | None = None, since_utc_ns: int = 0
    ) -> list[Kept]:
        """Results of a stream (`event/*`: of all below), the newest first."""
        where, values = _bounds(stream)
        if session:
            where, values = f"{where} AND session = ?", (*values, session)
        rows = self._all(
            f"SELECT id, stream, session, utc_ns, payload FROM results WHERE {where}"  # noqa: S608
            " AND utc_ns >= ? ORDER BY utc_ns DESC, id DESC LIMIT ?",
            (*values, since_utc_ns, limit),
        )
        return [Kept(*row) for row in rows]

    def latest(self, stream: str) -> bytes | None:
        """The value that the broker keeps of a stream; empty where it was taken back."""
        rows = self._all("SELECT payload FROM latest WHERE stream = ?", (stream,))
        return rows[0][0] if rows else None

    def sessions(self, streams: Sequence[str], limit: int) -> list[SessionSpan]:
        """Sessions that have results in any of some streams, the newest first."""
        marks = ", ".join("?" * len(streams))
        rows = self._all(
            "SELECT session, min(utc_ns), max(utc_ns) AS last FROM results"  # noqa: S608
            f" WHERE stream IN ({marks}) AND session IS NOT NULL"
            " GROUP BY session ORDER BY last DESC LIMIT ?",
            (*streams, limit),
        )
        return [SessionSpan(*row) for row in rows]

    def backlog(self) -> Backlog:
        """What the broker has not acknowledged."""
        rows = self._all(BACKLOG)
        return Backlog(*rows[0]) if rows else Backlog(0, 0, None)

    def _all(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        if not self._path.exists():
            return []
        with self._open() as db:
            return db.execute(sql, values).fetchall()

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            db.execute(f"PRAGMA busy_timeout = {round(PATIENCE_S * 1000)}")
            yield db
        finally:
            db.close()


def _bounds(stream: str) -> tuple[str, tuple[str, ...]]:
    """A condition that the index of streams can walk."""
    if stream.endswith("/*"):
        # "0" is the character after "/".
        return "stream > ? AND stream < ?", (stream[:-1], stream[:-2] + "0")
    return "stream = ?", (stream,)
