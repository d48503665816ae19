"""Velocity and attitude of a foot from its rates and forces, with zero-velocity updates."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

@dataclass(frozen=True, slots=True)
class StrapdownParameters:
    """What the filter believes before and between the samples.

    Attributes
    ----------
    velocity_sd_mps : float
        Velocity at the first sample: zero, give or take this.
    tilt_sd_rad : float
        Error of the attitude that is given at the start.
    bias_sd_radps, bias_walk : float
        Gyroscope bias at the start, and its random walk, rad/s/sqrt(s).
    still_sd_mps : float
        Velocity noise of a foot that stands perfectly still. The tilt seen by a foot is believed
        less in the same ratio as its standing still.
    gravity_sd_mps2 : float
        Horizontal specific force of such a foot.
    """

    velocity_sd_mps: float = ...
    tilt_sd_rad: float = ...
    bias_sd_radps: float = ...
    bias_walk: float = ...
    still_sd_mps: float = ...
    gravity_sd_mps2: float = ...

class Strapdown:
    """Error-state Kalman filter of one foot; its state goes on from call to call.

    Parameters
    ----------
    rate_hz : float
        Samples a second.
    q_start : (4,) float64
        Attitude at the first sample, sensor to a level frame (z up, heading arbitrary), w x y z.
    parameters : StrapdownParameters
        What is believed before and between the samples.

    Raises
    ------
    ValueError
        If `rate_hz` is not positive or `q_start` has not four numbers.

    Notes
    -----
    `noise` has three columns for each sample: white noise of the accelerometer, m/s2/sqrt(Hz); of
    the gyroscope, rad/s/sqrt(Hz); standard deviation with which the velocity is zero, m/s, 0
    where the foot moves. Model and sources: strapdown.pyx. Samples must be finite.
    """

    def __init__(
        self,
        rate_hz: float,
        q_start: NDArray[np.float64],
        parameters: StrapdownParameters = ...,
    ) -> None: ...
    def update_block(
        self,
        gyr: NDArray[np.float64],
        acc: NDArray[np.float64],
        noise: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Velocity (n, 3), m/s, and attitude (n, 4), from what was known at each sample.

        Any split of the samples into blocks gives the same numbers.

        Parameters
        ----------
        gyr, acc, noise : (n, 3) float64, C order
            rad/s and m/s2 in the sensor frame; noise as above.

        Raises
        ------
        ValueError
            If the shapes do not fit.
        """

    def smooth(
        self,
        gyr: NDArray[np.float64],
        acc: NDArray[np.float64],
        noise: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Velocity (n, 3), attitude (n, 4) and gyroscope bias (n, 3) in the light of all samples.

        Worked in pieces of some seconds that look 6 s ahead, so memory does not grow with n.
        """

def integrate_rates(rate_hz: float, gyr: NDArray[np.float64]) -> NDArray[np.float64]:
    """Attitude (n, 4) against that at the first sample, w x y z, from rates alone.

    Parameters
    ----------
    rate_hz : float
        Samples a second.
    gyr : (n, 3) float64, C order
        rad/s in the sensor frame, bias taken off.

    Raises
    ------
    ValueError
        If `gyr` has not three columns.
    """
