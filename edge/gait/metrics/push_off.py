"""How hard the trailing leg pushes off: docs/gait.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .family import Family
from .windows import windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge.gait.strides import Body, Strides


def push_off_columns(strides: Strides, _: Body) -> Mapping[str, NDArray[np.float64]]:
    """Greatest rate, toe down, from heel-off to final contact (m,), deg/s."""
    motion = strides.motion
    heel_off_s = motion.time_s[strides.flat_to - 1]
    pushing = windows(motion, heel_off_s, strides.final_contact_s)
    return {"push_off_rate_degps": np.degrees(pushing.greatest(motion.gyr[:, 1]))}


PUSH_OFF = Family("push_off", push_off_columns, {"push_off_rate_degps": 10.0})
