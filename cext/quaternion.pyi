"""Quaternion arithmetic on whole arrays: (w, x, y, z), Hamilton, active.

`q_sensor_to_earth` turns sensor coordinates into earth coordinates:
`v_earth = rotate(q_sensor_to_earth, v_sensor)`. Leading axes broadcast as in NumPy. Every
function raises ValueError, with the shape found and expected, where the last axis has the
wrong length.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

def multiply(a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    """Product `a * b`, (..., 4): first the rotation `b`, then `a`."""

def conjugate(q: ArrayLike) -> NDArray[np.float64]:
    """Inverse rotation of unit quaternions, (..., 4)."""

def rotate(q: ArrayLike, v: ArrayLike) -> NDArray[np.float64]:
    """Turn vectors `v` (..., 3) by unit quaternions `q` (..., 4): `q v conj(q)`, (..., 3)."""

def vertical(q: ArrayLike) -> NDArray[np.float64]:
    """The frame's up, (0, 0, 1), seen from what unit quaternions (..., 4) turn into it, (..., 3).

    `rotate(conjugate(q), (0, 0, 1))`; with it the height of any vector is a product:
    `rotate(q, v)[..., 2] = vertical(q) . v`.
    """

def headings(q: ArrayLike, axis: ArrayLike) -> NDArray[np.float64]:
    """Heading of an axis (3,) that unit quaternions (..., 4) turn, (...,), radians about z.

    Counter-clockwise from x; each within half a turn of the one before it, so that they do not
    jump, and the first within half a turn of x.
    """

def levelling(up: ArrayLike) -> NDArray[np.float64]:
    """Shortest turns (..., 4) that bring directions (..., 3), of any length, onto (0, 0, 1).

    A half turn about x where one points straight down; no turn for one shorter than 1e-100.
    """

def from_rotation_vector(v: ArrayLike) -> NDArray[np.float64]:
    """Quaternions (..., 4) of turns by |v| radians about `v` (..., 3)."""

def to_rotation_vector(q: ArrayLike) -> NDArray[np.float64]:
    """Rotation vectors (..., 3), radians, the short way round (length at most pi)."""

def normalise(q: ArrayLike) -> NDArray[np.float64]:
    """`q` (..., 4) at unit length; NaN where its length is zero."""
