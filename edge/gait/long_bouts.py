"""A long walk is analysed in parts; here a bout that a cut runs through becomes one bout again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from .bout_rows import BoutRows, join_rows
from .bouts import describe_bout
from .metrics.describe import describe_strides

if TYPE_CHECKING:
    from edge.results import Bout, BoutMetrics
    from sensors import Segment

    from .walk import Walk

# A bout is closed after so long, and the walk goes on in the next: a day without a pause must not
# fill the memory, and an hour's summary must not wait for it.
LONGEST_BOUT_S = 3600.0


@dataclass(slots=True)
class _Open:
    number: int
    start_s: float
    parts: list[BoutRows] = field(default_factory=list)


class LongBouts:
    """Numbers and describes the bouts of a session, part by part."""

    def __init__(self) -> None:
        self._open: _Open | None = None
        self._n = 0

    @property
    def current(self) -> int:
        """Number of the bout that is under way, or of the next one."""
        return self._n + (self._open is None)

    def settle(
        self, part: Walk, segments: tuple[Segment, ...], from_s: float, to_s: float = np.inf
    ) -> Walk:
        """What a part brings to the session.

        Parameters
        ----------
        part : Walk
            With bouts numbered within it.
        segments : tuple of Segment
            Those that carry a sensor.
        from_s, to_s : float
            What begins in `[from_s, to_s)` is the part's own, the rest that of its neighbours.

        Returns
        -------
        Walk
            The part's own contacts, strides and paths, strides numbered by the session's bouts;
            the bouts that ended in it, whole, with their metrics.
        """
        own = part.between(from_s, to_s)
        mine = [
            (bout, rows)
            for bout in part.bouts
            if len(rows := part.rows[bout.bout].between(from_s, to_s))
        ]
        closed: list[tuple[Bout, tuple[BoutMetrics, ...]]] = []
        numbers = {0: 0}
        told: dict[int, BoutRows] = {}
        if self._open is not None and not (mine and mine[0][0].start_s < from_s):
            closed.append(self._close(self._open, segments))
        for bout, rows in mine:
            if self._open is None:
                self._n += 1
                self._open = _Open(self._n, bout.start_s)
            numbers[bout.bout] = self._open.number
            told[self._open.number] = rows
            self._open.parts.append(rows)
            goes_on = bout.end_s > to_s
            if not goes_on or to_s - self._open.start_s > LONGEST_BOUT_S:
                flags = ("continues",) * goes_on
                closed.append(self._close(self._open, segments, flags))
        return replace(
            own.renumbered(numbers),
            bouts=tuple(bout for bout, _ in closed),
            metrics=tuple(one for _, metrics in closed for one in metrics),
            rows=told,
        )

    def _close(
        self, done: _Open, segments: tuple[Segment, ...], flags: tuple[str, ...] = ()
    ) -> tuple[Bout, tuple[BoutMetrics, ...]]:
        self._open = None
        rows = join_rows(done.parts)
        return (
            describe_bout(done.number, rows, flags),
            describe_strides(done.number, rows.steady, segments),
        )
