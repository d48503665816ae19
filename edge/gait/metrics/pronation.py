"""How a foot rolls in after landing, as far as a shoe shows it: docs/gait.md.

The heel moves inside the shoe, so these are proxies; "pronation" itself is not observable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cext import lowpass
from edge.gait.segment import angle_of

from .family import Family
from .foot_angles import about_flat, when_flat
from .windows import OUTWARD, value_at, windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge.gait.strides import Body, Strides

# A shoe rings after landing; its roll is slower.
RATE_HZ = 15.0
# Forward, as walking shows it, is the way of the foot; the shoe itself points outward by this in
# most people (docs/gait.md: 5 to 10 deg). Each degree off passes 1.7 % of the pitch on to the roll:
# against cameras, both shoes of one person, the roll at push-off came from 10 to 3 deg off.
TYPICAL_TOE_OUT_RAD = 0.12


def pronation_columns(strides: Strides, _: Body) -> Mapping[str, NDArray[np.float64]]:
    """Roll at landing and push-off, greatest eversion rate, time to flat foot, each (m,).

    Rolls are against the sole flat on the floor in the same stance; inversion is positive at
    landing, eversion at push-off (over the big toe).
    """
    motion = strides.motion
    sine = eversion_sine(strides)
    flat = angle_of(when_flat(strides, sine))
    flat_s = motion.time_s[strides.flat_from]
    landing = windows(motion, strides.begin_s, flat_s)
    to_flat, from_flat = about_flat(strides)
    inversion = flat - angle_of(value_at(motion, sine, strides.begin_s))
    eversion = angle_of(value_at(motion, sine, strides.final_contact_s)) - flat
    return {
        "landing_inversion_deg": np.degrees(np.where(to_flat.known, inversion, np.nan)),
        "eversion_rate_degps": np.degrees(landing.greatest(_eversion_rate_radps(strides))),
        "push_off_eversion_deg": np.degrees(np.where(from_flat.known, eversion, np.nan)),
        "time_to_foot_flat_s": np.where(
            landing.known & np.isfinite(flat), flat_s - strides.begin_s, np.nan
        ),
    }


def eversion_sine(strides: Strides) -> NDArray[np.float64]:
    """Sine of the eversion of the shoe (n,)."""
    _, left = _axes_of_shoe(strides)
    return np.asarray(strides.motion.up @ (OUTWARD[strides.side] * left))


def _eversion_rate_radps(strides: Strides) -> NDArray[np.float64]:
    """Smoothed rate of the eversion (n,), rad/s."""
    motion = strides.motion
    forward, _ = _axes_of_shoe(strides)
    return OUTWARD[strides.side] * lowpass(motion.gyr @ forward, motion.rate_hz, RATE_HZ)


def _axes_of_shoe(strides: Strides) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Forward and left of the shoe itself in the frame of its way, each (3,)."""
    c = np.cos(TYPICAL_TOE_OUT_RAD)
    s = OUTWARD[strides.side] * np.sin(TYPICAL_TOE_OUT_RAD)
    return np.array([c, s, 0.0]), np.array([-s, c, 0.0])


PRONATION = Family(
    "pronation",
    pronation_columns,
    {
        "landing_inversion_deg": 2.0,
        "eversion_rate_degps": 40.0,
        "push_off_eversion_deg": 4.0,
        "time_to_foot_flat_s": 0.03,
    },
)
