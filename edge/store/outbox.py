"""What the broker has not acknowledged yet, in the order it was added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.contract import CHANNELS, Channel

from .identity import kernel_boot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .database import Database

BY_NAME = {channel.name: channel for channel in CHANNELS}
BACKLOG = "SELECT count(*), coalesce(sum(bytes), 0), min(utc_ns) FROM outbox"


@dataclass(frozen=True, slots=True)
class Row:
    """A place in the outbox."""

    n: int
    id: str
    channel: Channel
    stream: str
    mono_ns: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much the broker has not acknowledged."""

    depth: int
    bytes: int
    oldest_utc_ns: int | None


class Outbox:
    """The publisher's view of the store.

    Attributes
    ----------
    n_dropped : int
        Results given up for want of room.
    """

    def __init__(self, database: Database) -> None:
        self.n_dropped = 0
        self._db = database
        self._boot = kernel_boot()

    def first_since(self, mono_ns: int) -> int:
        """Place of the first row that was added at or after a moment of this boot."""
        found = self._db.all(
            "SELECT min(n) FROM outbox WHERE boot = ? AND mono_ns >= ?", (self._boot, mono_ns)
        )[0][0]
        if found is not None:
            return int(found)
        last = self._db.all("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'")
        return int(last[0][0]) + 1 if last else 1

    def rows(self, after: int, before: int, limit: int) -> list[Row]:
        """Outbox rows with `after < n < before`, oldest first, at most `limit`."""
        found = self._db.all(
            "SELECT o.n, o.id, o.channel, o.stream, o.mono_ns, coalesce(r.payload, l.payload)"
            " FROM outbox o LEFT JOIN results r ON r.id = o.id"
            " LEFT JOIN latest l ON l.stream = o.stream"
            " WHERE o.n > ? AND o.n < ? ORDER BY o.n LIMIT ?",
            (after, before, limit),
        )
        return [Row(row[0], row[1], BY_NAME[row[2]], *row[3:]) for row in found]

    def done(self, numbers: Iterable[int]) -> None:
        """Take acknowledged rows out."""
        self._db.transaction(("DELETE FROM outbox WHERE n = ?", (n,)) for n in numbers)

    def latest(self) -> list[tuple[Channel, str, bytes]]:
        """Channel, stream and payload of every retained value."""
        found = self._db.all("SELECT channel, stream, payload FROM latest")
        return [(BY_NAME[name], stream, payload) for name, stream, payload in found]

    def backlog(self) -> Backlog:
        """How much waits for the broker, and since when."""
        return Backlog(*self._db.all(BACKLOG)[0])

    def trim(self, most_bytes: int, oldest_utc_ns: int) -> int:
        """Give up what is older or too much, in the contract's drop order, the oldest first.

        Events, sessions, states and clinic results are never given up. The results themselves
        stay in the store.

        Returns
        -------
        int
            Rows given up.
        """
        excess = self.backlog().bytes - most_bytes
        given_up: list[int] = []
        droppable = [c for c in CHANNELS if c.drop_order is not None]
        for channel in sorted(droppable, key=lambda c: c.drop_order or 0):
            for n, size, utc_ns in self._db.all(
                "SELECT n, bytes, utc_ns FROM outbox WHERE channel = ? ORDER BY n", (channel.name,)
            ):
                if excess <= 0 and utc_ns >= oldest_utc_ns:
                    break
                given_up.append(n)
                excess -= size
        self.done(given_up)
        self.n_dropped += len(given_up)
        return len(given_up)
