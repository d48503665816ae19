"""From the values of single strides to one number with an interval, or the reason why not.

The interval holds what varies by chance from stride to stride and the error of the method that
all strides of one fitting share, which no number of strides averages out.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
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


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """What the columns of a table (m, k), NaN where unknown, add up to; each of them (k,).

    Sums of tables add up to those of the whole, but for the neighbours where they meet: a day of
    strides need not be kept for its means.

    Attributes
    ----------
    n, total, power : (k,) float64
        Number, sum and sum of squares of what is known.
    pairs, pair_total, pair_power : (k,) float64
        Number of neighbours of which both are known, sum of both, and of their products.
    """

    n: NDArray[np.float64]
    total: NDArray[np.float64]
    power: NDArray[np.float64]
    pairs: NDArray[np.float64]
    pair_total: NDArray[np.float64]
    pair_power: NDArray[np.float64]

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> Sums:
        """Sums of one table."""
        known = np.isfinite(values)
        there = np.where(known, values, 0.0)
        both = known[1:] & known[:-1]
        after, before = there[1:] * both, there[:-1] * both
        return cls(
            known.sum(axis=0, dtype=np.float64),
            there.sum(axis=0),
            np.einsum("ij,ij->j", there, there),
            both.sum(axis=0, dtype=np.float64),
            after.sum(axis=0) + before.sum(axis=0),
            np.einsum("ij,ij->j", after, before),
        )

    def __add__(self, other: Sums) -> Sums:
        return Sums(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def estimates(self) -> list[Estimate]:
        """Means of the columns.

        Notes
        -----
        Neighbouring strides are alike, so n of them say less than n independent ones: the variance
        of the mean grows by (1 + r) / (1 - r), r the correlation of neighbours, where that is
        positive.
        """
        mean = self.total / np.maximum(self.n, 1)
        # About the mean, so less than a billionth of it is no spread but rounding.
        spread = self.power - self.n * mean**2
        about = np.where(spread > 1e-12 * self.power, spread, 0.0)
        neighbours = self.pair_power - mean * self.pair_total + self.pairs * mean**2
        alike = np.clip(neighbours / np.maximum(about, 1e-300), 0.0, 0.9)
        sd = np.sqrt(about / np.maximum(self.n - 1, 1))
        error = sd * np.sqrt((1.0 + alike) / (1.0 - alike) / np.maximum(self.n, 1))
        return [
            Estimate(m, s, student_95(k - 1) * e, int(k))
            if k > 1
            else Estimate(np.nan, np.nan, np.nan, int(k))
            for m, s, e, k in zip(*(x.tolist() for x in (mean, sd, error, self.n)), strict=True)
        ]


def estimates(values: NDArray[np.float64]) -> list[Estimate]:
    """Means of the columns of a table (m, k), NaN left out."""
    return Sums.of(values).estimates()


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
