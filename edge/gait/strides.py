"""From the swings of one foot to its strides: their moments, as columns over the strides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .contacts import final_contacts, initial_contacts
from .mounting import foot_axes
from .segment import SegmentMotion, Worn, in_segment_frame
from .stance import FLAT_ENERGY
from .swings import find_swings
from .way_error import way_sd_m

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from sensors import Segment, Side

    from .motion import FootMotion
    from .swings import Swings

# A swing that follows the landing before it by more is the first step after standing.
LONGEST_STRIDE_S = 2.5
# A riser is 0.15 m and more; the height of a stride drifts by 0.01 to 0.06 m (SD, real walking).
LEVEL_M = 0.12


@dataclass(frozen=True, slots=True, eq=False)
class Strides:
    """The m strides of one foot, in the order of time; ticks count within the span.

    Attributes
    ----------
    side : Side
        Of the foot.
    motion : SegmentMotion
        What the foot did.
    position_m, velocity_mps : (n, 3) float64
        Way of the sensor in the foot's level frame, on a level floor wherever it may be level.
    begin_s : (m,) float64
        Landing before the swing; NaN where the foot had been standing.
    final_contact_s, end_s : (m,) float64
        The foot leaves the ground; it lands again.
    swing : (m,) int64
        Tick of the fastest forward swing.
    still_before, still_after : (m,) int64
        Ticks of the stillest moments of the stances about the swing.
    flat_from, flat_to : (m,) int64
        Ticks at which the sole is flat on the ground before the swing, `[from, to)`.
    way_sd_m : (m,) float64
        Standard deviation of the horizontal way between the still moments; NaN where the way is
        not known, as at the ends of a span or across a gap.
    """

    side: Side
    motion: SegmentMotion
    position_m: NDArray[np.float64]
    velocity_mps: NDArray[np.float64]
    begin_s: NDArray[np.float64]
    final_contact_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    swing: NDArray[np.int64]
    still_before: NDArray[np.int64]
    still_after: NDArray[np.int64]
    flat_from: NDArray[np.int64]
    flat_to: NDArray[np.int64]
    way_sd_m: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.end_s)

    @property
    def way_m(self) -> NDArray[np.float64]:
        """Way between the still moments (m, 3)."""
        return np.asarray(self.position_m[self.still_after] - self.position_m[self.still_before])

    @property
    def length_m(self) -> NDArray[np.float64]:
        """Horizontal way between the still moments (m,); NaN where it is not known."""
        length = np.hypot(self.way_m[:, 0], self.way_m[:, 1])
        return np.where(np.isnan(self.way_sd_m), np.nan, length)

    @property
    def turn_rad(self) -> NDArray[np.float64]:
        """Change of the foot's heading between the still moments (m,), to the left positive."""
        change = self.motion.heading_rad(self.still_after) - self.motion.heading_rad(
            self.still_before
        )
        return np.asarray((change + np.pi) % (2.0 * np.pi) - np.pi)


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """All that is known of one span: strides of the feet, and movement of every segment."""

    strides: Mapping[Side, Strides]
    motions: Mapping[Segment, SegmentMotion]


def find_strides(side: Side, foot: FootMotion) -> Strides | None:
    """Find the strides of a foot; None where it took none."""
    axes = foot_axes(foot)
    if axes is None:
        return None
    swing_rate = -foot.gyr @ axes[1]
    swings = find_swings(foot, swing_rate)
    if not len(swings):
        return None
    landed = initial_contacts(foot, swing_rate, swings)
    left = final_contacts(foot, swing_rate, swings)
    before = np.append(np.nan, landed[:-1])
    begin = np.where(landed - before <= LONGEST_STRIDE_S, before, np.nan)
    motion = in_segment_frame(
        Worn(axes, foot.gyr_bias),
        foot.rate_hz,
        foot.time_s,
        foot.gyr,
        foot.acc,
        foot.q_sensor_to_level,
        foot.valid,
        upright_known=True,
    )
    flat_from, flat_to = _flat(foot, swings, motion.tick(left))
    return Strides(
        side=side,
        motion=motion,
        position_m=level_floor(foot.position_m, swings),
        velocity_mps=foot.velocity_mps,
        begin_s=begin,
        final_contact_s=left,
        end_s=landed,
        swing=swings.peak,
        still_before=swings.still_before,
        still_after=swings.still_after,
        flat_from=flat_from,
        flat_to=flat_to,
        way_sd_m=way_sd_m(foot, swings),
    )


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


def _flat(
    foot: FootMotion, swings: Swings, left: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The run of little movement about each still moment before a swing, up to the final contact.

    Where the foot never lies quiet it is one tick long.
    """
    ticks = np.arange(len(foot.energy))
    moves = foot.energy > FLAT_ENERGY
    last_moved = np.maximum.accumulate(np.where(moves, ticks, -1))
    next_moves = np.minimum.accumulate(np.where(moves, ticks, len(ticks))[::-1])[::-1]
    still = swings.still_before
    first = np.where(moves[still], still, last_moved[still] + 1)
    stop = np.where(moves[still], still + 1, next_moves[still])
    return first, np.maximum(np.minimum(stop, left), first + 1)
