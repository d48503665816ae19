"""Results on disk, and the outbox: what the broker has not acknowledged yet.

A result and its place in the outbox are written in one transaction, before anything is sent; the
place goes only when the broker has acknowledged it. Several processes may open the same store:
`acquire` adds, `publish` takes from the outbox, `web` reads. SQLite in WAL mode carries that.
"""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from edge.contract import EVENT, Channel
from edge.envelope import Envelope, encode
from edge.messages import Event

from .claim import Claims
from .database import Database
from .identity import CLOCK_SD_S, kernel_boot, new_ulid, time_quality, utc_text
from .outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from edge.envelope import Algorithm, Quality
    from edge.messages import EventKind
    from edge.results import Record

# Rows wait in memory while the disk refuses them: an hour of fast walking.
MOST_WAITING = 10_000
# How often to look whether the file is still there.
LOOK_NS = 1_000_000_000
# So many rows at once, and a full disk or a slow card costs little each.
ROWS_A_TRANSACTION = 100


@dataclass(frozen=True, slots=True)
class Context:
    """What the results of a session have in common."""

    session: str | None = None
    subject: str | None = None
    algo: Algorithm | None = None
    calib: tuple[str, ...] = ()
    quality: Quality | None = None


NO_CONTEXT = Context()


@dataclass(frozen=True, slots=True)
class _Made:
    """A message on its way to the disk."""

    id: str
    channel: Channel
    stream: str
    session: str | None
    mono_ns: int
    utc_ns: int
    payload: bytes


class Store:
    """One file of results and outbox; its methods may be called from any thread.

    Parameters
    ----------
    path : Path
        Made with its folder where it is missing.
    now_ns : callable
        Monotonic nanoseconds.
    utc_ns : callable
        Wall clock, nanoseconds since 1970.

    Attributes
    ----------
    boot_id : str
        Of this run; sequence numbers begin anew with it.
    error : str or None
        Why the last commit failed; the rows wait in memory and are tried again.
    n_lost : int
        Results given up because the disk refused for too long.
    outbox : Outbox
        What the broker has not acknowledged.
    """

    def __init__(
        self,
        path: Path,
        now_ns: Callable[[], int] = time.monotonic_ns,
        utc_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.boot_id = new_ulid(utc_ns())
        self.error: str | None = None
        self.n_lost = 0
        self._path = path
        self._now_ns = now_ns
        self._utc_ns = utc_ns
        self._boot = kernel_boot()
        self._next_seq: dict[str, int] = {}
        self._waiting: list[_Made] = []
        self._looked_ns = now_ns()
        self._db = Database(path)
        self._claims = Claims(path)
        self.outbox = Outbox(self._db)

    def close(self) -> None:
        """Commit and let go."""
        with self._db.lock:
            self.commit()
            self._db.close()
            self._claims.close()

    def claim(self, role: str) -> None:
        """Be the only process of a role (`acquire`) on this store, see `Claims.take`."""
        self._claims.take(role)

    def is_claimed(self, role: str) -> bool:
        """Whether a process of that role lives."""
        return self._claims.is_taken(role)

    def add(
        self,
        channel: Channel,
        data: Record,
        t_mono_ns: int,
        about: Context = NO_CONTEXT,
        quality: Quality | None = None,
        **address: str,
    ) -> str:
        """Take in a result; `commit` (or the hundredth row) puts it on disk.

        Parameters
        ----------
        channel : Channel
            Row of the contract.
        data : Record
            Of the channel's model.
        t_mono_ns : int
            When it happened, by `now_ns`.
        about, quality
            For the envelope.
        **address
            Names for the braces of the channel's topic.

        Returns
        -------
        str
            Its id.
        """
        with self._db.lock:
            envelope = self.compose(channel, data, t_mono_ns, about, quality, **address)
            self._wait(channel, envelope.stream, envelope.id, about.session, encode(envelope))
            return str(envelope.id)

    def clear(self, channel: Channel, **address: str) -> None:
        """Take a retained value back: an empty payload goes out in its place."""
        with self._db.lock:
            self._wait(channel, channel.stream(**address), new_ulid(self._utc_ns()), None, b"")

    def compose(
        self,
        channel: Channel,
        data: Record,
        t_mono_ns: int,
        about: Context = NO_CONTEXT,
        quality: Quality | None = None,
        **address: str,
    ) -> Envelope[Any]:
        """Number and wrap a payload without keeping it; parameters as for `add`."""
        with self._db.lock:
            stream = channel.stream(**address)
            seq = self._next_seq.get(stream, 0)
            self._next_seq[stream] = seq + 1
            utc_ns = self._utc_ns()
            clock = time_quality()
            made: Envelope[Any] = channel.envelope(
                schema=channel.schema_id,
                id=new_ulid(utc_ns),
                seq=seq,
                stream=stream,
                t=utc_text(utc_ns - (self._now_ns() - t_mono_ns)),
                t_unc_s=CLOCK_SD_S[clock],
                time_quality=clock,
                t_mono_ns=t_mono_ns,
                boot_id=self.boot_id,
                session=about.session,
                subject=about.subject,
                algo=about.algo,
                calib=about.calib,
                quality=quality or about.quality,
                data=data,
            )
            return made

    def _wait(
        self, channel: Channel, stream: str, name: str, session: str | None, payload: bytes
    ) -> None:
        # The machine's own clock, which the publisher shares: `now_ns` may be a faster one.
        mono_ns = time.monotonic_ns()
        self._waiting.append(
            _Made(name, channel, stream, session, mono_ns, self._utc_ns(), payload)
        )
        if len(self._waiting) >= ROWS_A_TRANSACTION:
            self.commit()

    def commit(self) -> bool:
        """Put what waits on disk, in one transaction; call it in every turn of a loop.

        Returns
        -------
        bool
            False where the disk refused: `error` says why, and the rows wait for the next call.
        """
        with self._db.lock:
            self._mind_the_file()
            if not self._waiting:
                return self.error is None
            try:
                self._db.transaction(s for made in self._waiting for s in self._statements(made))
            except sqlite3.Error as error:
                self.error = str(error)
                excess = max(len(self._waiting) - MOST_WAITING, 0)
                del self._waiting[:excess]
                self.n_lost += excess
                return False
            self._waiting.clear()
            self.error = None
            return True

    def _statements(self, made: _Made) -> Iterator[tuple[str, Sequence[Any]]]:
        channel, stream, payload = made.channel, made.stream, made.payload
        if channel.latest:
            yield "DELETE FROM outbox WHERE stream = ?", (stream,)
        else:
            result = (made.id, stream, made.session, made.utc_ns, payload)
            yield "INSERT INTO results VALUES (?, ?, ?, ?, ?)", result
        if channel.retain:
            kept = (stream, channel.name, payload)
            yield "INSERT OR REPLACE INTO latest VALUES (?, ?, ?)", kept
        yield (
            (
                "INSERT INTO outbox (id, channel, stream, boot, mono_ns, utc_ns, bytes)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)"
            ),
            (made.id, channel.name, stream, self._boot, made.mono_ns, made.utc_ns, len(payload)),
        )

    def _mind_the_file(self) -> None:
        if self._now_ns() - self._looked_ns < LOOK_NS:
            return
        self._looked_ns = self._now_ns()
        try:
            rescued = self._db.rescue()
        except (sqlite3.Error, OSError) as error:
            self.error = f"{self._path} is gone and cannot be put back: {error}"
            return
        if rescued:
            self.tell("storage", "alarm", "the store was deleted while in use and put back")

    def tell(
        self,
        kind: EventKind,
        severity: Literal["info", "warning", "alarm"],
        message: str,
        node: str | None = None,
        **values: float,
    ) -> None:
        """Add an event that happens now."""
        event = Event(kind=kind, severity=severity, message=message, node=node, values=values)
        self.add(EVENT, event, self._now_ns(), kind=kind)

    def trim(self, most_bytes: int, oldest_utc_ns: int) -> int:
        """Bound the outbox, see `Outbox.trim`; an event says what was given up."""
        n = self.outbox.trim(most_bytes, oldest_utc_ns)
        if n:
            message = f"{n} results were given up: the outbox is full or too old"
            self.tell("outbox", "alarm", message, n=n)
            self.commit()
        return n

    def results(self, stream: str, since_utc_ns: int = 0, limit: int = 1000) -> list[bytes]:
        """Payloads of a stream, the newest first."""
        return [
            row[0]
            for row in self._db.all(
                "SELECT payload FROM results WHERE stream = ? AND utc_ns >= ?"
                " ORDER BY utc_ns DESC, id DESC LIMIT ?",
                (stream, since_utc_ns, limit),
            )
        ]

    def prune(self, before_utc_ns: int) -> int:
        """Delete results from before a moment, save those the broker still waits for."""
        old = "DELETE FROM results WHERE utc_ns < ? AND id NOT IN (SELECT id FROM outbox)"
        return self._db.transaction([(old, (before_utc_ns,))])

    def follow(self) -> None:
        """For a process that only takes: go over to a file that another process put back."""
        self._db.follow()
