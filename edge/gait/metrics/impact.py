"""How hard a foot lands, and how much of it reaches the pelvis: docs/gait.md.

Never turned into a ground reaction force: nothing here measures one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cext import lowpass
from edge.gait.segment import once
from edge.gait.stance import GRAVITY_MPS2
from sensors import Segment

from .family import Family
from .pelvis_way import acceleration_on_way
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


def impact_columns(strides: Strides, body: Body) -> Mapping[str, NDArray[np.float64]]:
    """Peaks of acceleration without gravity about initial contact (m,), g, and attenuation.

    Along the shank, and upward at the pelvis. Attenuation is 1 less pelvis peak by shank peak;
    transfer is the power at the pelvis by that at the shank in stance, dB, in two bands.
    """
    shank, pelvis = body.motions.get(SHANKS[strides.side]), body.motions.get(Segment.PELVIS)
    columns = {}
    if shank is not None:
        at_shank = _shock(shank, _along_shank(shank))
        columns["shank_shock_g"] = _peak_g(strides, shank, at_shank)
    if pelvis is not None:
        at_pelvis = _pelvis_shock(pelvis)
        columns["pelvis_shock_g"] = _peak_g(strides, pelvis, at_pelvis)
    if shank is not None and pelvis is not None:
        peak_g = np.maximum(columns["shank_shock_g"], 0.1)
        columns["shock_attenuation"] = 1.0 - columns["pelvis_shock_g"] / peak_g
        for i, name in enumerate(BANDS_HZ):
            below = _stance_power(strides, shank, at_shank.power[:, i])
            above = _stance_power(strides, pelvis, at_pelvis.power[:, i])
            columns[f"shock_transfer_{name}_db"] = 10.0 * np.log10(above / below)
    return columns


@dataclass(frozen=True, slots=True, eq=False)
class Shock:
    """An acceleration without gravity: smoothed (n,), m/s2, and its power in each band (n, k)."""

    smooth: NDArray[np.float64]
    power: NDArray[np.float64]


def _shock(motion: SegmentMotion, acceleration: NDArray[np.float64]) -> Shock:
    shock_hz = min(SHOCK_HZ, 0.45 * motion.rate_hz)
    edges_hz = [edge for band in BANDS_HZ.values() for edge in band]
    copies = np.repeat(acceleration[:, None], len(edges_hz), axis=1)
    passed = lowpass(copies, motion.rate_hz, edges_hz)
    return Shock(
        lowpass(acceleration, motion.rate_hz, shock_hz), (passed[:, 1::2] - passed[:, ::2]) ** 2
    )


@once
def _pelvis_shock(pelvis: SegmentMotion) -> Shock:
    return _shock(pelvis, acceleration_on_way(pelvis)[:, 2])


def _along_shank(shank: SegmentMotion) -> NDArray[np.float64]:
    return np.asarray(shank.acc[:, 2] - GRAVITY_MPS2 * shank.up[:, 2])


def _stance_power(
    strides: Strides, motion: SegmentMotion, power: NDArray[np.float64]
) -> NDArray[np.float64]:
    stance = windows(motion, strides.begin_s, strides.final_contact_s)
    return np.maximum(stance.mean(power), 1e-9)


def _peak_g(strides: Strides, motion: SegmentMotion, shock: Shock) -> NDArray[np.float64]:
    about = windows(motion, strides.begin_s + SHOCK_FROM_S, strides.begin_s + SHOCK_TO_S)
    return about.greatest(shock.smooth) / GRAVITY_MPS2


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
