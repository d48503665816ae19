"""From the swings of one foot to its strides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cext.quaternion import rotate

from .contacts import final_contacts, initial_contacts
from .mounting import foot_axes
from .swings import find_swings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .motion import FootMotion
    from .swings import Swings

# A swing that follows the landing before it by more is the first step after standing.
LONGEST_STRIDE_S = 2.5
# Two risers of a low stair are 0.2 m; the height of a stride drifts by 0.02 m (SD, real walking).
LEVEL_M = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class FootSteps:
    """The steps of one foot.

    Attributes
    ----------
    motion : FootMotion
        What the foot did, sensor frame.
    axes : (3, 3) float64
        Rows forward, left, up: sensor to segment frame.
    swings : Swings
        Ticks of the m swings.
    initial_contact_s, final_contact_s : (m,) float64
        Landing after, and leaving before each swing.
    begin_s : (m,) float64
        Landing before each swing; NaN where the foot had been standing.
    position_m : (n, 3) float64
        Way of the foot, on a level floor wherever the floor may be level.
    """

    motion: FootMotion
    axes: NDArray[np.float64]
    swings: Swings
    initial_contact_s: NDArray[np.float64]
    final_contact_s: NDArray[np.float64]
    begin_s: NDArray[np.float64]
    position_m: NDArray[np.float64]

    def heading_rad(self, ticks: NDArray[np.int64]) -> NDArray[np.float64]:
        """Heading of the foot at some ticks, level frame."""
        forward = rotate(self.motion.q_sensor_to_level[ticks], self.axes[0])
        return np.arctan2(forward[:, 1], forward[:, 0])


def foot_steps(motion: FootMotion) -> FootSteps | None:
    """Find the steps of a foot; None where it took none."""
    axes = foot_axes(motion)
    if axes is None:
        return None
    swing_rate = -motion.gyr @ axes[1]
    swings = find_swings(motion, swing_rate)
    if not len(swings):
        return None
    landed = initial_contacts(motion, swing_rate, swings)
    left = final_contacts(motion, swing_rate, swings)
    before = np.append(np.nan, landed[:-1])
    begin = np.where(landed - before <= LONGEST_STRIDE_S, before, np.nan)
    position = level_floor(motion.position_m, swings)
    return FootSteps(motion, axes, swings, landed, left, begin, position)


def level_floor(position_m: NDArray[np.float64], swings: Swings) -> NDArray[np.float64]:
    """Take out the height that is gained in steps too flat for a stair: drift of the integration.

    What a step gains between its two still moments is taken out evenly over the step.
    """
    before, after = swings.still_before, swings.still_after
    gained = position_m[after, 2] - position_m[before, 2]
    drift = np.cumsum(np.where(np.abs(gained) < LEVEL_M, gained, 0.0))
    ticks = np.stack([before, after], axis=1).ravel()
    heights = np.stack([np.append(0.0, drift[:-1]), drift], axis=1).ravel()
    level = position_m.copy()
    level[:, 2] -= np.interp(np.arange(len(level)), ticks, heights)
    return level
