"""The walking phases of a protocol: D, obliquity and speed, stride by stride.

Contacts come from the feet (`edge.gait`); a mid-stance is the middle of single support, which is
the middle of the other foot's swing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sensors import Segment, Side

from .midstance import level_walk, mean_obliquity_slope, midstance_difference, pair_midstances

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.gait.walk import Walk
    from edge.results import Stride
    from edge.timegrid import Span

LEAST_VALID_SHARE = 0.95
OTHER = {Side.LEFT: Side.RIGHT, Side.RIGHT: Side.LEFT}


@dataclass(frozen=True, slots=True, eq=False)
class Walked:
    """Steady strides of one or more walks with the same lift.

    Attributes
    ----------
    height_m : (m,) float64
        D of each stride.
    slope : (m,) float64
        Mean sine of the obliquity at both mid-stances; NaN without a hip line.
    speed_mps : (k,) float64
        Of every steady stride of either foot that has one.
    """

    height_m: NDArray[np.float64]
    slope: NDArray[np.float64]
    speed_mps: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.height_m)


NOTHING = Walked(np.empty(0), np.empty(0), np.empty(0))


def measure_walk(span: Span, walk: Walk, hip_line: NDArray[np.float64] | None) -> Walked:
    """D and obliquity of every steady stride in one walking phase.

    Parameters
    ----------
    span : Span
        The phase, gyroscope bias taken off.
    walk : Walk
        What the feet did in it.
    hip_line : (3,) float64 or None
        Unit vector from the right to the left hip centre, pelvis sensor frame.
    """
    k = span.index(Segment.PELVIS)
    if k is None:
        return NOTHING
    steady = [s for s in walk.strides if s.steady and s.final_contact_s is not None]
    right, left = midstances_s(steady, Side.RIGHT), midstances_s(steady, Side.LEFT)
    strides = pair_midstances(
        span.rate_hz,
        [t - span.start_s for t in right],
        [t - span.start_s for t in left],
        len(span),
    ).only_measured(span.valid[:, k], LEAST_VALID_SHARE)
    if len(strides) < 2:
        return NOTHING
    level = level_walk(span.rate_hz, span.gyr[:, k], span.acc[:, k], strides)
    slope = (
        np.full(len(strides), np.nan)
        if hip_line is None
        else mean_obliquity_slope(span.rate_hz, level, strides, hip_line)
    )
    speed = np.array([s.speed_mps for s in steady if s.speed_mps is not None])
    return Walked(midstance_difference(span.rate_hz, level, strides), slope, speed)


def midstances_s(strides: Sequence[Stride], side: Side) -> list[float]:
    """Middle of each single support of one side: of each swing of the other foot."""
    return sorted(
        (s.final_contact_s + s.next_initial_contact_s) / 2
        for s in strides
        if s.side is OTHER[side] and s.final_contact_s is not None
    )


def together(walks: Sequence[Walked]) -> Walked:
    """Strides of several walks."""
    return Walked(
        np.concatenate([NOTHING.height_m, *(w.height_m for w in walks)]),
        np.concatenate([NOTHING.slope, *(w.slope for w in walks)]),
        np.concatenate([NOTHING.speed_mps, *(w.speed_mps for w in walks)]),
    )


@dataclass(frozen=True, slots=True)
class Titration:
    """Leg-length difference from the lift at which D vanishes."""

    difference_m: float
    sd_m: float


# Below this slope of D on the lift the person lets the pelvis tilt instead, and a habitual
# asymmetry of some millimetres is blown up without bound; SD of that asymmetry.
LEAST_TITRATION_SLOPE = 0.5
HABIT_SD_M = 0.003


def titrate(walks: dict[float, Walked], fewest_strides: int) -> Titration | None:
    """Fit D over walking lifts; None unless three heights were walked and D follows them.

    Parameters
    ----------
    walks : dict
        Walks by lift, mm, under the right foot positive.
    fewest_strides : int
        A height with fewer is left out.
    """
    good = {lift: w for lift, w in walks.items() if len(w) >= fewest_strides}
    if len(good) < 3:
        return None
    lift = np.array(list(good)) / 1e3
    slope, start = np.polyfit(lift, [w.height_m.mean() for w in good.values()], 1)
    if slope < LEAST_TITRATION_SLOPE:
        return None
    return Titration(float(start / slope), float(HABIT_SD_M / slope))
