"""A protocol on its way: which step is next, which trials count. No clock, no screen, no sensor.

The terminal and the page both drive one of these; it keeps the phases for the recording.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .verdict import Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.gait.leg_length.standing import Trial
    from edge.timegrid import Span

    from .protocol import Step


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
        self._kept: dict[int, tuple[dict[str, Any], Trial | None]] = {}

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
        return tuple(self._kept[i][0] for i in sorted(self._kept))

    def judge(self, span: Span) -> Verdict:
        """Look at the trial that was just made; nothing is kept yet."""
        trials = [trial for _, trial in self._kept.values() if trial is not None]
        return judge(self._current(), span, trials)

    def keep(self, verdict: Verdict, start_s: float, end_s: float) -> dict[str, Any]:
        """Count the trial and go on to the next step; gives its phase."""
        times = {"start_s": round(start_s, 3), "end_s": round(end_s, 3)}
        phase = self._current().label | times
        self._kept[self._at] = phase, verdict.trial
        self._at += 1
        return phase

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
