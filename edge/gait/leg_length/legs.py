"""What feet and shanks tell of ways to hide a difference that the pelvis cannot see.

A bent knee or a fallen foot in standing lowers the hip and the obliquity with it: to the pelvis
sensor the legs are then equal. These checks raise flags; they never change the number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sensors import Segment, Side

from .bows import principal_axis
from .walks import midstances_s

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.gait.walk import Walk
    from edge.results import Stride
    from edge.timegrid import Span

FOOT = {Side.LEFT: Segment.LEFT_FOOT, Side.RIGHT: Segment.RIGHT_FOOT}
SHANK = {Side.LEFT: Segment.LEFT_SHANK, Side.RIGHT: Segment.RIGHT_SHANK}
MOST_KNEE_RAD = np.radians(4.0)
MOST_HEEL_RISE_RAD = np.radians(1.0)
MOST_FOOT_ROLL_RAD = np.radians(3.0)
# Vaulting is a habit, not a single step.
FEWEST_STRIDES = 5
Axes = dict["Segment", "NDArray[np.float64]"]


def left_axes(span: Span, walk: Walk) -> Axes:
    """Axis of each foot and shank that points left, in its sensor frame, from swinging.

    The legs swing about the mediolateral axis, top of the foot and of the shank backward first
    and forward then; in mid-swing the rate about left is negative.
    """
    axes = {}
    for side in Side:
        swings = [
            (s.final_contact_s, s.next_initial_contact_s)
            for s in walk.strides
            if s.side is side and s.final_contact_s is not None
        ]
        for segment in (FOOT[side], SHANK[side]):
            k = span.index(segment)
            if k is None or not swings:
                continue
            axis = principal_axis(span.gyr[:, k])
            middle = [_tick(span, (a + b) / 2) for a, b in swings]
            inside = [i for i in middle if 0 <= i < len(span)]
            axes[segment] = -axis if np.median(span.gyr[inside, k] @ axis) > 0 else axis
    return axes


def pitch_change(
    axis: NDArray[np.float64], before: NDArray[np.float64], after: NDArray[np.float64]
) -> float:
    """Turn about the left axis that takes one standing posture to another, rad, top forward +.

    Parameters
    ----------
    axis : (3,) float64
        Left, sensor frame.
    before, after : (3,) float64
        Up directions, sensor frame.
    """
    # Seen from the sensor the world turns the other way.
    cross = np.cross(after, before) @ axis
    along = (before @ axis) * (after @ axis)
    return float(np.arctan2(cross, before @ after - along))


def foot_roll(axes: Axes, up: dict[Segment, NDArray[np.float64]]) -> float | None:
    """Difference of eversion between the feet while standing, right minus left, rad.

    The lateral edge of an everted foot is the higher one: on the left foot the end of the left
    axis, on the right foot the other end.
    """
    left, right = FOOT[Side.LEFT], FOOT[Side.RIGHT]
    if not {left, right} <= axes.keys() & up.keys():
        return None
    rise = {s: float(np.arcsin(np.clip(axes[s] @ up[s], -1.0, 1.0))) for s in (left, right)}
    return -rise[right] - rise[left]


def heel_rise(span: Span, strides: Sequence[Stride], axes: Axes, side: Side) -> float | None:
    """Mean turn, toe down positive, of one foot from foot-flat to its mid-stance, rad.

    None without enough steady strides. Integrates the rate about the left axis over the fraction
    of a second in between.
    """
    segment = FOOT[side]
    k = span.index(segment)
    if k is None or segment not in axes:
        return None
    rate = np.concatenate([[0.0], np.cumsum(span.gyr[:, k] @ axes[segment])]) / span.rate_hz
    steady = [s for s in strides if s.steady]
    middles = np.array(midstances_s(steady, side))
    turns = []
    for stride in steady:
        if stride.side is not side or stride.foot_flat_s is None:
            continue
        start, stop = stride.initial_contact_s, stride.final_contact_s or np.inf
        inside = middles[(middles > start) & (middles < stop)]
        if not len(inside):
            continue
        flat, middle = _tick(span, sum(stride.foot_flat_s) / 2), _tick(span, inside.mean())
        if 0 <= flat < len(span) and 0 <= middle < len(span):
            turns.append(rate[middle] - rate[flat])
    return float(np.mean(turns)) if len(turns) >= FEWEST_STRIDES else None


def _tick(span: Span, time_s: float) -> int:
    return round((time_s - span.start_s) * span.rate_hz)
