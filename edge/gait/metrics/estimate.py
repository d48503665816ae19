"""From the values of single strides to one number with an interval, or the reason why not.

The interval holds what varies by chance from stride to stride and the error of the method that
all strides of one fitting share, which no number of strides averages out.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, sqrt
from typing import TYPE_CHECKING, Literal

import numpy as np

from edge.results import Metric

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sensors import Side

# docs/gait.md: six strides suffice for means, thirty a side for asymmetry and variability.
LEAST_FOR_MEAN = 6
LEAST_FOR_SPREAD = 30
Z_95 = 1.959964
Which = Literal["left", "right", "both", "right_minus_left"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """Mean of n strides; `half` is half the 95 % interval from chance alone. NaN below two."""

    mean: float
    sd: float
    half: float
    n: int


def estimates(values: NDArray[np.float64]) -> list[Estimate]:
    """Means of the columns of a table (m, k), NaN left out.

    Notes
    -----
    Neighbouring strides are alike, so n of them say less than n independent ones: the variance of
    the mean grows by (1 + r) / (1 - r), r the correlation of neighbours, where that is positive.
    """
    known = np.isfinite(values)
    n = known.sum(axis=0)
    mean = np.where(known, values, 0.0).sum(axis=0) / np.maximum(n, 1)
    about = np.where(known, values - mean, 0.0)
    power = (about**2).sum(axis=0)
    neighbours = (about[1:] * about[:-1]).sum(axis=0)
    alike = np.clip(neighbours / np.maximum(power, 1e-300), 0.0, 0.9)
    sd = np.sqrt(power / np.maximum(n - 1, 1))
    error = sd * np.sqrt((1.0 + alike) / (1.0 - alike) / np.maximum(n, 1))
    return [
        Estimate(m, s, student_95(k - 1) * e, k) if k > 1 else Estimate(np.nan, np.nan, np.nan, k)
        for m, s, e, k in zip(*(x.tolist() for x in (mean, sd, error, n)), strict=True)
    ]


def student_95(dof: int) -> float:
    """97.5 % point of Student's distribution; within 0.002 for 5 degrees of freedom and more.

    Expansion about the normal distribution: Abramowitz and Stegun 1964, 26.7.5.
    """
    z, v = Z_95, float(dof)
    first = (z**3 + z) / 4.0
    second = (5.0 * z**5 + 16.0 * z**3 + 3.0 * z) / 96.0
    third = (3.0 * z**7 + 19.0 * z**5 + 17.0 * z**3 - 15.0 * z) / 384.0
    return z + first / v + second / v**2 + third / v**3


def mean_metric(name: str, unit: str, side: Side, found: Estimate, system_sd: float) -> Metric:
    """Mean of one side."""
    if found.n < LEAST_FOR_MEAN:
        return withheld(name, unit, side.value, found.n, LEAST_FOR_MEAN)
    half = sqrt(found.half**2 + (Z_95 * system_sd) ** 2)
    return metric(name, unit, side.value, found.mean, half, found.n, found.sd)


def difference_metric(
    name: str, unit: str, left: Estimate, right: Estimate, system_sd: float
) -> Metric:
    """Mean of the right side less that of the left."""
    n = min(left.n, right.n)
    if n < LEAST_FOR_SPREAD:
        return withheld(name, unit, "right_minus_left", n, LEAST_FOR_SPREAD)
    half = difference_half(left, right, system_sd)
    return metric(name, unit, "right_minus_left", right.mean - left.mean, half, n)


def difference_half(left: Estimate, right: Estimate, system_sd: float) -> float:
    """Half the interval of a difference: each side has a sensor, and its error, of its own."""
    return sqrt(left.half**2 + right.half**2 + 2.0 * (Z_95 * system_sd) ** 2)


def metric(
    name: str, unit: str, side: Which, value: float, half: float, n: int, sd: float | None = None
) -> Metric:
    """Record of a value and half the width of its interval."""
    if not isfinite(value) or not isfinite(half):
        return Metric(name=name, side=side, value=None, unit=unit, n=n, reason="not a number")
    return Metric(
        name=name,
        side=side,
        value=five_digits(value),
        unit=unit,
        sd=None if sd is None else five_digits(sd),
        interval=(five_digits(value - half), five_digits(value + half)),
        n=n,
    )


def withheld(name: str, unit: str, side: Which, n: int, least: int) -> Metric:
    """Record of a number for which there are too few strides."""
    reason = f"{n} steady strides, {least} needed"
    return Metric(name=name, side=side, value=None, unit=unit, n=n, reason=reason)


def five_digits(value: float) -> float:
    """Rounded to five significant digits: beyond what any of these numbers is sure of."""
    return float(f"{value:.5g}")
