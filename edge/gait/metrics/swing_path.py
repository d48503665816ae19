"""The way of a foot through the air, seen from above: docs/gait.md.

Lengths, speed and lift are in `edge/gait/spatial.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .family import Family
from .windows import windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge.gait.strides import Body, Strides


def swing_path_columns(strides: Strides, _: Body) -> Mapping[str, NDArray[np.float64]]:
    """Greatest distance of the foot sideways from the straight way of its swing (m,), m."""
    motion = strides.motion
    swing = windows(motion, strides.final_contact_s, strides.end_s)
    off = np.full(len(strides), np.nan)
    for i in np.flatnonzero(swing.known & np.isfinite(strides.way_sd_m)):
        path = strides.position_m[swing.first[i] : swing.stop[i], :2]
        x, y = path[-1] - path[0]
        length = np.hypot(x, y)
        if length > 0.0:
            off[i] = np.abs((path - path[0]) @ np.array([-y, x])).max() / length
    return {"circumduction_m": off}


SWING_PATH = Family("swing", swing_path_columns, {"circumduction_m": 0.005})
