"""How hard a foot lands, and how much of it reaches the pelvis: docs/gait.md.

Never turned into a ground reaction force: nothing here measures one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cext import lowpass
from cext.quaternion import rotate
from edge.gait.stance import GRAVITY_MPS2
from sensors import Segment

from .family import Family
from .windows import SHANKS, windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge.gait.segment import SegmentMotion
    from edge.gait.strides import Body, Strides

SHOCK_FROM_S, SHOCK_TO_S = -0.020, 0.100
# Falls by 3 dB at 60 Hz after both passes of the filter.
SHOCK_HZ = 75.0
# What muscles move, and what landing shakes (Derrick et al. 1998, Med Sci Sports Exerc 30:128).
BANDS_HZ = {"active": (3.0, 8.0), "impact": (9.0, 20.0)}
UP = np.array([0.0, 0.0, 1.0])


def impact_columns(strides: Strides, body: Body) -> Mapping[str, NDArray[np.float64]]:
    """Peaks of acceleration without gravity about initial contact (m,), g, and attenuation.

    Along the shank, and upward at the pelvis. Attenuation is 1 less pelvis peak by shank peak;
    transfer is the power at the pelvis by that at the shank in stance, dB, in two bands.
    """
    shank, pelvis = body.motions.get(SHANKS[strides.side]), body.motions.get(Segment.PELVIS)
    columns = {}
    if shank is not None:
        columns["shank_shock_g"] = _peak_g(strides, shank, _along_shank(shank))
    if pelvis is not None:
        columns["pelvis_shock_g"] = _peak_g(strides, pelvis, upward(pelvis))
    if shank is not None and pelvis is not None:
        at_shank = np.maximum(columns["shank_shock_g"], 0.1)
        columns["shock_attenuation"] = 1.0 - columns["pelvis_shock_g"] / at_shank
        columns |= _transfers(strides, shank, pelvis)
    return columns


def upward(motion: SegmentMotion) -> NDArray[np.float64]:
    """Acceleration upward without gravity (n,), m/s2."""
    return np.asarray(rotate(motion.q_segment_to_level, motion.acc)[:, 2] - GRAVITY_MPS2)


def _along_shank(shank: SegmentMotion) -> NDArray[np.float64]:
    axis_up = rotate(shank.q_segment_to_level, UP)[:, 2]
    return np.asarray(shank.acc[:, 2] - GRAVITY_MPS2 * axis_up)


def _transfers(
    strides: Strides, shank: SegmentMotion, pelvis: SegmentMotion
) -> dict[str, NDArray[np.float64]]:
    columns = {}
    for name, band_hz in BANDS_HZ.items():
        at_shank = _stance_power(strides, shank, _along_shank(shank), band_hz)
        at_pelvis = _stance_power(strides, pelvis, upward(pelvis), band_hz)
        columns[f"shock_transfer_{name}_db"] = 10.0 * np.log10(at_pelvis / at_shank)
    return columns


def _stance_power(
    strides: Strides,
    motion: SegmentMotion,
    acceleration: NDArray[np.float64],
    band_hz: tuple[float, float],
) -> NDArray[np.float64]:
    low, high = (lowpass(acceleration, motion.rate_hz, cutoff_hz) for cutoff_hz in band_hz)
    stance = windows(motion, strides.begin_s, strides.final_contact_s)
    return np.maximum(stance.mean((high - low) ** 2), 1e-9)


def _peak_g(
    strides: Strides, motion: SegmentMotion, acceleration: NDArray[np.float64]
) -> NDArray[np.float64]:
    cutoff_hz = min(SHOCK_HZ, 0.45 * motion.rate_hz)
    smooth = lowpass(acceleration, motion.rate_hz, cutoff_hz)
    shock = windows(motion, strides.begin_s + SHOCK_FROM_S, strides.begin_s + SHOCK_TO_S)
    return shock.greatest(smooth) / GRAVITY_MPS2


IMPACT = Family(
    "impact",
    impact_columns,
    {
        "shank_shock_g": 0.5,
        "pelvis_shock_g": 0.05,
        "shock_attenuation": 0.05,
        "shock_transfer_active_db": 2.0,
        "shock_transfer_impact_db": 2.0,
    },
    needs=("shank", "pelvis"),
)
