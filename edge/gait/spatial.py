"""Length, speed and lift of a stride, from the way of the foot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .motion import FootMotion

# Accelerometer scale after calibration, and velocity of a shoe that rolls about its contact.
SCALE_SD = 0.005
ROLL_SD_MPS = 0.01


def lift_m(height: NDArray[np.float64]) -> float:
    """Greatest height (n,) of the sensor above the line between the first and the last."""
    return float(np.max(height - np.linspace(height[0], height[-1], len(height))))


def length_sd_m(motion: FootMotion, first: int, last: int) -> float:
    """Standard deviation of the horizontal way between two still moments.

    Notes
    -----
    With noise of density s_i at time tau_i before the end, the velocity at the end errs by
    sum w_i and the way by sum w_i tau_i, w_i ~ N(0, s_i^2 h). The end is known to be still, so
    the way has the variance given sum w_i = 0: Q2 - Q1^2 / Q0, with Qk = sum s_i^2 tau_i^k h.
    Scale and the rolling of the shoe are added.
    """
    h = 1.0 / motion.rate_hz
    q: NDArray[np.float64] = motion.acc_noise[first : last + 1] ** 2 * h
    tau = np.arange(len(q) - 1, -1, -1) * h
    bridge = q @ tau**2 - (q @ tau) ** 2 / q.sum()
    way = motion.position_m[last, :2] - motion.position_m[first, :2]
    scale = SCALE_SD**2 * (way @ way)
    return float(np.sqrt(bridge + scale + (ROLL_SD_MPS * tau[0]) ** 2))
