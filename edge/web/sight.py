"""Looks at everything that the page shows: `acquire` by its socket, the store, the machine.

All of it may block for some seconds: call it from a thread, one call at a time.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections import deque
from datetime import datetime
from typing import TYPE_CHECKING, Any

from edge.acquire.control import ask
from edge.calibrate.fittings import last_findings
from edge.contract import (
    BOUT,
    COMPARISON,
    LEG_LENGTH,
    SESSION,
    STRIDE,
    SUMMARY_DAY,
    SUMMARY_HOUR,
    Channel,
    channel_of,
)
from edge.errors import UserError
from edge.host_clock import host_clock
from edge.publish.health import supply_is_weak, temperature_degc
from edge.store.claim import Claims
from edge.store.identity import time_quality
from edge.store.outbox import Backlog
from edge.store.reader import StoreReader

from .views.day import DayView, day_view
from .views.facts import Facts, LiveStride, Machine, Seat, Told
from .views.outcomes import OutcomesView, outcomes_view

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.config import Config
    from edge.envelope import Envelope
    from edge.messages import Event, Session
    from edge.results import Bout
    from edge.store.reader import Kept

LOSSES_OVER_S = 10.0
CHART_S = 120.0
# Fast walkers make two strides a second; refined ones may come all at once.
MOST_STRIDES, MOST_ROWS = 300, 2000
EVENTS_S, MOST_EVENTS = 86_400.0, 8
MOST_HOURS, MOST_DAYS, MOST_BOUTS, MOST_SESSIONS, MOST_OUTCOMES = 240, 30, 2000, 50, 20
LIVE = b'"stage":"live"'
NOTHING_WAITS = Backlog(0, 0, None)
# Of the time, one part in so many goes into counting what waits.
COUNT_SHARE = 50.0


class Sight:
    """The page's eyes.

    Parameters
    ----------
    config : Config
        Folders, names, limits.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._reader = StoreReader(config.folders.store)
        self._claims = Claims(config.folders.store)
        self._clock = host_clock(config.time.speed)
        self._answers: deque[tuple[float, Told]] = deque()
        self._strides: deque[LiveStride] = deque(maxlen=MOST_STRIDES)
        self._counted = NOTHING_WAITS
        self._count_at_s = 0.0

    def look(self) -> Facts:
        """All of this moment."""
        told = self._ask()
        facts: dict[str, Any] = {"backlog": NOTHING_WAITS}
        try:
            facts |= self._look_into_store(told)
        except sqlite3.Error as error:
            facts["store_error"] = f"cannot be read: {error}"
        fitted = last_findings(self._config.folders.calibration)
        if fitted is not None:
            facts["fitted_utc_s"] = fitted[0]
            facts["seats"] = tuple(
                Seat(row["segment"], row["verdict"], tuple(row["findings"])) for row in fitted[1]
            )
        return Facts(
            config=self._config,
            utc_s=time.time(),
            mono_ns=self._clock(),
            machine=self._machine(),
            told=told,
            before=self._answers[0][1] if told and self._answers else None,
            strides=tuple(self._strides),
            **facts,
        )

    def day(self, wanted: str | None) -> DayView:
        """Hours, days and walks of a session; without a name of the one that runs, or the last."""
        told = self._ask()
        running = told.session if told else None
        streams = (SUMMARY_HOUR.stream(), SUMMARY_DAY.stream(), BOUT.stream())
        spans = self._reader.sessions(streams, MOST_SESSIONS)
        session = wanted or running or (spans[0].session if spans else None)
        if session is None:
            return day_view(None, None, (), (), (), ())
        hours = self._of_session(SUMMARY_HOUR, MOST_HOURS, session)
        days = self._of_session(SUMMARY_DAY, MOST_DAYS, session)
        bouts = self._of_session(BOUT, MOST_BOUTS, session)
        return day_view(
            session,
            running,
            spans,
            [found.data for found in hours],
            [found.data for found in days],
            [(_utc_s(found), found.data) for found in bouts],
        )

    def outcomes(self) -> OutcomesView:
        """Results of clinic protocols and comparisons, of all sessions."""
        leg_lengths, comparisons = (
            [
                (_utc_s(found), found.subject, found.data)
                for found in _parsed(self._reader.newest(channel.stream(), MOST_OUTCOMES))
            ]
            for channel in (LEG_LENGTH, COMPARISON)
        )
        return outcomes_view(leg_lengths, comparisons)

    def _ask(self) -> Told | None:
        try:
            reply = ask(self._config.folders.socket, "nodes")
            told = Told(nodes=reply["nodes"], session=reply["session"])
        except (UserError, KeyError, ValueError):
            self._answers.clear()
            return None
        now_s = time.monotonic()
        while len(self._answers) > 1 and now_s - self._answers[1][0] >= LOSSES_OVER_S:
            self._answers.popleft()
        self._answers.append((now_s, told))
        return told

    def _look_into_store(self, told: Told | None) -> dict[str, Any]:
        now_s = time.time()
        session = self._session(told)
        self._follow_strides(now_s)
        bouts = self._of_session(BOUT, 1, told.session if told else None)
        events = _parsed(
            self._reader.newest("event/*", MOST_EVENTS, since_utc_ns=_ns(now_s - EVENTS_S))
        )
        last: tuple[float, Bout] | None = None
        flags: tuple[str, ...] = ()
        if bouts:
            last = _utc_s(bouts[0]), bouts[0].data
            flags = bouts[0].quality.flags if bouts[0].quality else ()
        told_events: tuple[tuple[float, Event], ...] = tuple((_utc_s(e), e.data) for e in events)
        return {
            "backlog": self._backlog(),
            "session": session,
            "bout": last,
            "flags": flags,
            "events": told_events,
        }

    def _backlog(self) -> Backlog:
        """What waits; counting some hundred thousand results takes long, so it is done seldom."""
        began_s = time.monotonic()
        if began_s >= self._count_at_s:
            self._counted = self._reader.backlog()
            took_s = time.monotonic() - began_s
            self._count_at_s = began_s + COUNT_SHARE * took_s
        return self._counted

    def _session(self, told: Told | None) -> tuple[Session, int] | None:
        """The session that `acquire` runs; what a crash left in the store is none."""
        payload = self._reader.latest(SESSION.stream())
        if told is None or not payload:
            return None
        envelope: Envelope[Session] = SESSION.envelope.model_validate_json(payload)
        if envelope.data.session != told.session or envelope.t_mono_ns is None:
            return None
        return envelope.data, envelope.t_mono_ns

    def _follow_strides(self, now_s: float) -> None:
        """Take in live strides that are new; the rows before last are not read twice."""
        # A wall clock that stepped back must not make the page wait for it to come round again.
        since_s = min(self._strides[-1].utc_s if self._strides else 0.0, now_s) - 1.0
        rows = self._reader.newest(
            STRIDE.stream(), MOST_ROWS, since_utc_ns=_ns(max(since_s, now_s - CHART_S))
        )
        known = {live.id for live in self._strides}
        fresh = [row for row in reversed(rows) if row.id not in known and LIVE in row.payload]
        for found in _parsed(fresh):
            if found.t_mono_ns is not None:
                live = LiveStride(found.id, _utc_s(found), found.t_mono_ns, found.data)
                self._strides.append(live)

    def _of_session(self, channel: Channel, limit: int, session: str | None) -> list[Envelope[Any]]:
        """Results of a session in the order of time."""
        return _parsed(reversed(self._reader.newest(channel.stream(), limit, session)))

    def _machine(self) -> Machine:
        try:
            free_mb = shutil.disk_usage(self._config.folders.state).free / 1e6
        except OSError:
            free_mb = None
        return Machine(
            disk_free_mb=free_mb,
            temperature_degc=temperature_degc(),
            supply_is_weak=supply_is_weak(),
            clock=time_quality(),
            publish_runs=self._claims.is_taken("publish"),
            acquire_runs=self._claims.is_taken("acquire"),
        )


def _parsed(rows: Iterable[Kept]) -> list[Envelope[Any]]:
    """Payloads as records; what a later version wrote, or damage changed, is left out."""
    found: list[Envelope[Any]] = []
    for row in rows:
        channel = channel_of(row.stream)
        if channel is None:
            continue
        try:
            found.append(channel.envelope.model_validate_json(row.payload))
        except ValueError:
            continue
    return found


def _utc_s(envelope: Envelope[Any]) -> float:
    return datetime.fromisoformat(str(envelope.t)).timestamp()


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)
