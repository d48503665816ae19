"""What feet and shanks tell of ways to hide a difference that the pelvis cannot see.

A bent knee or a fallen foot in standing lowers the hip and the obliquity with it: to the pelvis
sensor the legs are then equal. These checks raise flags; they never change the number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sensors import Segment, Side

from .bows import principal_axis
from .level import unit
from .phases import cut
from .walks import midstances_s

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from edge.gait.walk import Walk
    from edge.results import Stride
    from edge.timegrid import Span

    from .phases import Phase

FOOT = {Side.LEFT: Segment.LEFT_FOOT, Side.RIGHT: Segment.RIGHT_FOOT}
SHANK = {Side.LEFT: Segment.LEFT_SHANK, Side.RIGHT: Segment.RIGHT_SHANK}
MOST_KNEE_RAD = np.radians(4.0)
MOST_HEEL_RISE_RAD = np.radians(1.0)
MOST_FOOT_ROLL_RAD = np.radians(3.0)
# Vaulting is a habit, not a single step.
FEWEST_STRIDES = 5
# Unit vectors in the frame of each sensor: the axis that points left, the up direction.
Axes = dict["Segment", "NDArray[np.float64]"]
Ups = dict["Segment", "NDArray[np.float64]"]


@dataclass(frozen=True, slots=True, eq=False)
class Legs:
    """Ways to hide a difference: None where the sensors or the phase for it are missing.

    Attributes
    ----------
    knee_rad : float or None
        Shank pitch, natural minus straight, right minus left.
    foot_roll_rad : float or None
        Eversion, natural minus straight, right minus left.
    heel_rise_rad : dict
        Turn of each foot, toe down, from foot-flat to mid-stance.
    """

    knee_rad: float | None
    foot_roll_rad: float | None
    heel_rise_rad: dict[Side, float | None]


def look_at_legs(span: Span, phases: Sequence[Phase], walks: list[tuple[Span, Walk]]) -> Legs:
    """All checks that the sensors and phases allow.

    Parameters
    ----------
    span : Span
        The whole recording.
    phases : sequence of Phase
        Of the whole protocol.
    walks : list of (Span, Walk)
        The walks without a lift, gyroscope bias taken off; the longest is used.
    """
    if not walks:
        return Legs(None, None, dict.fromkeys(Side))
    part, walk = max(walks, key=lambda pair: len(pair[1].strides))
    axes = left_axes(part, walk)
    stand = [p for p in phases if p.phase == "stand" and not p.lift_mm]
    straight = mean_up(span, (p for p in stand if p.knees == "straight" and not p.repeat))
    natural = mean_up(span, (p for p in stand if p.knees == "natural"))
    bend = {
        side: pitch_change(axes[shank], straight[shank], natural[shank])
        for side, shank in SHANK.items()
        if shank in axes.keys() & straight.keys() & natural.keys()
    }
    return Legs(
        bend[Side.RIGHT] - bend[Side.LEFT] if len(bend) == len(Side) else None,
        foot_roll(axes, straight, natural),
        {side: heel_rise(part, walk.strides, axes, side) for side in Side},
    )


def mean_up(span: Span, phases: Iterable[Phase]) -> Ups:
    """Mean up direction of each segment over some still phases, sensor frames."""
    parts = [cut(span, phase) for phase in phases]
    if not parts:
        return {}
    acc = np.concatenate([part.acc for part in parts])
    valid = np.concatenate([part.valid for part in parts])
    return {
        segment: unit(acc[valid[:, k], k].mean(axis=0))
        for k, segment in enumerate(span.segments)
        if valid[:, k].any()
    }


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


def foot_roll(axes: Axes, before: Ups, after: Ups) -> float | None:
    """Change of eversion from one standing to another, right minus left, rad.

    A change, because the level itself cannot be seen: the shoe's axis as found from walking is off
    by some five degrees from one walk to the next (docs/leg-length.md, "On real people").

    The lateral edge of an everted foot is the higher one: on the left foot the end of the left
    axis, on the right foot the other end.
    """
    feet = tuple(FOOT.values())
    if not set(feet) <= axes.keys() & before.keys() & after.keys():
        return None
    return -float(sum(_rise(axes[s], after[s]) - _rise(axes[s], before[s]) for s in feet))


def _rise(axis: NDArray[np.float64], up: NDArray[np.float64]) -> float:
    """Elevation of an axis, rad."""
    return float(np.arcsin(np.clip(axis @ up, -1.0, 1.0)))


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
