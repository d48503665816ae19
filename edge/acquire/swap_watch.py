"""Spans of walking in, sentences about sensors that sit elsewhere than they are configured out.

Left and right foot exchanged make a day of measurements wrong without any gap in it. A few strides
tell (`calibration/fitting/placement.py`); so they are looked at when somebody begins to walk, until
the answer is sure, and again after a pause in which sensors may have been strapped on anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from calibration import CalibrationError
from calibration.fitting.placement import SURE, find_placement, suspected_swaps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edge.timegrid import Span
    from sensors import Segment

WINDOW_S = 20.0
# Strides of both sides until the first look, and between looks while it is not sure.
STRIDES_A_LOOK = 6
# Somebody whose walking gives no sure answer by then gives none later either.
MOST_STRIDES = 60
PAUSE_S = 60.0
LEAST_VALID = 0.9


class SwapWatch:
    """Looks at the walking of one session.

    Parameters
    ----------
    placements : mapping of node to Segment
        As they are configured.
    """

    def __init__(self, placements: Mapping[str, Segment]) -> None:
        self._placements = placements
        self._looked = 0
        self._first = 0
        self._newest_s = -PAUSE_S
        self._settled = False

    def look(self, n_strides: int, now_s: float, last: Callable[[float], Span]) -> tuple[str, ...]:
        """Take note of the strides so far; sentences where sensors sit elsewhere for sure.

        Parameters
        ----------
        n_strides : int
            Of the whole session.
        now_s : float
            Its newest second.
        last : callable
            Gives the newest seconds of all segments.
        """
        if n_strides == self._looked:
            return ()
        if now_s - self._newest_s > PAUSE_S:
            self._settled, self._first, self._looked = False, n_strides, n_strides
        self._newest_s = now_s
        if self._settled or n_strides - self._looked < STRIDES_A_LOOK:
            return ()
        self._looked = n_strides
        found = self._swaps(last(WINDOW_S))
        self._settled = found is not None or n_strides - self._first >= MOST_STRIDES
        return found or ()

    def _swaps(self, span: Span) -> tuple[str, ...] | None:
        """Sentences, or None where the walking does not tell for sure."""
        readings = {}
        for node, segment in self._placements.items():
            k = span.segments.index(segment)
            if span.valid[:, k].mean() > LEAST_VALID:
                gyr, acc = span.gyr[:, k], span.acc[:, k]
                readings[node] = np.ascontiguousarray(gyr), np.ascontiguousarray(acc)
        if not readings:
            return None
        try:
            placement = find_placement(span.rate_hz, readings)
        except CalibrationError:
            return None
        return suspected_swaps(placement, self._placements) if placement.confidence > SURE else None
