"""Strides as they close, while somebody walks: what the feet alone tell, seconds later refined.

A second of walking is worth a few per cent of a small computer's second, all day long. So each foot
is followed only when its next landing is due, over its last seconds; of the other foot counts what
its own last look showed. What needs a shank or the pelvis comes with the refined strides.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import numpy as np

from edge.timegrid import join
from sensors import Segment, Side

from .metrics import FAMILIES
from .pelvis import walk_of_pelvis
from .strides import Body
from .walking import FEET, follow_feet, stride_records, worn_segments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.results import Person, Stride
    from edge.timegrid import Span

    from .strides import Strides

# Enough strides for the axes of the foot and the stances about the last one, in slow walking too.
WINDOW_S = 6.0
# A foot must have stood after a landing before its way there is known. With 0.35 s instead, live
# strides would be no nearer to the refined ones (1,400 strides of real recordings).
MARGIN_S = 0.25
OF_THE_FEET = tuple(f for f in FAMILIES if not {"shank", "pelvis"} & set(f.needs))


class LiveStrides:
    """Finds each stride once, soon after it ended.

    Parameters
    ----------
    person : Person
        What is known of the person.
    """

    def __init__(self, person: Person) -> None:
        self._person = person
        self._feet: dict[Side, Strides] = {}
        self._landed_s: dict[Side | None, float] = {}
        self._due_s: dict[Side | None, float] = {}

    def look(self, pieces: Sequence[Span]) -> tuple[Stride, ...]:
        """Strides that became known with the last of some spans that follow each other."""
        last = pieces[-1]
        end_s = last.start_s + len(last) / last.rate_hz
        settled_s = end_s - MARGIN_S
        newest = [p for p in pieces if p.start_s > end_s - WINDOW_S - 0.5 / last.rate_hz]
        worn = worn_segments(last.segments, np.concatenate([p.valid for p in newest]))
        feet = [segment for segment in worn if segment in FEET]
        found: list[Stride] = []
        for segment in feet:
            if self._due_s.get(FEET[segment], -inf) <= settled_s:
                found += self._of_foot(join([p.of(segment) for p in newest]), settled_s)
        if not feet and Segment.PELVIS in worn:
            found += self._of_pelvis(join([p.of(Segment.PELVIS) for p in newest]), settled_s)
        return tuple(sorted(found, key=lambda stride: stride.next_initial_contact_s))

    def _of_foot(self, window: Span, settled_s: float) -> list[Stride]:
        followed = follow_feet(window)
        found: list[Stride] = []
        for side, strides in followed.items():
            self._feet[side] = strides
            new = self._is_new(side, strides.end_s, settled_s)
            if not new.any():
                continue
            at = int(np.flatnonzero(new)[-1])
            self._landed_s[side] = landed_s = float(strides.end_s[at])
            # The next one takes as long, most likely; of a first step the beginning is not known.
            self._due_s[side] = landed_s + np.nan_to_num(landed_s - strides.begin_s[at])
            found += stride_records(Body(self._feet, {}), {side: new}, OF_THE_FEET)
        return found

    def _of_pelvis(self, window: Span, settled_s: float) -> list[Stride]:
        strides = walk_of_pelvis(window, 0, self._person).strides
        ended_s = np.array([stride.next_initial_contact_s for stride in strides])
        new = np.flatnonzero(self._is_new(None, ended_s, settled_s))
        if len(new):
            self._landed_s[None] = float(ended_s[new[-1]])
        return [strides[i] for i in new]

    def _is_new(
        self, side: Side | None, ended_s: NDArray[np.float64], settled_s: float
    ) -> NDArray[np.bool_]:
        # The same contact, found again in the next window, moves by a few milliseconds.
        from_s = self._landed_s.get(side, -inf) + MARGIN_S
        return np.asarray((ended_s > from_s) & (ended_s <= settled_s))
