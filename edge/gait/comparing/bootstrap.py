"""Means of strides, resampled in blocks: neighbouring strides are alike and stay together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK_STRIDES = 10
RESAMPLES = 2000


def resampled_means(
    values: NDArray[np.float64], weights: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weighted means of the columns of a table, (k,), and of its resamples, (RESAMPLES, k).

    Parameters
    ----------
    values : (m, k) float64
        Strides in the order of time; NaN where there is no value.
    weights : (m,) float64
        Of the strides.
    rng : Generator
        Seeded, so that the same strides give the same interval.
    """
    known = np.isfinite(values) * weights[:, None]
    filled = np.where(np.isfinite(values), values, 0.0)
    n_blocks = max(1, len(values) // BLOCK_STRIDES)
    block = np.arange(len(values)) * n_blocks // len(values)
    drawn = rng.multinomial(n_blocks, np.full(n_blocks, 1.0 / n_blocks), size=RESAMPLES)
    often = np.vstack([np.ones(len(values)), drawn[:, block]])
    with np.errstate(invalid="ignore", divide="ignore"):
        means = (often @ (filled * known)) / (often @ known)
    # A resample of nothing but blocks without weight says no more than the mean itself.
    return means[0], np.where(np.isfinite(means[1:]), means[1:], means[0])
