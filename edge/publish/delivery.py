"""One link's work: two lanes of the outbox into one window of messages under way.

The live lane carries what is added from shortly before the link came up; it is always served
first. The backfill lane carries what is older, in its own order, marked historical and at a
limited rate. So each stream is in order within its lane, whatever happens to the link.
"""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING

from .mqtt_link import Acknowledged, Link, LinkLost, Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.config import Broker
    from edge.store.outbox import Outbox, Row

# A row younger than this when the link comes up is still live; what is older is backfill.
LIVE_NS = 5_000_000_000
# The rest of the window stays free for what is live.
BACKFILL_SHARE = 0.5
EVERY_ROW = 1 << 62


class Delivery:
    """Sends rows over a link and takes acknowledged ones out of the outbox.

    Parameters
    ----------
    outbox : Outbox
        Where the rows are.
    link : Link
        An open connection.
    message_of : callable
        Makes the message of a row; its second argument says whether the row is backfill.
    broker : Broker
        Limit of the backfill lane; how long it may be silent while something is under way.

    Attributes
    ----------
    n_acknowledged : int
        Over this link.
    lag_s : float or None
        From adding to acknowledgement, of the last live row.
    refused : str or None
        What the broker said to a message that it did not take.
    """

    def __init__(
        self,
        outbox: Outbox,
        link: Link,
        message_of: Callable[[Row, bool], Message],
        broker: Broker,
    ) -> None:
        self.n_acknowledged = 0
        self.lag_s: float | None = None
        self.refused: str | None = None
        self._outbox = outbox
        self._link = link
        self._message_of = message_of
        self._rate = broker.backfill_per_s
        self._patience_s = broker.patience_s
        self._under_way: dict[int, tuple[Row, bool]] = {}
        self._acknowledged: list[int] = []
        self._first_live = outbox.first_since(time.monotonic_ns() - LIVE_NS)
        self._live_after = self._first_live - 1
        self._backfill_after = 0
        self._allowance = 0.0
        self._filled_s = self._heard_s = time.monotonic()

    def fill(self) -> None:
        """Send what the window has room for, live rows first.

        Raises
        ------
        LinkLost
            If the link is gone, or the broker has been silent for too long.
        """
        now_s = time.monotonic()
        if self._under_way and now_s - self._heard_s > self._patience_s:
            raise LinkLost(f"no acknowledgement for {self._patience_s:g} s")
        room = self._link.window - len(self._under_way)
        if room > 0:
            for row in self._outbox.rows(self._live_after, EVERY_ROW, room):
                self._send(row, backfill=False)
                self._live_after = row.n
        self._fill_backfill(now_s)

    def _fill_backfill(self, now_s: float) -> None:
        # A second's worth may go at once; what was not used does not pile up further.
        earned = (now_s - self._filled_s) * self._rate
        self._filled_s = now_s
        self._allowance = min(self._allowance + earned, max(self._rate, 1.0))
        room = int(self._link.window * BACKFILL_SHARE) - len(self._under_way)
        limit = min(room, int(self._allowance))
        if limit <= 0 or self._backfill_after >= self._first_live - 1:
            return
        rows = self._outbox.rows(self._backfill_after, self._first_live, limit)
        for row in rows:
            self._send(row, backfill=True)
            self._backfill_after = row.n
        self._allowance -= len(rows)
        if not rows:
            self._backfill_after = self._first_live

    def _send(self, row: Row, *, backfill: bool) -> None:
        if not self._under_way:
            self._heard_s = time.monotonic()
        mid = self._link.send(self._message_of(row, backfill))
        self._under_way[mid] = (row, backfill)

    def settle(self, event: Acknowledged) -> None:
        """Note what the broker says of a message."""
        self._heard_s = time.monotonic()
        row, backfill = self._under_way.pop(event.mid, (None, False))
        if row is None:
            return
        if event.refused is not None:
            # The row stays in the outbox: the next link tries it again.
            self.refused = f"{row.stream} is refused by the broker: {event.refused}"
            return
        self._acknowledged.append(row.n)
        self.n_acknowledged += 1
        if not backfill:
            self.lag_s = (time.monotonic_ns() - row.mono_ns) / 1e9

    def clear(self) -> None:
        """Take what is acknowledged out of the outbox; a disk that refuses is asked again later."""
        if not self._acknowledged:
            return
        try:
            self._outbox.done(self._acknowledged)
        except sqlite3.Error:
            return
        self._acknowledged.clear()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way."""
        return not self._under_way
