"""A protocol on its way: which step is next, which trials count. No clock, no screen, no sensor.

The terminal and the page both drive one of these; it keeps the trials that count, and can tell the
result from them before the recording is closed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge.gait.leg_length import estimate_leg_length, read_phases
from edge.timegrid import join

from .verdict import Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.results import LegLength, Person
    from edge.timegrid import Span

    from .protocol import Step


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A trial that counts: its phase in the recording, what was seen in it, its samples."""

    phase: dict[str, Any]
    verdict: Verdict
    span: Span


class ProtocolRun:
    """Walks the steps of one protocol in order.

    Parameters
    ----------
    steps : sequence of Step
        The protocol.
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = tuple(steps)
        self._at = 0
        self._kept: dict[int, Kept] = {}

    @property
    def step(self) -> Step | None:
        """The step to do now; None when all are done."""
        return self._steps[self._at] if self._at < len(self._steps) else None

    @property
    def place(self) -> tuple[int, int]:
        """Number of this step, from 1, and of all."""
        return self._at + 1, len(self._steps)

    @property
    def phases(self) -> tuple[dict[str, Any], ...]:
        """The trials that count, as they stand in a recording's `protocol`."""
        return tuple(self._kept[i].phase for i in sorted(self._kept))

    def judge(self, span: Span) -> Verdict:
        """Look at the trial that was just made; nothing is kept yet."""
        trials = [kept.verdict.trial for kept in self._kept.values()]
        return judge(self._current(), span, [t for t in trials if t is not None])

    def keep(self, verdict: Verdict, span: Span) -> dict[str, Any]:
        """Count the trial and go on to the next step; gives its phase."""
        phase = self._current().label | _times(span.start_s, len(span) / span.rate_hz)
        self._kept[self._at] = Kept(phase, verdict, span)
        self._at += 1
        return phase

    def estimate(self, person: Person) -> LegLength | None:
        """Result of the trials that count; None before the first."""
        kept = [self._kept[i] for i in sorted(self._kept)]
        if not kept:
            return None
        # One trial right behind the other: the estimate looks at nothing in between anyway.
        whole = join([k.span for k in kept])
        start_s, phases = whole.start_s, []
        for k in kept:
            seconds = len(k.span) / k.span.rate_hz
            phases.append(k.phase | _times(start_s, seconds))
            start_s += seconds
        return estimate_leg_length(whole, read_phases(phases), person)

    def skip(self) -> None:
        """Leave this step out; only where it is optional."""
        step = self._current()
        if not step.optional:
            raise ValueError(f"{step.number} cannot be left out")
        self._at += 1

    def back(self) -> None:
        """Do the step before once more; its earlier trial no longer counts."""
        self._at = max(self._at - 1, 0)
        self._kept.pop(self._at, None)

    def _current(self) -> Step:
        if self.step is None:
            raise ValueError("the protocol is done")
        return self.step


def _times(start_s: float, seconds: float) -> dict[str, float]:
    return {"start_s": round(start_s, 4), "end_s": round(start_s + seconds, 4)}
