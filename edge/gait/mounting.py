"""How a sensor sits on its segment, found from walking: no frame is assumed.

Each function gives the segment's axes in the sensor frame as the rows forward, left, up of a
(3, 3) matrix, or None where the movement does not show them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cext import lowpass, moving_mean, squared_length
from cext.quaternion import rotate, vertical

from .stance import share_point

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .motion import FootMotion

# Fewer fast samples than this are no walking: a sensor was shifted.
LEAST_FAST_S = 0.2
# The pelvis bobs with the steps, between these frequencies.
STEP_BAND_HZ = (0.5, 4.0)
# Least correlation between falling and gaining speed by which the way forward is believed.
LEAST_PENDULUM = 0.1
# RMS of the vertical acceleration in that band: fast walking stays below, jogging above.
RUNNING_MPS2 = 5.0
LEAST_WALKING = 0.2


def foot_axes(motion: FootMotion) -> NDArray[np.float64] | None:
    """Axes of a foot, those of it standing flat.

    Notes
    -----
    Up is the mean direction of gravity in stance. A swinging foot turns mostly about its
    medio-lateral axis: the principal axis of the rates. Left is up x forward, and a foot swings
    the way it goes, which settles the sign. Toe-out against the shoe is not observable.
    """
    axis = _swing_axis(motion.gyr, motion.rate_hz)
    if axis is None:
        return None
    lateral = rotate(motion.q_sensor_to_level, axis)
    velocity = motion.velocity_mps
    vote = np.sum(lateral[:, 1] * velocity[:, 0] - lateral[:, 0] * velocity[:, 1])
    standing = motion.energy <= share_point(motion.energy, 0.2)
    up = mean_up(motion.q_sensor_to_level[standing])
    return _axes_from_left(np.copysign(1.0, vote) * axis, up)


def shank_axes(
    gyr: NDArray[np.float64],
    rate_hz: float,
    up: NDArray[np.float64],
    swings: NDArray[np.int64] | None = None,
) -> NDArray[np.float64] | None:
    """Axes of a shank: medio-lateral by its swing, up as given.

    Parameters
    ----------
    swings : (m,) int64 or None
        Ticks at which the foot of this side swings forward: then the shank does. Without them:
        the forward swing is short and fast, the way back in stance long and slow, so that the
        rates about the left axis lean to the negative side (in walking, not in jogging).
    """
    axis = _swing_axis(gyr, rate_hz)
    if axis is None:
        return None
    lean = np.sum(gyr[swings] @ axis) if swings is not None else np.sum((gyr @ axis) ** 3)
    return _axes_from_left(-np.copysign(1.0, lean) * axis, up)


def pelvis_axes(
    acc: NDArray[np.float64], rate_hz: float, up: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Axes of the pelvis: up as given, forward where it gains speed while it falls.

    Notes
    -----
    In walking, kinetic and potential energy of the trunk are exchanged (inverted pendulum; G. A.
    Cavagna et al., Am. J. Physiol. 233:R243, 1977): forward acceleration goes with falling.
    Sideways acceleration has half that frequency, so it does not correlate. On 13 people with
    sensors of three makers the direction found lies within 10 deg of the nominal one. In running
    both energies go together and the sign turns, so running counts only where nobody walks.
    """
    if len(acc) < rate_hz:
        return None
    low, high = STEP_BAND_HZ
    smooth = lowpass(acc, rate_hz, high)
    smooth -= lowpass(smooth, rate_hz, low)
    rising = np.cumsum(smooth @ up) / rate_hz
    rising -= lowpass(rising, rate_hz, low)
    level = smooth - np.outer(smooth @ up, up)
    bounce = moving_mean((smooth @ up) ** 2, round(rate_hz))
    walks = bounce < RUNNING_MPS2**2
    running = np.count_nonzero(walks) < LEAST_WALKING * len(walks)
    chosen = ~walks if running else walks
    rising, level = rising[chosen], level[chosen]
    forward = rising @ level if running else -rising @ level
    size = float(np.linalg.norm(forward))
    if size <= LEAST_PENDULUM * np.sqrt(np.sum(level**2) * np.sum(rising**2)):
        return None
    forward /= size
    return np.stack([forward, np.cross(up, forward), up])


def mean_up(q_sensor_to_level: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean direction of up in the sensor frame (3,), unit length, over some attitudes (m, 4)."""
    up = np.einsum("ij->j", vertical(q_sensor_to_level))
    return np.asarray(up / np.sqrt(up @ up))


def _swing_axis(gyr: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64] | None:
    """Principal axis of the fast rates, of either sign."""
    power = squared_length(gyr)
    fast = gyr[power > max(1.0, 0.25**2 * share_point(power, 0.99))]
    if len(fast) < LEAST_FAST_S * rate_hz:
        return None
    return np.asarray(np.linalg.eigh(fast.T @ fast)[1][:, 2])


def _axes_from_left(left: NDArray[np.float64], up: NDArray[np.float64]) -> NDArray[np.float64]:
    left = left - (left @ up) * up
    x, y, z = (left / np.sqrt(left @ left)).tolist()
    u, v, w = up.tolist()
    return np.array([[y * w - z * v, z * u - x * w, x * v - y * u], [x, y, z], [u, v, w]])
