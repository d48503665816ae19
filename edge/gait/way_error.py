"""How sure the way of a foot between two still moments is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cext.runs import bridge_sd

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
    from_tick, to_tick = _known(foot, swings)
    stood = (from_tick >= 0) & (to_tick >= 0)
    sd = np.full(len(swings), np.nan)
    sd[stood] = bridge_sd(
        NOISE_SHARE * foot.acc_noise,
        NOISE_SHARE * GRAVITY_MPS2 * foot.gyr_noise,
        from_tick[stood],
        to_tick[stood] + 1,
        foot.rate_hz,
    )
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
