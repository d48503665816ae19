"""Length, speed and lift of a stride, from the way of the foot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .motion import lift_m
from .stance import GRAVITY_MPS2

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .strides import Body, Strides

# Accelerometer scale after calibration. A shoe is never quite still: it rolls about its contact, by
# so much on its own, and by 0.04 m for each radian of the rate that is left, 0.2 rad/s a unit of
# energy. Fitted to every other recording of 20 against cameras; the others agree (docs/gait.md).
SCALE_SD = 0.005
ROLL_SD_MPS = 0.008
# The filter takes twice the noise that the errors of real strides show.
NOISE_SHARE = 0.5
# A length that is less sure than this is not given: its stride lost samples.
LENGTH_SD_M = 0.15


def spatial_columns(strides: Strides, _: Body) -> Mapping[str, NDArray[np.float64]]:
    """Length, its standard deviation, m, speed, m/s, and lift, m, of each stride (m,)."""
    way = strides.way_m
    length = np.hypot(way[:, 0], way[:, 1])
    spans = list(zip(strides.still_before, strides.still_after, strict=True))
    known = zip(strides.known_from, strides.known_to, strict=True)
    sd = np.array([_bridge_sd(strides, a, b) if min(a, b) >= 0 else np.nan for a, b in known])
    lasts = (strides.still_after - strides.still_before) / strides.motion.rate_hz
    rolls = np.maximum(strides.energy[strides.still_before], strides.energy[strides.still_after])
    roll_sd = ROLL_SD_MPS * np.sqrt(1.0 + np.maximum(rolls, 0.0))
    sd = np.sqrt(sd**2 + (SCALE_SD * length) ** 2 + (roll_sd * lasts) ** 2)
    unknown = ~(sd <= LENGTH_SD_M)
    length[unknown] = sd[unknown] = np.nan
    return {
        "stride_length_m": length,
        "stride_length_sd_m": sd,
        "speed_mps": length / lasts,
        "clearance_m": np.array([lift_m(strides.position_m[a : b + 1, 2]) for a, b in spans]),
    }


def _bridge_sd(strides: Strides, first: int, last: int) -> float:
    """Standard deviation of the way between two moments of standing, from the noise between, m.

    Notes
    -----
    Noise of density s_i of the accelerometer, at time tau_i before the end, errs the velocity there
    by w_i and the way by w_i tau_i, w_i ~ N(0, s_i^2 h). Noise of density r_i of the gyroscope
    tilts gravity from then on, by u_i ~ N(0, r_i^2 h): g u_i tau_i and g u_i tau_i^2 / 2. The end
    is known to be still: the way has its variance given a velocity of zero.
    """
    h = 1.0 / strides.motion.rate_hz
    window = slice(first, last + 1)
    force = (NOISE_SHARE * strides.acc_noise[window]) ** 2 * h
    tilt = (NOISE_SHARE * GRAVITY_MPS2 * strides.gyr_noise[window]) ** 2 * h
    tau = np.arange(len(force) - 1, -1, -1) * h
    velocity = force.sum() + tilt @ tau**2
    both = force @ tau + tilt @ tau**3 / 2.0
    way = force @ tau**2 + tilt @ tau**4 / 4.0
    return float(np.sqrt(max(way - both**2 / velocity, 0.0)))
