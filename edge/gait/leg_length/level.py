"""Directions against the vertical."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def level_axes(
    up: NDArray[np.float64], leftward: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Level left and forward axes for a direction that roughly points left."""
    left = unit(leftward - (leftward @ up) * up)
    return left, np.cross(left, up)


def obliquity(hip_line: NDArray[np.float64], up: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fall of a line towards the left: positive with the right side higher, rad.

    Unit vectors (3,) or (n, 3), at most one of them (n, 3).
    """
    rise = np.sum(hip_line * up, axis=-1)
    angle: NDArray[np.float64] = -np.arcsin(np.clip(rise, -1.0, 1.0))
    return angle


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Vectors of length one, along the last axis."""
    scaled: NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return scaled
