"""Carries the store's outbox to the broker until nothing waits, whatever becomes of the broker.

A row leaves the outbox when the broker has acknowledged it, never before. Every new connection
tells the retained values again, for brokers forget.
"""

from __future__ import annotations

import logging
import queue
import random
import sqlite3
import time
from typing import TYPE_CHECKING

from edge.contract import DIAG, INFO, STATUS, Channel, parse_topic, topic
from edge.envelope import encode
from edge.messages import Status
from edge.store.identity import new_ulid, utc_text

from .delivery import Delivery
from .mqtt_link import Acknowledged, LinkLost, Message, open_link

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from edge.config import Config
    from edge.messages import Diag, Info, State
    from edge.results import Record
    from edge.store.outbox import Row
    from edge.store.store import Store

    from .mqtt_link import Link

log = logging.getLogger(__name__)

POLL_S = 0.05
LONGEST_RETRY_S = 60.0
LOOK_S = 1.0
DIAG_S = 60.0
PRUNE_S = 3600.0
FAREWELL_S = 2.0
DAY_NS = 86_400 * 10**9
LATE = (b'"historical":false', b'"historical":true')


class Publisher:
    """Delivers a store's outbox.

    Parameters
    ----------
    config : Config
        Site, edge, broker, limits.
    store : Store
        What `acquire` adds to; this process's own connection.
    now_ns : callable
        The clock of the results.
    info : Info, optional
        What this edge is, told at each connect.
    health : callable, optional
        Makes the `diag` payload from the publisher.
    command : callable, optional
        Takes name and payload of a request that came in.
    progress : callable, optional
        Called again and again while the publisher gets on.

    Attributes
    ----------
    connected : bool
        Whether a broker listens now.
    error : str or None
        Why not, or what the broker refused last.
    n_connects, n_published : int
        Connections made, results acknowledged, since start.
    lag_s : float or None
        From adding to acknowledgement, of the last live result.
    """

    def __init__(
        self,
        config: Config,
        store: Store,
        now_ns: Callable[[], int] = time.monotonic_ns,
        *,
        info: Info | None = None,
        health: Callable[[Publisher], Diag] | None = None,
        command: Callable[[str, bytes], None] | None = None,
        progress: Callable[[], None] = lambda: None,
    ) -> None:
        self.connected = False
        self.error: str | None = None
        self.n_connects = 0
        self.n_published = 0
        self.lag_s: float | None = None
        self._config = config
        self._store = store
        self._now_ns = now_ns
        self._info = info
        self._health = health
        self._command = command
        self._progress = progress
        self._since = utc_text(time.time_ns())
        self._told: State | None = None
        self._due_s: dict[Callable[[Link], None], float] = {}

    def run(self, stop: threading.Event) -> None:
        """Deliver until told to stop; then take leave with the state `offline`."""
        retry_s = self._config.broker.retry_s
        while not stop.is_set():
            n_before = self.n_published
            try:
                self._serve(self._open(), stop)
            except (LinkLost, sqlite3.Error) as lost:
                # A disk that fails is tried again too: the outbox is all there is to deliver.
                self._complain(str(lost))
                if self.n_published > n_before:
                    retry_s = self._config.broker.retry_s
                # Spread out, or a whole fleet comes back in the same instant.
                self._wait(stop, retry_s * random.uniform(0.5, 1.5))  # noqa: S311
                retry_s = min(retry_s * 2, LONGEST_RETRY_S)

    def _wait(self, stop: threading.Event, seconds: float) -> None:
        until_s = time.monotonic() + seconds
        while (left_s := until_s - time.monotonic()) > 0:
            self._progress()
            if stop.wait(min(left_s, LOOK_S)):
                return

    def probe(self) -> None:
        """Connect once and leave again.

        Raises
        ------
        LinkLost
            Saying address and reason.
        """
        self._open().close()

    def _open(self) -> Link:
        will = Message(self._topic(STATUS.stream()), self._will(), 1, retain=True)
        asked = [self._topic("cmd/+")] if self._command is not None else []
        return open_link(self._config.broker, self._config.edge, will, asked)

    def _serve(self, link: Link, stop: threading.Event) -> None:
        self.connected, self.error = True, None
        self.n_connects += 1
        log.info("connected to %s:%d", *self._config.broker.address)
        delivery = Delivery(
            self._store.outbox,
            link,
            self._message_of,
            self._config.broker,
        )
        try:
            self._greet(link)
            while not stop.is_set():
                self._turn(link, delivery)
            self._take_leave(link, delivery)
        except (LinkLost, sqlite3.Error):
            self._collect(link, delivery, 0.0)
            link.abandon()
            raise
        finally:
            self.connected = False

    def _turn(self, link: Link, delivery: Delivery) -> None:
        self._progress()
        delivery.fill()
        self._collect(link, delivery, POLL_S)
        link.check()
        for task, every_s in (
            (self._look, LOOK_S),
            (self._tell_health, DIAG_S),
            (self._tidy, PRUNE_S),
        ):
            if time.monotonic() >= self._due_s.get(task, 0.0):
                self._due_s[task] = time.monotonic() + every_s
                task(link)

    def _collect(self, link: Link, delivery: Delivery, wait_s: float) -> None:
        """Hear what the network thread has to say, at first for at most `wait_s`."""
        n_before = delivery.n_acknowledged
        try:
            event = link.events.get(timeout=wait_s) if wait_s else link.events.get_nowait()
            while True:
                if isinstance(event, Acknowledged):
                    delivery.settle(event)
                elif isinstance(event, Message):
                    self._obey(event)
                event = link.events.get_nowait()
        except queue.Empty:
            pass
        delivery.clear()
        self.n_published += delivery.n_acknowledged - n_before
        self.lag_s = delivery.lag_s
        if delivery.refused:
            self._complain(delivery.refused)

    def _greet(self, link: Link) -> None:
        self._told = None
        self._look(link)
        if self._info is not None:
            self._tell(link, INFO, self._info)
        for channel, stream, payload in self._store.outbox.latest():
            if channel is not STATUS:
                link.send(Message(self._topic(stream), payload, channel.qos, retain=True))

    def _look(self, link: Link) -> None:
        """Follow a store that was put back, and tell when `acquire` came or went."""
        self._store.follow()
        state = self._state()
        if state != self._told:
            if self._told is not None:
                self._since = utc_text(time.time_ns())
            self._told = state
            self._tell(link, STATUS, Status(state=state, since=self._since))

    def _state(self) -> State:
        """What `acquire` last said of itself, if it lives: else delivery alone is awake."""
        if self._store.is_claimed("acquire"):
            for channel, _, payload in self._store.outbox.latest():
                if channel is STATUS:
                    status: Status = STATUS.envelope.model_validate_json(payload).data
                    return status.state
        return "sleeping"

    def _tell(self, link: Link, channel: Channel, data: Record) -> None:
        payload = self._compose(channel, data)
        link.send(Message(self._topic(channel.stream()), payload, channel.qos, channel.retain))

    def _compose(self, channel: Channel, data: Record) -> bytes:
        return encode(self._store.compose(channel, data, self._now_ns()))

    def _tell_health(self, link: Link) -> None:
        storage = self._config.storage
        oldest_ns = time.time_ns() - round(storage.outbox_days * DAY_NS)
        self._store.trim(round(storage.outbox_mb * 1e6), oldest_ns)
        if self._health is not None:
            self._tell(link, DIAG, self._health(self))

    def _tidy(self, _link: Link) -> None:
        self._store.prune(time.time_ns() - round(self._config.storage.result_days * DAY_NS))

    def _message_of(self, row: Row, late: bool) -> Message:
        payload = row.payload
        if row.channel is STATUS and self._state() == "sleeping":
            # `acquire` died since: its last words are no longer true.
            payload = self._compose(STATUS, Status(state="sleeping", since=self._since))
        if late and not row.channel.latest:
            # The envelope's own field stands before `data`, and no string can hold bare quotes.
            payload = payload.replace(*LATE, 1)
        # A late result must not take the place of a newer retained one.
        retain = row.channel.retain and (row.channel.latest or not late)
        return Message(self._topic(row.stream), payload, row.channel.qos, retain)

    def _obey(self, message: Message) -> None:
        parts = parse_topic(message.topic)
        # A retained command would be obeyed anew at each connect.
        if self._command is not None and parts is not None and not message.retain:
            self._command(parts[2].removeprefix("cmd/"), message.payload)

    def _take_leave(self, link: Link, delivery: Delivery) -> None:
        """Give what is under way a moment, then say `offline` and go."""
        until_s = time.monotonic() + FAREWELL_S
        while not delivery.is_idle and time.monotonic() < until_s:
            self._collect(link, delivery, POLL_S)
            link.check()
        self._tell(link, STATUS, Status(state="offline", since=utc_text(time.time_ns())))
        link.close()

    def _will(self) -> bytes:
        envelope = STATUS.envelope(
            schema=STATUS.schema_id,
            id=new_ulid(time.time_ns()),
            seq=None,
            stream=STATUS.stream(),
            t=None,
            t_unc_s=None,
            time_quality=None,
            t_mono_ns=None,
            boot_id=self._store.boot_id,
            data=Status(state="lost"),
        )
        return encode(envelope)

    def _topic(self, stream: str) -> str:
        return topic(self._config.site, self._config.edge, stream)

    def _complain(self, why: str) -> None:
        if why != self.error:
            log.warning("%s", why)
        self.error = why
