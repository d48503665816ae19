"""What the analysis of one span of walking gives back to the pipeline."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edge.results import Bout, BoutMetrics, Contact, Stride
    from sensors import Segment

    from .bout_rows import BoutRows
    from .segment import Worn


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """Way of one foot: `time_s` (n,), `position_m` (n, 3), z up, heading arbitrary."""

    time_s: NDArray[np.float64]
    position_m: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """Contacts, strides, bouts (numbered from 1) with their metrics, ways of the feet.

    `rows` are the numbers of the strides of each bout that is told, by the number of the bout.
    `standing` tells how sensors are worn whose segment was seen upright in standing: what the next
    part of the same walk needs, where nobody stands.
    """

    contacts: tuple[Contact, ...] = ()
    strides: tuple[Stride, ...] = ()
    bouts: tuple[Bout, ...] = ()
    paths: Mapping[Segment, Path] = field(default_factory=dict)
    metrics: tuple[BoutMetrics, ...] = ()
    rows: Mapping[int, BoutRows] = field(default_factory=dict)
    standing: Mapping[Segment, Worn] = field(default_factory=dict)

    def between(self, from_s: float, to_s: float) -> Walk:
        """Contacts, strides and paths that begin in `[from_s, to_s)`."""
        return Walk(
            contacts=tuple(c for c in self.contacts if from_s <= c.time_s < to_s),
            strides=tuple(s for s in self.strides if from_s <= s.initial_contact_s < to_s),
            paths={
                segment: Path(path.time_s[inside], path.position_m[inside])
                for segment, path in self.paths.items()
                for inside in [(path.time_s >= from_s) & (path.time_s < to_s)]
            },
        )

    def renumbered(self, numbers: Mapping[int, int]) -> Walk:
        """The same with other numbers of the bouts of its strides; 0 is none."""
        return replace(
            self,
            strides=tuple(
                s if s.bout == numbers[s.bout] else s.model_copy(update={"bout": numbers[s.bout]})
                for s in self.strides
            ),
        )


def live_walk(strides: Sequence[Stride], bout: int) -> Walk:
    """Strides that are marked as live ones of a bout that is not over yet."""
    marks = {"stage": "live", "bout": bout}
    return Walk(strides=tuple(s.model_copy(update=marks) for s in strides))
