"""How a shank swings, leans and turns inward: docs/gait.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge.gait.segment import angle_of

from .family import Family
from .foot_angles import flat_tick
from .windows import OUTWARD, SHANKS, value_at, windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge.gait.segment import SegmentMotion
    from edge.gait.strides import Body, Strides

# Share of stance in which the shank turns inward (docs/gait.md).
ROTATION_UNTIL = 0.6


def shank_columns(strides: Strides, body: Body) -> Mapping[str, NDArray[np.float64]]:
    """Range and rate of the swing, pitch at contacts, inward rotation, medial lean, each (m,).

    Pitches at contacts are against the shank in standing, and given only where standing was seen.
    """
    shank = body.motions.get(SHANKS[strides.side])
    if shank is None:
        return {}
    begin, left = strides.begin_s, strides.final_contact_s
    pitch = shank.pitch_rad
    whole = windows(shank, begin, strides.end_s)
    sine = OUTWARD[strides.side] * shank.up[:, 1]
    flat_s = shank.time_s[flat_tick(strides)]
    early = windows(shank, begin, begin + ROTATION_UNTIL * (left - begin))
    inward = inward_rotation_rad(strides, shank)
    rotation = np.degrees(early.greatest(inward) - value_at(shank, inward, begin))
    lean = angle_of(value_at(shank, sine, flat_s)) - angle_of(value_at(shank, sine, begin))
    columns = {
        "shank_range_deg": np.degrees(whole.range(pitch)),
        "shank_swing_rate_degps": np.degrees(
            windows(shank, left, strides.end_s).greatest(-shank.gyr[:, 1])
        ),
        "shank_rotation_deg": rotation,
        "shank_rotation_rate_degps": rotation / early.lasts_until_greatest_s(shank, inward),
        "shank_lean_change_deg": np.degrees(lean),
    }
    if shank.upright_known:
        moments = {"contact": begin, "midstance": (begin + left) / 2.0, "push_off": left}
        columns |= {
            f"shank_pitch_at_{name}_deg": np.degrees(value_at(shank, pitch, time_s))
            for name, time_s in moments.items()
        }
    return columns


def inward_rotation_rad(strides: Strides, shank: SegmentMotion) -> NDArray[np.float64]:
    """Rotation of a shank about its long axis since the first tick (n,), inward positive."""
    return -OUTWARD[strides.side] * shank.turned_rad


SHANK = Family(
    "shank",
    shank_columns,
    {
        "shank_range_deg": 1.5,
        "shank_swing_rate_degps": 10.0,
        "shank_rotation_deg": 2.0,
        "shank_rotation_rate_degps": 20.0,
        "shank_lean_change_deg": 2.0,
        "shank_pitch_at_contact_deg": 2.0,
        "shank_pitch_at_midstance_deg": 2.0,
        "shank_pitch_at_push_off_deg": 2.0,
    },
    needs=("shank",),
)
