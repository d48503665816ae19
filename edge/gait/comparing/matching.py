"""Two sets of strides at like speeds: weights that give both the same distribution of speed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Speeds this close count as like.
BIN_MPS = 0.1


def matching_weights(
    before_mps: NDArray[np.float64], after_mps: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Weights of the strides of two conditions (m,) and (n,), and the share that they share.

    Notes
    -----
    In each bin of speed both conditions get the smaller of their two shares, so that neither
    counts where the other never walked (docs/gait.md). A stride without a speed weighs nothing.
    """
    known = [speeds[np.isfinite(speeds)] for speeds in (before_mps, after_mps)]
    if not all(len(speeds) for speeds in known):
        return np.zeros(len(before_mps)), np.zeros(len(after_mps)), 0.0
    # Bins about the common middle, so that two like walks are not cut apart by a bin's edge.
    middle = float(np.mean([np.median(speeds) for speeds in known]))
    bins = [np.rint((speeds - middle) / BIN_MPS) for speeds in (before_mps, after_mps)]
    places = np.unique(np.concatenate([b[np.isfinite(b)] for b in bins]))
    shares = [np.array([(b == place).sum() for place in places]) for b in bins]
    shares = [share / share.sum() for share in shares]
    common = np.minimum(*shares)
    weights = []
    for number, share in zip(bins, shares, strict=True):
        ratio = np.divide(common, share, out=np.zeros_like(common), where=share > 0)
        place = np.searchsorted(places, np.nan_to_num(number, nan=places[0]))
        weights.append(np.where(np.isfinite(number), ratio[np.minimum(place, len(ratio) - 1)], 0.0))
    return weights[0], weights[1], float(common.sum())
