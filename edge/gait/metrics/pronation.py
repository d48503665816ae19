"""How a foot rolls in after landing, as far as a shoe shows it: METHODS 3.10.

The heel moves inside the shoe, so these are proxies; "pronation" itself is not observable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .family import Family
from .foot_angles import flat_tick
from .windows import OUTWARD, value_at, windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge.gait.strides import Body, Strides


def pronation_columns(strides: Strides, _: Body) -> Mapping[str, NDArray[np.float64]]:
    """Roll at landing and push-off, greatest eversion rate, time to flat foot, each (m,).

    Rolls are against the sole flat on the floor in the same stance; inversion is positive at
    landing, eversion at push-off (over the big toe).
    """
    motion, outward = strides.motion, OUTWARD[strides.side]
    roll = outward * motion.roll_rad()
    flat = roll[flat_tick(strides)]
    flat_s = motion.time_s[strides.flat_from]
    landing = windows(motion, strides.begin_s, flat_s)
    return {
        "landing_inversion_deg": np.degrees(flat - value_at(motion, roll, strides.begin_s)),
        "eversion_rate_degps": np.degrees(landing.greatest(outward * motion.gyr[:, 0])),
        "push_off_eversion_deg": np.degrees(value_at(motion, roll, strides.final_contact_s) - flat),
        "time_to_foot_flat_s": np.where(landing.known, flat_s - strides.begin_s, np.nan),
    }


PRONATION = Family(
    "pronation",
    pronation_columns,
    {
        "landing_inversion_deg": 2.0,
        "eversion_rate_degps": 20.0,
        "push_off_eversion_deg": 4.0,
        "time_to_foot_flat_s": 0.03,
    },
)
