"""Foot against shank in the sagittal plane: the range of the ankle and its push-off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .family import Family
from .windows import SHANKS, windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge.gait.strides import Body, Strides


def ankle_columns(strides: Strides, body: Body) -> Mapping[str, NDArray[np.float64]]:
    """Range of foot pitch less shank pitch, deg, and greatest rate of push-off, deg/s, each (m,).

    docs/gait.md. The level of the angle is not given: it needs both mountings.
    """
    shank = body.motions.get(SHANKS[strides.side])
    if shank is None:
        return {}
    foot = strides.motion
    whole = windows(shank, strides.begin_s, strides.end_s)
    heel_off_s = foot.time_s[strides.flat_to - 1]
    pushing = windows(shank, heel_off_s, strides.final_contact_s)
    return {
        "ankle_range_deg": np.degrees(whole.range(foot.pitch_rad - shank.pitch_rad)),
        "ankle_push_off_rate_degps": np.degrees(pushing.greatest(foot.gyr[:, 1] - shank.gyr[:, 1])),
    }


ANKLE = Family(
    "ankle",
    ankle_columns,
    {"ankle_range_deg": 2.0, "ankle_push_off_rate_degps": 15.0},
    needs=("shank",),
)
