"""SI numbers in, published ones out: millimetres and degrees, rounded, with their interval."""

from __future__ import annotations

import numpy as np

NORMAL_95 = 1.96


def mm(metres: float) -> float:
    """Millimetres, to a hundredth."""
    return round(float(metres) * 1e3, 2)


def deg(angle_rad: float) -> float:
    """Degrees, to a thousandth."""
    return round(float(np.degrees(angle_rad)), 3)


def around_mm(metres: float, sd_m: float) -> tuple[float, float]:
    """95 % interval, mm."""
    return mm(metres - NORMAL_95 * sd_m), mm(metres + NORMAL_95 * sd_m)
