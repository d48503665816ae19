"""Durations of a stride and of its parts, from the contacts of one foot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .strides import Body, Strides

# Against checked annotations of ten people and against cameras, in straight walking: docs/gait.md.
INITIAL_CONTACT_SD_S = 0.015
FINAL_CONTACT_SD_S = 0.010


def timing_columns(strides: Strides, _: Body) -> Mapping[str, NDArray[np.float64]]:
    """Stride, stance and swing times (m,), s; NaN where the foot had been standing."""
    lasts = strides.end_s - strides.begin_s
    sd = np.where(np.isnan(lasts), np.nan, np.sqrt(2.0) * INITIAL_CONTACT_SD_S)
    return {
        "stride_time_s": lasts,
        "stride_time_sd_s": sd,
        "stance_time_s": strides.final_contact_s - strides.begin_s,
        "swing_time_s": strides.end_s - strides.final_contact_s,
    }
