"""Spans in, results out: synchronous, deterministic, without port, clock, socket or file.

The same pipeline serves the live service and, in longer parts, `evenstride analyze`. While somebody
walks, each stride is given out as it closes (`stage` live), by the feet alone. When the walk is
over, its whole stretch is analysed, two-sided, and contacts, strides and bouts are given out
refined.

Results do not depend on how the spans are cut: work is done in pieces of fixed length.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cext import moments_of_pieces

from .gait import LiveStrides, LongBouts, Walk, analyse_walking, live_walk
from .timegrid import join

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from sensors import Segment

    from .gait.segment import Worn
    from .results import Person
    from .timegrid import Span

PIECE_S = 0.5
# A piece in which some sensor turns this much about its mean rate is movement. Quiet standing
# stays below 0.05 rad/s, the pelvis in slow walking above 0.2 (both seen on real recordings).
MOVING_RPS = 0.12
# Rest kept before a stretch: enough for gyroscope bias and level.
LEAD_S = 10.0
# A stretch of movement is over after this much quiet.
QUIET_S = 6.0
# A longer one is analysed in parts that overlap, so that memory stays bounded: so many readings of
# all sensors together, five for two minutes at 200 Hz. They meet between two contacts, where nobody
# can doubt on which side of the border a stride began. A longer overlap changes nothing (2 and 5
# minutes of real and virtual walking, parts against the whole). A service that measures all day on
# a small computer holds half as many, and works an eighth more for it.
LONGEST_READINGS = 120_000
LONGEST_READINGS_LIVE = 60_000
OVERLAP_S = 10.0


class Pipeline:
    """Finds stretches of movement in a stream of spans and analyses each.

    Parameters
    ----------
    person : Person
        What is known of the person.
    live : bool
        Give out strides as they close, before the refined ones.
    """

    def __init__(self, person: Person, *, live: bool = False) -> None:
        self._person = person
        self._live = LiveStrides(person) if live else None
        self._longest = LONGEST_READINGS_LIVE if live else LONGEST_READINGS
        self._start_s = 0.0
        self._n_pieces = 0
        self._waiting: list[Span] = []
        self._pieces: deque[Span] = deque()
        self._moving = False
        self._quiet_s = 0.0
        self._keep_from_s = -np.inf
        self._bouts = LongBouts()
        self._standing: Mapping[Segment, Worn] = {}

    def push(self, span: Span) -> list[Walk]:
        """Take in the next ticks; gives what became known by them, in order."""
        if not self._n_pieces and not self._waiting:
            self._start_s = span.start_s
        size = round(PIECE_S * span.rate_hz)
        lacking = size - sum(map(len, self._waiting))
        if len(span) < lacking:
            self._waiting.append(span)
            return []
        first, rest = join([*self._waiting, span.part(0, lacking)]), span.part(lacking, len(span))
        ends = range(size, len(rest) + 1, size)
        pieces = [first, *(rest.part(end - size, end) for end in ends)]
        self._waiting = [rest.part(len(ends) * size, len(rest))]
        moves = [*_moves(first, size), *_moves(rest, size)]
        walks = [self._advance(p, m) for p, m in zip(pieces, moves, strict=True)]
        return [walk for walk in walks if walk is not None]

    def finish(self) -> list[Walk]:
        """Analyse what is still open at the end of the stream."""
        rest = [span for span in self._waiting if len(span)]
        self._waiting = []
        if rest:
            self._append(join(rest))
            self._moving |= bool(_moves(self._pieces[-1], len(self._pieces[-1])))
        return [self._end_stretch()] if self._moving else []

    def _append(self, piece: Span) -> None:
        # Counted from the first tick, times are the same to the last bit however spans are cut.
        past_s = self._n_pieces * round(PIECE_S * piece.rate_hz) / piece.rate_hz
        self._pieces.append(replace(piece, start_s=self._start_s + past_s))
        self._n_pieces += 1

    def _advance(self, piece: Span, moves: np.bool_) -> Walk | None:
        self._append(piece)
        if not self._moving and not moves:
            self._trim(LEAD_S)
            return None
        self._moving = True
        self._quiet_s = 0.0 if moves else self._quiet_s + PIECE_S
        if self._quiet_s >= QUIET_S:
            return self._end_stretch()
        if len(self._pieces) * len(piece) * len(piece.segments) >= self._longest:
            return self._cut_stretch()
        new = self._live.look(self._pieces) if self._live else ()
        return live_walk(new, self._bouts.current) if new else None

    def _end_stretch(self) -> Walk:
        # Only the quiet stays: what moved before it has been told and must not be told again.
        walk = self._settle(self._analyse(QUIET_S))
        self._moving = False
        self._quiet_s = 0.0
        self._keep_from_s = -np.inf
        self._standing = {}
        return walk

    def _cut_stretch(self) -> Walk:
        """Analyse a stretch that goes on; its last seconds are left to the next part."""
        end_s = self._pieces[-1].start_s + PIECE_S
        part = self._analyse(OVERLAP_S)
        border_s = _between_contacts(part, end_s - 0.75 * OVERLAP_S, end_s - 0.25 * OVERLAP_S)
        walk = self._settle(part, border_s)
        self._keep_from_s = border_s
        return walk

    def _analyse(self, keep_s: float) -> Walk:
        """Analyse all pieces; the last `keep_s` of them stay for what follows."""
        whole = join(tuple(self._pieces))
        # Before the analysis, which takes memory of its own.
        self._trim(keep_s)
        part = analyse_walking(whole, self._person, self._standing)
        self._standing = part.standing
        return part

    def _settle(self, part: Walk, to_s: float = np.inf) -> Walk:
        return self._bouts.settle(part, self._pieces[-1].segments, self._keep_from_s, to_s)

    def _trim(self, keep_s: float) -> None:
        while len(self._pieces) > keep_s / PIECE_S:
            self._pieces.popleft()


def _between_contacts(walk: Walk, from_s: float, to_s: float) -> float:
    """Middle of the longest time without a contact within `[from_s, to_s]`."""
    inside = [c.time_s for c in walk.contacts if from_s < c.time_s < to_s]
    times = np.array([from_s, *inside, to_s])
    longest = int(np.argmax(np.diff(times)))
    return float(times[longest : longest + 2].mean())


def _moves(span: Span, size: int) -> NDArray[np.bool_]:
    """Whether some sensor moves in each of the whole pieces of so many ticks that a span holds."""
    _, variance = moments_of_pieces(span.gyr.reshape(len(span), 3 * len(span.segments)), size)
    spread = variance.reshape(len(variance), len(span.segments), 3).sum(axis=2).max(axis=1)
    return np.asarray(spread > MOVING_RPS**2)
