"""What a day does to a gait: the change of a number over the hours, at equal speed."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from edge.results import Metric

from .metrics.estimate import Z_95, five_digits
from .metrics.family import unit_of
from .stance import median

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Bouts that each half of the day must have (docs/gait.md).
LEAST_A_HALF = 5
SHIFT_H = 8.0
# Slopes are taken between all pairs. Of a day of more bouts, so many groups of neighbours count.
MOST_BOUTS = 400


@dataclass(frozen=True, slots=True)
class BoutPoint:
    """One bout: hours since the day began, mean speed, and the mean of each field, both sides."""

    hour: float
    speed_mps: float
    values: dict[str, float]


def trend_metric(field: str, bouts: Sequence[BoutPoint]) -> Metric:
    """Change of a field in eight hours of a day.

    Notes
    -----
    Theil-Sen slope on the hour of what the Theil-Sen slope on speed leaves; interval from Kendall's
    variance (Sen 1968, J Am Stat Assoc 63:1379). One day's slope also holds whatever else that
    day brought: docs/gait.md asks for three days before it is believed.
    """
    name, unit = f"{field}_in_8_h", unit_of(field)
    known = [b for b in bouts if np.isfinite(b.values.get(field, np.nan)) and b.speed_mps > 0.0]
    hours = _grouped([b.hour for b in known])
    middle = (hours.min() + hours.max()) / 2.0 if len(hours) else 0.0
    fewer = int(min((hours <= middle).sum(), (hours > middle).sum()))
    if fewer < LEAST_A_HALF:
        reason = f"{fewer} bouts in one half of the day, {LEAST_A_HALF} needed"
        return Metric(name=name, side="both", value=None, unit=unit, n=len(known), reason=reason)
    speeds = _grouped([b.speed_mps for b in known])
    values = _grouped([b.values[field] for b in known])
    left_over = values - _median_slope(speeds, values)[0] * speeds
    slope, low, high = (SHIFT_H * x for x in _median_slope(hours, left_over))
    return Metric(
        name=name,
        side="both",
        value=five_digits(slope),
        unit=unit,
        interval=(five_digits(low), five_digits(high)),
        n=len(known),
    )


def _grouped(values: Sequence[float]) -> NDArray[np.float64]:
    """Means of neighbours, where there are more than `MOST_BOUTS`."""
    groups = np.array_split(np.array(values), min(len(values), MOST_BOUTS) or 1)
    return np.array([group.mean() for group in groups if len(group)])


def _median_slope(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float, float]:
    """Theil-Sen slope with its 95 % interval."""
    i, j = np.triu_indices(len(x), 1)
    apart = x[j] - x[i]
    slopes = np.sort((y[j] - y[i])[apart != 0.0] / apart[apart != 0.0])
    if not len(slopes):
        return 0.0, 0.0, 0.0
    n = len(x)
    reach = Z_95 * sqrt(n * (n - 1) * (2 * n + 5) / 18.0)
    low = max(int((len(slopes) - reach) / 2.0), 0)
    high = min(int(np.ceil((len(slopes) + reach) / 2.0)), len(slopes) - 1)
    return float(median(slopes)), float(slopes[low]), float(slopes[high])
