"""The clock of a virtual node: it starts anywhere, runs a little fast or slow, and wanders."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Crystal:
    """Device seconds as a function of true seconds.

    Attributes
    ----------
    drift_ppm : float
        Constant error of the rate; positive runs fast.
    wander_ppm : float
        Amplitude of a slow sine in the rate.
    wander_period_s : float
        Its period.
    phase_rad : float
        Its phase at true time zero.
    """

    drift_ppm: float = 0.0
    wander_ppm: float = 0.0
    wander_period_s: float = 600.0
    phase_rad: float = 0.0

    def device_s(self, true_s: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Device time of true times; zero at zero up to the wander."""
        turn = 2 * pi / self.wander_period_s
        wander = self.wander_ppm * 1e-6 / turn * np.sin(turn * np.asarray(true_s) + self.phase_rad)
        return np.asarray(true_s * (1 + self.drift_ppm * 1e-6) + wander)

    def true_s(self, device_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """True time of device times, to a nanosecond."""
        true = np.array(device_s, np.float64)
        # A fixed point: each turn shrinks the error by the error of the rate, 1e-3 at most.
        for _ in range(6):
            true -= self.device_s(true) - device_s
        return true
