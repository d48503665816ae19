"""Length, speed and lift of a stride, from the way of the foot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cext.runs import lift_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .strides import Body, Strides


def spatial_columns(strides: Strides, _: Body) -> Mapping[str, NDArray[np.float64]]:
    """Length, its standard deviation, m, speed, m/s, and lift, m, of each stride (m,)."""
    sd, length = strides.way_sd_m, strides.length_m
    lasts = (strides.still_after - strides.still_before) / strides.motion.rate_hz
    lift = lift_in(strides.position_m[:, 2], strides.still_before, strides.still_after + 1)
    return {
        "stride_length_m": length,
        "stride_length_sd_m": sd,
        "speed_mps": length / lasts,
        "clearance_m": np.where(np.isnan(sd), np.nan, lift),
    }
