"""How a foot spends its stride: shares of the stride's time, docs/gait.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .family import Family
from .foot_angles import LEAST_FLAT_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge.gait.strides import Body, Strides


def phase_columns(strides: Strides, _: Body) -> Mapping[str, NDArray[np.float64]]:
    """Stance, sole flat on the ground, heel-off to final contact: shares of strides (m,), %."""
    time_s = strides.motion.time_s
    flat_from_s, heel_off_s = time_s[strides.flat_from], time_s[strides.flat_to - 1]
    left_s = strides.final_contact_s
    flat_s = heel_off_s - np.fmax(flat_from_s, strides.begin_s)
    flat_s = np.where(flat_s >= LEAST_FLAT_S, flat_s, np.nan)
    rising_s = np.where(np.isnan(flat_s), np.nan, left_s - heel_off_s)
    percent = 100.0 / (strides.end_s - strides.begin_s)
    return {
        "stance_pct": percent * (left_s - strides.begin_s),
        "foot_flat_pct": percent * flat_s,
        "heel_rise_pct": percent * rising_s,
    }


PHASES = Family(
    "phases", phase_columns, {"stance_pct": 1.0, "foot_flat_pct": 6.0, "heel_rise_pct": 4.5}
)
