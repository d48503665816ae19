"""Length, speed and lift of a stride, from the way of the foot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .motion import lift_m
from .stance import STANCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .strides import Body, Strides

# Accelerometer scale after calibration, and velocity of a shoe that rolls about its contact; it
# grows with the energy that is left at the still moment, as the filter takes it to do.
SCALE_SD = 0.005
ROLL_SD_MPS = 0.01
# A length that is less sure than this is not given: its stride lost samples.
LENGTH_SD_M = 0.15


def spatial_columns(strides: Strides, _: Body) -> Mapping[str, NDArray[np.float64]]:
    """Length, its standard deviation, m, speed, m/s, and lift, m, of each stride (m,)."""
    way = strides.way_m
    length = np.hypot(way[:, 0], way[:, 1])
    spans = list(zip(strides.still_before, strides.still_after, strict=True))
    sd = np.array([_bridge_sd(strides, a, b) for a, b in spans])
    lasts = (strides.still_after - strides.still_before) / strides.motion.rate_hz
    rolls = np.maximum(strides.energy[strides.still_before], strides.energy[strides.still_after])
    roll_sd = ROLL_SD_MPS * np.sqrt(1.0 + np.maximum(rolls, 0.0) / STANCE.roll_energy)
    sd = np.sqrt(sd**2 + (SCALE_SD * length) ** 2 + (roll_sd * lasts) ** 2)
    unknown = (sd > LENGTH_SD_M) | ~strides.anchored
    length[unknown] = sd[unknown] = np.nan
    return {
        "stride_length_m": length,
        "stride_length_sd_m": sd,
        "speed_mps": length / lasts,
        "clearance_m": np.array([lift_m(strides.position_m[a : b + 1, 2]) for a, b in spans]),
    }


def _bridge_sd(strides: Strides, first: int, last: int) -> float:
    """Standard deviation of the way between two still moments, from the noise between them, m.

    Notes
    -----
    With noise of density s_i at time tau_i before the end, the velocity at the end errs by
    sum w_i and the way by sum w_i tau_i, w_i ~ N(0, s_i^2 h). The end is known to be still, so
    the way has the variance given sum w_i = 0: Q2 - Q1^2 / Q0, with Qk = sum s_i^2 tau_i^k h.
    """
    h = 1.0 / strides.motion.rate_hz
    q = strides.acc_noise[first : last + 1] ** 2 * h
    tau = np.arange(len(q) - 1, -1, -1) * h
    return float(np.sqrt(max(q @ tau**2 - (q @ tau) ** 2 / q.sum(), 0.0)))
