"""One session: blocks of all nodes in; a recording, results in the store and their counts out.

Runs in the one worker of `acquire`: nothing here is touched by another thread but `strides` and
the counts, which are replaced whole, and `window`, which is made for it.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from edge.calibrated import NO_CORRECTIONS, Corrections
from edge.clinic.live import LiveWindow
from edge.contract import BOUT, LEG_LENGTH, METRICS, STRIDE, SUMMARY_DAY, SUMMARY_HOUR
from edge.envelope import Quality
from edge.pipeline import PIECE_S, Pipeline
from edge.results import Person
from edge.summaries import Summaries
from edge.timegrid import TimeGrid

from .swap_watch import SwapWatch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge.gait import Walk
    from edge.recording.writer import RecordingWriter
    from edge.results import LegLength, Stride, Summary
    from edge.store.store import Context, Store
    from edge.summaries import Period
    from edge.timegrid import Span
    from sensors import Block, Segment
    from sensors.clock import Exchange
    from sensors.framing import Hello

LAST_STRIDES = 12


class Session:
    """Records, analyses and stores what the nodes send.

    Parameters
    ----------
    rate_hz : float
        Of the common time grid.
    placements : mapping of node to Segment
        Nodes that are not in it are recorded, not analysed.
    origin_ns : int
        Host time of second 0 of the session.
    writer, store, about
        Where raw blocks and results go, and what all results have in common.
    corrections : Corrections
        Calibrations of the nodes; what does not hold is flagged on every result.
    """

    def __init__(
        self,
        *,
        rate_hz: float,
        placements: Mapping[str, Segment],
        origin_ns: int,
        writer: RecordingWriter,
        store: Store,
        about: Context,
        corrections: Corrections = NO_CORRECTIONS,
    ) -> None:
        self.strides: tuple[Stride, ...] = ()
        self.n_strides = 0
        self.n_bouts = 0
        self.about = about
        self._corrections = corrections
        self._hardware: dict[str, str] = {}
        self._origin_ns = origin_ns
        self._placements = placements
        self._writer = writer
        self._store = store
        self._grid = TimeGrid(rate_hz, tuple(placements.values()), origin_ns)
        self._pipeline = Pipeline(Person(), live=True)
        self._summaries = Summaries(tuple(placements.values()))
        self.window = LiveWindow(self._publish_leg_length)
        self._swaps = SwapWatch(placements)
        self._newest_s = 0.0
        self._due_ns = origin_ns
        self._flag_calibrations()

    @property
    def n_late(self) -> int:
        """Samples that were recorded but came too late for the live analysis."""
        return self._grid.n_late

    @property
    def stopped(self) -> str | None:
        """Why raw samples are recorded no longer."""
        return self._writer.stopped

    @property
    def free_mb(self) -> float:
        """Room on the disk of the recording when it last wrote."""
        return self._writer.free_mb

    def take(self, blocks: Sequence[Block]) -> None:
        """Record blocks and analyse what they complete."""
        self._writer.write(blocks)
        for block in blocks:
            segment = self._placements.get(block.sensor)
            if segment is not None:
                self._grid.add(segment, self._corrections.apply(block))
        for label, what in self.window.take_marks():
            self._writer.marker(label, **what)
        # The pipeline works in pieces: cutting the grid before one is complete would be idle work.
        newest_ns = max((int(block.host_ns[-1]) for block in blocks), default=0)
        if newest_ns >= self._due_ns and (span := self._grid.take()) is not None:
            self._newest_s = span.start_s + len(span) / span.rate_hz
            self._due_ns = self._host_ns((self._newest_s // PIECE_S + 1.0) * PIECE_S)
            self.window.add(span)
            self._analyse(span)

    def note(
        self, node: str, hello: Hello | None, exchanges: Sequence[tuple[int, Exchange]]
    ) -> None:
        """Record what a node said of itself, and the raw exchanges of its clock."""
        if hello is not None:
            told = asdict(hello) | {"uid": hello.uid.hex()}
            self._writer.marker("hello", node=node, hello=told)
            self._hardware[node] = hello.uid.hex()
            self._flag_calibrations()
        self._writer.exchanges(node, exchanges)

    def finish(self) -> None:
        """Analyse what is still open and close the recording."""
        if (span := self._grid.finish()) is not None:
            self._analyse(span)
        walks = self._pipeline.finish()
        self._keep(walks)
        self._keep_summaries(self._summaries.finish(walks))
        self._writer.close()

    def _flag_calibrations(self) -> None:
        now = datetime.now(UTC)
        flags = self._corrections.flags(self._placements, now, self._hardware)
        self.about = replace(self.about, quality=Quality(flags=flags) if flags else None)

    def _publish_leg_length(self, result: LegLength) -> None:
        self._store.add(LEG_LENGTH, result, self._host_ns(self._newest_s), self.about)
        self._store.commit()

    def _analyse(self, span: Span) -> None:
        walks = self._pipeline.push(span)
        self._keep(walks)
        self._keep_summaries(self._summaries.take(span, walks))
        for sentence in self._swaps.look(self.n_strides, self._newest_s, self.window.last):
            self._store.tell("fitting", "alarm", sentence)

    def _keep(self, walks: Sequence[Walk]) -> None:
        for walk in walks:
            for stride in walk.strides:
                t_ns = self._host_ns(stride.next_initial_contact_s)
                self._store.add(STRIDE, stride, t_ns, self.about)
            for bout in walk.bouts:
                self._store.add(BOUT, bout, self._host_ns(bout.end_s), self.about)
                own = [found for found in walk.metrics if found.bout == bout.bout]
                for found in own:
                    t_ns = self._host_ns(bout.end_s)
                    self._store.add(METRICS, found, t_ns, self.about, family=found.family)
            live = [stride for stride in walk.strides if stride.stage == "live"]
            self.n_strides += len(live)
            self.n_bouts += len(walk.bouts)
            self.strides = (*self.strides, *live)[-LAST_STRIDES:]
        if walks:
            self._store.commit()

    def _keep_summaries(self, closed: Sequence[tuple[Period, Summary]]) -> None:
        for period, summary in closed:
            channel = SUMMARY_HOUR if period == "hour" else SUMMARY_DAY
            t_ns = self._host_ns(min(summary.end_s, self._newest_s))
            self._store.add(channel, summary, t_ns, self.about)
        if closed:
            self._store.commit()

    def _host_ns(self, time_s: float) -> int:
        return self._origin_ns + round(time_s * 1e9)
