"""What a bout is described by: a few numbers of each of its strides, not the strides themselves.

A bout may last for hours, and a record of a stride is large.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np

from sensors import Side

from .metrics.describe import fields_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.results import Stride

TIMES_AND_LENGTHS = (
    "initial_contact_s",
    "next_initial_contact_s",
    "stride_time_s",
    "stride_length_m",
    "stride_length_sd_m",
    "length_from_s",
    "length_to_s",
)
TIMES_AND_LENGTHS_OF = attrgetter(*TIMES_AND_LENGTHS)


@dataclass(frozen=True, slots=True)
class BoutSpeed:
    """Means of a bout; their standard deviations hold what all its strides share as well."""

    speed_mps: float
    speed_sd_mps: float
    stride_length_m: float
    stride_length_sd_m: float


@dataclass(frozen=True, slots=True, eq=False)
class BoutRows:
    """Numbers of the m strides of a bout, in the order of time; NaN where there is none.

    Attributes
    ----------
    every : dict of field to (m,) float64
        `TIMES_AND_LENGTHS`.
    fields : (m, k) float64
        Of all summarised fields.
    side : (m,) int64
        Place of the stride's side in `Side`; -1 where the pelvis alone saw it.
    is_steady : (m,) bool
        Counts for the summarised fields.
    """

    every: dict[str, NDArray[np.float64]]
    fields: NDArray[np.float64]
    side: NDArray[np.int64]
    is_steady: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.side)

    @property
    def pelvis_only(self) -> bool:
        """Whether the pelvis alone saw all of them."""
        return not (self.side >= 0).any()

    @property
    def steady(self) -> dict[Side, NDArray[np.float64]]:
        """Steady strides of each side by the summarised fields, (l, k)."""
        return {side: self.fields[self.is_steady & (self.side == i)] for i, side in enumerate(Side)}

    def between(self, from_s: float, to_s: float) -> BoutRows:
        """Those that begin in `[from_s, to_s)`."""
        begin_s = self.every["initial_contact_s"]
        inside = (from_s <= begin_s) & (begin_s < to_s)
        return BoutRows(
            {name: values[inside] for name, values in self.every.items()},
            self.fields[inside],
            self.side[inside],
            self.is_steady[inside],
        )


def rows_of(strides: Sequence[Stride]) -> BoutRows:
    """The numbers of some strides."""
    place = {None: -1} | {side: i for i, side in enumerate(Side)}
    times = np.array([TIMES_AND_LENGTHS_OF(s) for s in strides], dtype=np.float64)
    times = times.reshape(-1, len(TIMES_AND_LENGTHS))
    return BoutRows(
        every={name: times[:, i] for i, name in enumerate(TIMES_AND_LENGTHS)},
        fields=fields_of(strides),
        side=np.array([place[s.side] for s in strides], dtype=np.int64),
        is_steady=np.array([s.steady for s in strides], dtype=bool),
    )


def join_rows(parts: Sequence[BoutRows]) -> BoutRows:
    """Rows that follow each other, as one."""
    return BoutRows(
        every={n: np.concatenate([part.every[n] for part in parts]) for n in TIMES_AND_LENGTHS},
        fields=np.concatenate([part.fields for part in parts]),
        side=np.concatenate([part.side for part in parts]),
        is_steady=np.concatenate([part.is_steady for part in parts]),
    )
