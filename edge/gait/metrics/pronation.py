"""How a foot rolls in after landing, as far as a shoe shows it: docs/gait.md.

The heel moves inside the shoe, so these are proxies; "pronation" itself is not observable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cext import lowpass
from cext.quaternion import rotate

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
    roll, rate = eversion_rad(strides)
    flat = when_flat(strides, roll)
    flat_s = motion.time_s[strides.flat_from]
    landing = windows(motion, strides.begin_s, flat_s)
    to_flat, from_flat = about_flat(strides)
    inversion = flat - value_at(motion, roll, strides.begin_s)
    eversion = value_at(motion, roll, strides.final_contact_s) - flat
    return {
        "landing_inversion_deg": np.degrees(np.where(to_flat.known, inversion, np.nan)),
        "eversion_rate_degps": np.degrees(landing.greatest(rate)),
        "push_off_eversion_deg": np.degrees(np.where(from_flat.known, eversion, np.nan)),
        "time_to_foot_flat_s": np.where(
            landing.known & np.isfinite(flat), flat_s - strides.begin_s, np.nan
        ),
    }


def eversion_rad(strides: Strides) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Eversion of the shoe, rad, and its smoothed rate, rad/s, each (n,)."""
    motion, outward = strides.motion, OUTWARD[strides.side]
    c, s = np.cos(TYPICAL_TOE_OUT_RAD), outward * np.sin(TYPICAL_TOE_OUT_RAD)
    # The shoe's own axes in the frame of its way: forward (c, s, 0), left (-s, c, 0).
    left_z = rotate(motion.q_segment_to_level, np.array([-s, c, 0.0]))[:, 2]
    rate = lowpass(motion.gyr @ np.array([c, s, 0.0]), motion.rate_hz, RATE_HZ)
    return outward * np.arcsin(np.clip(left_z, -1.0, 1.0)), outward * rate


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
