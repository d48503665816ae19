"""How a foot lands, leaves and points: docs/gait.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge.gait.stance import median

from .family import Family
from .windows import OUTWARD, value_at, windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge.gait.strides import Body, Strides

    from .windows import Windows

# A shorter rest of the sole is a dip of its movement.
LEAST_FLAT_S = 0.03


def foot_angle_columns(strides: Strides, _: Body) -> Mapping[str, NDArray[np.float64]]:
    """Strike angle, push-off angle and change of toe-out (m,), deg.

    Notes
    -----
    Both pitches are taken against the sole flat on the floor in the same stance, which removes
    shoe and mounting. Which way the shoe points in the sensor's frame is not observable from
    walking, so only the change of toe-out against the median stride of the same walk is given.
    """
    motion = strides.motion
    pitch = motion.pitch_rad
    flat = when_flat(strides, pitch)
    way = strides.way_m
    toe_out = motion.heading_rad(strides.still_before) - np.arctan2(way[:, 1], way[:, 0])
    toe_out = OUTWARD[strides.side] * ((toe_out + np.pi) % (2.0 * np.pi) - np.pi)
    landing, leaving = about_flat(strides)
    strike = flat - value_at(motion, pitch, strides.begin_s)
    push_off = value_at(motion, pitch, strides.final_contact_s) - flat
    return {
        "foot_strike_angle_deg": np.degrees(np.where(landing.known, strike, np.nan)),
        "push_off_angle_deg": np.degrees(np.where(leaving.known, push_off, np.nan)),
        "toe_out_change_deg": np.degrees(toe_out - median(toe_out)),
    }


def flat_tick(strides: Strides) -> NDArray[np.int64]:
    """Middle of the phase in which the sole is flat, (m,)."""
    return (strides.flat_from + strides.flat_to) // 2


def about_flat(strides: Strides) -> tuple[Windows, Windows]:
    """From landing to the sole lying flat, and from there to leaving the ground.

    An angle at one end against that at the other is lost with the samples between them.
    """
    motion = strides.motion
    flat_s = motion.time_s[flat_tick(strides)]
    return (
        windows(motion, strides.begin_s, flat_s),
        windows(motion, flat_s, strides.final_contact_s),
    )


def when_flat(strides: Strides, angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """An angle (n,) where the sole is flat, (m,); NaN where it hardly lies, as in jogging."""
    lasts_s = (strides.flat_to - strides.flat_from) / strides.motion.rate_hz
    return np.where(lasts_s >= LEAST_FLAT_S, angle[flat_tick(strides)], np.nan)


FOOT_ANGLES = Family(
    "foot",
    foot_angle_columns,
    {"foot_strike_angle_deg": 2.0, "push_off_angle_deg": 2.0, "toe_out_change_deg": 1.0},
)
