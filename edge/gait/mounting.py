"""How a sensor sits on its segment, found from walking: no frame is assumed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cext.quaternion import rotate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .motion import FootMotion

# Fewer fast samples than this are no walking: a shoe was shifted.
LEAST_FAST_S = 0.2


def foot_axes(motion: FootMotion) -> NDArray[np.float64] | None:
    """Axes of the foot in the sensor frame: rows forward, left, up of a foot that stands flat.

    Returns
    -------
    (3, 3) float64 or None
        Turns sensor coordinates into segment coordinates; None where the foot hardly moved.

    Notes
    -----
    Up is the mean direction of gravity in stance. A swinging foot turns mostly about its
    medio-lateral axis: the principal axis of the rates. Left is up x forward, and a foot swings
    the way it goes, which settles the sign. Toe-out against the shoe is not observable.
    """
    rate = np.sqrt(np.einsum("ij,ij->i", motion.gyr, motion.gyr))
    fast = rate > max(1.0, 0.25 * np.percentile(rate, 99))
    if np.count_nonzero(fast) < LEAST_FAST_S * motion.rate_hz:
        return None
    axis = np.linalg.eigh(motion.gyr[fast].T @ motion.gyr[fast])[1][:, 2]
    lateral = rotate(motion.q_sensor_to_level, axis)
    velocity = motion.velocity_mps
    vote = np.sum(lateral[:, 1] * velocity[:, 0] - lateral[:, 0] * velocity[:, 1])
    up = _up_in_stance(motion)
    left = np.copysign(1.0, vote) * (axis - (axis @ up) * up)
    left /= np.linalg.norm(left)
    return np.stack([np.cross(left, up), left, up])


def _up_in_stance(motion: FootMotion) -> NDArray[np.float64]:
    level = motion.q_sensor_to_level[motion.energy <= np.percentile(motion.energy, 20)]
    up = rotate(level * [1.0, -1.0, -1.0, -1.0], np.array([0.0, 0.0, 1.0])).mean(axis=0)
    return np.asarray(up / np.linalg.norm(up))
