"""What a bout is described by: a few numbers of each of its strides, not the strides themselves.

A bout may last for hours, and a record of a stride is large.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sensors import Side

from .metrics.describe import table_of

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
        `TIMES_AND_LENGTHS` of all strides.
    steady : dict of Side to (k, l) float64
        Steady strides of each side by the summarised fields.
    pelvis_only : bool
        Seen by the pelvis alone.
    """

    every: dict[str, NDArray[np.float64]]
    steady: dict[Side, NDArray[np.float64]]
    pelvis_only: bool

    def __len__(self) -> int:
        return len(self.every["initial_contact_s"])


def rows_of(strides: Sequence[Stride]) -> BoutRows:
    """The numbers of some strides."""
    return BoutRows(
        every={
            name: np.array([getattr(s, name) for s in strides], dtype=np.float64)
            for name in TIMES_AND_LENGTHS
        },
        steady=table_of(strides),
        pelvis_only=all(s.side is None for s in strides),
    )


def join_rows(parts: Sequence[BoutRows]) -> BoutRows:
    """Rows that follow each other, as one."""
    return BoutRows(
        every={n: np.concatenate([part.every[n] for part in parts]) for n in TIMES_AND_LENGTHS},
        steady={side: np.concatenate([part.steady[side] for part in parts]) for side in Side},
        pelvis_only=all(part.pelvis_only for part in parts),
    )
