"""One heading for all segments of a walking body, without a magnetometer.

Each sensor's level frame has a heading of its own, which drifts by a degree a minute or so. Over a
straight stride the whole body goes one way: a foot shows it by where it stands next, the shank by
moving with the foot that it shares the ankle with, the pelvis by pointing forward on average.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cext.quaternion import multiply, rotate
from sensors import Segment, Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .segment import SegmentMotion
    from .strides import Body, Strides

FEET = {Segment.LEFT_FOOT: Side.LEFT, Segment.RIGHT_FOOT: Side.RIGHT}
SHANKS = {Segment.LEFT_SHANK: Side.LEFT, Segment.RIGHT_SHANK: Side.RIGHT}
# A stride is straight when the foot turns less than this and comes this far.
STRAIGHT_RAD = 0.2
LEAST_WAY_M = 0.4
LEAST_STRIDES = 3
# What no number of strides averages away, from 16 virtual people: the shank's way is not quite the
# foot's, and the pelvis' forward axis is only as good as its mounting is known.
SHANK_SD = np.radians(1.5)
PELVIS_SD = np.radians(4.5)
# Heading drifts apart no faster, as a rule: a calibrated gyroscope's bias, rad/s.
DRIFT_SD = np.radians(2.0) / 60.0
# Strides that agree better do so by chance.
LEAST_SCATTER_RAD = 0.005


@dataclass(frozen=True, slots=True, eq=False)
class Heading:
    """How a segment's level frame lies in the common one.

    Attributes
    ----------
    offset_rad : (n,) float64
        Turn about up, counter-clockwise, that takes the segment's level frame into the common
        one, at each tick.
    scatter_rad : float
        Standard deviation of single strides about it.
    sd_rad : float
        Standard uncertainty of the offset in the middle of the walking: of the line through the
        strides, and what all strides have in common.
    strides : int
        Straight strides that it rests on.
    """

    offset_rad: NDArray[np.float64]
    scatter_rad: float
    sd_rad: float
    strides: int

    def apply(self, q_segment_to_level: NDArray[np.float64]) -> NDArray[np.float64]:
        """Attitude (n, 4) in the common frame."""
        half, none = 0.5 * self.offset_rad, np.zeros_like(self.offset_rad)
        turn = np.stack([np.cos(half), none, none, np.sin(half)], axis=1)
        return np.asarray(multiply(turn, q_segment_to_level))


def relative_headings(body: Body) -> Mapping[Segment, Heading]:
    """Bring the segments of a body into one frame.

    Parameters
    ----------
    body : Body
        Strides of at least one foot.

    Returns
    -------
    mapping of Segment to Heading
        The common frame is the level frame of the foot with more straight strides. A segment
        without enough straight strides is left out.

    Notes
    -----
    Measured on the virtual walker: docs/orientation.md, "One heading for five sensors".
    """
    straight = {side: _straight(s) for side, s in body.strides.items()}
    counts = {side: int(np.count_nonzero(s)) for side, s in straight.items()}
    if not counts or max(counts.values()) < LEAST_STRIDES:
        return {}
    first = max(counts, key=lambda side: counts[side])
    headings: dict[Segment, Heading] = {}
    for segment, side in FEET.items():
        if side is first:
            n = len(body.strides[side].motion)
            headings[segment] = Heading(np.zeros(n), 0.0, 0.0, counts[side])
        elif side in body.strides:
            _keep(headings, segment, _foot(body, first, side, straight))
    for segment, side in SHANKS.items():
        foot = headings.get(next(s for s, of in FEET.items() if of is side))
        if segment in body.motions and foot is not None:
            strides, motion = body.strides[side], body.motions[segment]
            _keep(headings, segment, _shank(strides, straight[side], motion, foot))
    if Segment.PELVIS in body.motions:
        pelvis = body.motions[Segment.PELVIS]
        _keep(headings, Segment.PELVIS, _pelvis(body.strides[first], straight[first], pelvis))
    return headings


def _keep(headings: dict[Segment, Heading], segment: Segment, heading: Heading | None) -> None:
    if heading is not None:
        headings[segment] = heading


def _straight(strides: Strides) -> NDArray[np.bool_]:
    far = np.hypot(strides.way_m[:, 0], strides.way_m[:, 1]) > LEAST_WAY_M
    return np.asarray(far & (np.abs(strides.turn_rad) < STRAIGHT_RAD))


def _middle_s(strides: Strides) -> NDArray[np.float64]:
    time_s = strides.motion.time_s
    return np.asarray(0.5 * (time_s[strides.still_before] + time_s[strides.still_after]))


def _direction(strides: Strides) -> NDArray[np.float64]:
    """Heading of the way of each stride (m,), in the foot's level frame."""
    return np.arctan2(strides.way_m[:, 1], strides.way_m[:, 0])


def _foot(
    body: Body, first: Side, other: Side, straight: Mapping[Side, NDArray[np.bool_]]
) -> Heading | None:
    """A stride of the other foot goes as the strides of the first one before and after it."""
    a, b = body.strides[first], body.strides[other]
    at_a, at_b = _middle_s(a), _middle_s(b)
    after = np.searchsorted(at_a, at_b)
    inside = (after > 0) & (after < len(a))
    before, after = np.maximum(after - 1, 0), np.minimum(after, len(a) - 1)
    use = straight[other] & inside & straight[first][before] & straight[first][after]
    way = _direction(a)
    between = np.angle(np.exp(1j * way[before]) + np.exp(1j * way[after]))
    return _fit((between - _direction(b))[use], at_b[use], b.motion.time_s)


def _shank(
    strides: Strides, straight: NDArray[np.bool_], shank: SegmentMotion, foot: Heading
) -> Heading | None:
    """Both velocities, without their means over the stride, point the same way."""
    force = rotate(shank.q_segment_to_level, shank.acc)
    own = force[:, 0] + 1j * force[:, 1]
    other = strides.velocity_mps[:, 0] + 1j * strides.velocity_mps[:, 1]
    offsets = np.zeros(len(strides))
    for i in np.flatnonzero(straight):
        window = slice(strides.still_before[i], strides.still_after[i])
        velocity = np.cumsum(own[window] - own[window].mean())
        moved = other[window] - other[window].mean()
        offsets[i] = np.angle(np.sum(moved * np.conj(velocity - velocity.mean())))
    at = _middle_s(strides)
    to_common = np.interp(at, strides.motion.time_s, foot.offset_rad)
    return _fit((offsets + to_common)[straight], at[straight], shank.time_s, SHANK_SD)


def _pelvis(strides: Strides, straight: NDArray[np.bool_], pelvis: SegmentMotion) -> Heading | None:
    """Over a whole stride the pelvis points where the foot goes."""
    pointing = rotate(pelvis.q_segment_to_level, np.array([1.0, 0.0, 0.0]))
    total = np.cumsum(pointing[:, 0] + 1j * pointing[:, 1])
    mean = np.angle(total[strides.still_after] - total[strides.still_before])
    offsets = _direction(strides) - mean
    return _fit(offsets[straight], _middle_s(strides)[straight], pelvis.time_s, PELVIS_SD)


def _fit(
    offsets: NDArray[np.float64],
    at_s: NDArray[np.float64],
    time_s: NDArray[np.float64],
    shared_sd: float = 0.0,
) -> Heading | None:
    """Line through the strides' offsets, its slope held near zero, odd strides left out."""
    if len(offsets) < LEAST_STRIDES:
        return None
    centre = np.angle(np.exp(1j * offsets).mean())
    offsets = centre + np.angle(np.exp(1j * (offsets - centre)))
    off = np.abs(offsets - np.median(offsets))
    # Three robust standard deviations; single strides scatter by a degree at least.
    keep = off <= max(3.0 * 1.4826 * float(np.median(off)), 0.05)
    offsets, at_s = offsets[keep], at_s[keep]
    scatter = max(float(np.std(offsets, ddof=1)) if len(offsets) > 1 else 0.0, LEAST_SCATTER_RAD)
    middle = float(at_s.mean())
    design = np.stack([np.ones_like(at_s), at_s - middle], axis=1)
    information = design.T @ design / scatter**2 + np.diag([0.0, DRIFT_SD**-2])
    level, slope = np.linalg.solve(information, design.T @ offsets / scatter**2)
    return Heading(
        offset_rad=level + slope * (time_s - middle),
        scatter_rad=scatter,
        sd_rad=float(np.hypot(np.sqrt(np.linalg.inv(information)[0, 0]), shared_sd)),
        strides=len(offsets),
    )
