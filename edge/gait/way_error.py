"""How sure the way of a foot between two still moments is."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from .stance import GRAVITY_MPS2

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .motion import FootMotion
    from .swings import Swings

# Accelerometer scale after calibration. A shoe is never quite still: it rolls about its contact, by
# so much on its own, and by 0.04 m for each radian of the rate that is left, 0.2 rad/s a unit of
# energy. Fitted to 20 recordings against cameras; each half and another shoe agree (docs/gait.md).
SCALE_SD = 0.005
ROLL_SD_MPS = 0.008
# The filter takes twice the noise that the errors of real strides show.
NOISE_SHARE = 0.5
# A length that is less sure than this is not given: its stride lost samples.
LENGTH_SD_M = 0.15
# A foot that stood this near to its stillest moment stood then.
ANCHOR_S = 0.1


def way_sd_m(foot: FootMotion, swings: Swings) -> NDArray[np.float64]:
    """Standard deviation of the horizontal way of each swing (m,), m; NaN where it is not known."""
    before, after = swings.still_before, swings.still_after
    known = zip(*_known(foot, swings), strict=True)
    sd = np.array([_bridge_sd(foot, a, b) if min(a, b) >= 0 else np.nan for a, b in known])
    way = foot.position_m[after, :2] - foot.position_m[before, :2]
    lasts = (after - before) / foot.rate_hz
    rolls = np.maximum(np.maximum(foot.energy[before], foot.energy[after]), 0.0)
    sd = np.sqrt(
        sd**2
        + SCALE_SD**2 * np.einsum("ij,ij->i", way, way)
        + (ROLL_SD_MPS * lasts) ** 2 * (1.0 + rolls)
    )
    return np.where(sd <= LENGTH_SD_M, sd, np.nan)


def _known(foot: FootMotion, swings: Swings) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ticks at which the foot is known to have stood before and after each swing.

    The still moments, or further away where a stance was lost in a gap or the foot jogged; -1 where
    it never stood, as at the ends of a span.
    """
    before, after = swings.still_before, swings.still_after
    reach = round(ANCHOR_S * foot.rate_hz)
    stood = np.flatnonzero(foot.stands)
    padded = np.concatenate([[-1], stood, [-1]])
    last = padded[np.searchsorted(stood, before + reach, side="right")]
    first = padded[np.searchsorted(stood, after - reach) + 1]
    return (
        np.where((last >= 0) & (last >= before - reach), before, last),
        np.where((first >= 0) & (first <= after + reach), after, first),
    )


def _bridge_sd(foot: FootMotion, first: int, last: int) -> float:
    """Standard deviation of the way between two moments of standing, from the noise between, m.

    Notes
    -----
    Noise of density s_i of the accelerometer, at time tau_i before the end, errs the velocity there
    by w_i and the way by w_i tau_i, w_i ~ N(0, s_i^2 h). Noise of density r_i of the gyroscope
    tilts gravity from then on, by u_i ~ N(0, r_i^2 h): g u_i tau_i and g u_i tau_i^2 / 2. The end
    is known to be still: the way has its variance given a velocity of zero.
    """
    h = 1.0 / foot.rate_hz
    window = slice(first, last + 1)
    force = (NOISE_SHARE * foot.acc_noise[window]) ** 2 * h
    tilt = (NOISE_SHARE * GRAVITY_MPS2 * foot.gyr_noise[window]) ** 2 * h
    tau = np.arange(len(force) - 1, -1, -1) * h
    square = tau * tau
    velocity = float(force.sum() + tilt @ square)
    both = float(force @ tau + tilt @ (square * tau) / 2.0)
    way = float(force @ square + tilt @ (square * square) / 4.0)
    return sqrt(max(way - both**2 / velocity, 0.0))
