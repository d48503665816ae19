"""Orientation of several sensors at once; method, equations and figures in docs/orientation.md."""

import numpy as np
from numpy.typing import NDArray

from cext.orientation_parameters import OrientationParameters

STATE: np.dtype[np.void]
"""One sensor's state: a structured dtype of float64 fields."""

class OrientationFilter:
    """Error-state Kalman filter for the orientation of `k` sensors, live.

    Parameters
    ----------
    rate_hz : float
        Samples a second of every sensor.
    parameters : OrientationParameters, optional
        What is believed about sensors and movement.

    Raises
    ------
    ValueError
        If `rate_hz` is not a positive number.

    Notes
    -----
    The number of sensors is that of the first call. Without a magnetometer the heading counts
    from the sensor's first sample. Nothing is allocated per sample.
    """

    def __init__(self, rate_hz: float, parameters: OrientationParameters | None = None) -> None: ...
    @property
    def rate_hz(self) -> float:
        """Samples a second."""
    @property
    def parameters(self) -> OrientationParameters:
        """What is believed about sensors and movement."""
    @property
    def sensors(self) -> int:
        """Number of sensors, 0 before the first call."""
    def update(
        self,
        gyr: NDArray[np.float64],
        acc: NDArray[np.float64],
        mag: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]:
        """Take one sample, (3,) or (k, 3), and return `q_sensor_to_earth`, (4,) or (k, 4).

        The same bits as `update_block` gives.
        """
    def update_block(
        self,
        gyr: NDArray[np.float64],
        acc: NDArray[np.float64],
        mag: NDArray[np.float64] | None = None,
        *,
        valid: NDArray[np.bool_] | None = None,
        saturated: NDArray[np.bool_] | None = None,
        still: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.float64]:
        """Take consecutive samples; the state goes on from call to call.

        Parameters
        ----------
        gyr : (n, 3) or (n, k, 3) float64
            Angular rate in the sensor frame, rad/s, bias not removed.
        acc : like gyr
            Specific force in the sensor frame, m/s2: +9.81 along up at rest.
        mag : like gyr, optional
            Magnetic field in the sensor frame, uT. NaN where there is no new reading.
        valid : (n,) or (n, k) bool, optional
            False where a sample is missing: its values are not read, the estimate is carried on
            and its uncertainty grows. A sample with NaN or an infinity in it counts as missing.
        saturated : (n,) or (n, k) bool, optional
            True where a channel stood at the end of its range: its rate is used with less trust,
            its force not at all.
        still : (n,) or (n, k) bool, optional
            True where the sensor is known not to move, as on a foot flat on the ground: its
            velocity is zero and its angular rate is the bias.

        Returns
        -------
        (n, 4) or (n, k, 4) float64
            `q_sensor_to_earth`, (w, x, y, z), unit length, earth = ENU.

        Raises
        ------
        TypeError
            If an array is not float64 (flags: bool).
        ValueError
            If shapes do not agree with each other or with the calls before.
        """
    @property
    def state(self) -> NDArray[np.void]:
        """A copy of everything the filter remembers, (k,) records of `STATE`.

        Set on a filter of equal rate and parameters, it goes on with the same bits.
        """
    @state.setter
    def state(self, state: NDArray[np.void]) -> None: ...
    @property
    def gyr_bias(self) -> NDArray[np.float64]:
        """Gyroscope bias, (k, 3), rad/s."""
    @property
    def inclination_sd(self) -> NDArray[np.float64]:
        """Standard uncertainty of the inclination (both tilts together), (k,), rad.

        The filter's own, a calibrated accelerometer's bias, and the turn within the uncertainty
        of the device's delay. Coverage as measured: docs/orientation.md.
        """
    @property
    def heading_sd(self) -> NDArray[np.float64]:
        """Standard uncertainty of the heading, (k,), rad.

        With a magnetometer, of the direction of the field known here (which buildings turn by
        degrees from magnetic north); without one, of the turn since the first sample.
        """

def smooth_orientation(
    rate_hz: float,
    gyr: NDArray[np.float64],
    acc: NDArray[np.float64],
    mag: NDArray[np.float64] | None = None,
    *,
    valid: NDArray[np.bool_] | None = None,
    saturated: NDArray[np.bool_] | None = None,
    still: NDArray[np.bool_] | None = None,
    parameters: OrientationParameters | None = None,
) -> NDArray[np.float64]:
    """Orientation at each sample of a recording in the light of all of them.

    Arguments, result and errors as `OrientationFilter.update_block`.

    Notes
    -----
    The filter, then a modified Bryson-Frazier look back through its steps, O(n). Memory beside the
    result: about 5 MB for the steps at hand, and one state of 11 kB for every 4.5 s and four
    sensors.
    """
