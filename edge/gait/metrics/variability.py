"""How much a person's strides differ from each other: docs/gait.md."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from .estimate import LEAST_FOR_SPREAD, Z_95, metric, withheld
from .family import unit_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.results import Metric
    from sensors import Side

    from .estimate import Estimate

VARYING = ("stride_time_s", "stance_time_s", "stride_length_m", "clearance_m")


def variability_metrics(found: Mapping[Side, Mapping[str, Estimate]]) -> list[Metric]:
    """Standard deviation and coefficient of variation, per cent, from stride to stride.

    Notes
    -----
    Steady strides of one bout only: strides of different bouts differ for other reasons. The
    error of single strides is part of it: 20 ms on a stride time, 14 to 20 mm on a length.
    """
    return [
        varies
        for field in VARYING
        for side, of in found.items()
        for varies in _spread(field, side, of[field])
    ]


def _spread(field: str, side: Side, found: Estimate) -> list[Metric]:
    stem = field.rpartition("_")[0]
    names = (f"{stem}_sd", unit_of(field)), (f"{stem}_cv", "%")
    n = found.n
    if n < LEAST_FOR_SPREAD:
        return [withheld(name, unit, side.value, n, LEAST_FOR_SPREAD) for name, unit in names]
    # Standard error of a standard deviation, for a normal distribution.
    half = Z_95 * found.sd / sqrt(2.0 * (n - 1))
    (sd_name, unit), (cv_name, share) = names
    share_of = 100.0 / found.mean
    return [
        metric(sd_name, unit, side.value, found.sd, half, n),
        metric(cv_name, share, side.value, found.sd * share_of, half * share_of, n),
    ]
