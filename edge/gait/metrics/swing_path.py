"""The way of a foot through the air, seen from above: docs/gait.md.

Lengths, speed and lift are in `edge/gait/spatial.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cext.runs import bow_in

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
    known = swing.known & np.isfinite(strides.way_sd_m)
    bow = bow_in(strides.position_m, swing.first, swing.stop)
    return {"circumduction_m": np.where(known, bow, np.nan)}


SWING_PATH = Family("swing", swing_path_columns, {"circumduction_m": 0.005})
