"""The swings of one foot: each step it takes, between two moments of standing still."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cext import lowpass, peaks, positive_run
from cext.quaternion import conjugate, multiply, to_rotation_vector

from .motion import lift_m
from .stance import share_point

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .motion import FootMotion


@dataclass(frozen=True, slots=True)
class SwingParameters:
    """What counts as a step.

    Attributes
    ----------
    cutoff_hz : float
        Of the rate in which swings are sought.
    least_radps, least_share : float
        A swing is as fast as this, and as this share of the typical one. Closing and turning
        steps are slow: what they are not is settled by `least_way_m`.
    apart_s : float
        Between two swings of one foot.
    quiet_share : float
        Between two swings the movement falls below this share of the typical swing.
    reach_s : float
        The still moments are sought this far from the swing, where no other swing is nearer. It
        holds the longest stance of walking, so that two strides meet in one moment of it.
    least_way_m : float
        Horizontal way between them; or else, in a turn on the spot,
    least_turn_rad, least_lift_m : float
        the foot turns and is lifted by this.
    """

    cutoff_hz: float = 10.0
    least_radps: float = 0.5
    least_share: float = 0.12
    apart_s: float = 0.4
    quiet_share: float = 0.35
    reach_s: float = 2.0
    least_way_m: float = 0.10
    least_turn_rad: float = 0.5
    least_lift_m: float = 0.02


SWINGS = SwingParameters()


@dataclass(frozen=True, slots=True, eq=False)
class Swings:
    """Ticks of m swings, each (m,) int64.

    Attributes
    ----------
    peak : fastest forward swing
    begin, end : zeros of the swing rate about it
    still_before, still_after : stillest moments of the stances about it
    """

    peak: NDArray[np.int64]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    still_before: NDArray[np.int64]
    still_after: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.peak)


def find_swings(
    motion: FootMotion, swing_rate: NDArray[np.float64], parameters: SwingParameters = SWINGS
) -> Swings:
    """Find the steps of one foot.

    Parameters
    ----------
    motion : FootMotion
        Of n ticks.
    swing_rate : (n,) float64
        Rate of the foot about its medio-lateral axis, toes going up positive, rad/s.
    """
    rate = lowpass(swing_rate, motion.rate_hz, parameters.cutoff_hz)
    peak = _separate(motion, rate, parameters)
    begin, end = positive_run(rate, peak)
    whole = (begin > 0) & (end < len(rate) - 1)  # a swing that the span cuts off is none
    peak, begin, end = peak[whole], begin[whole], end[whole]
    reach = round(parameters.reach_s * motion.rate_hz)
    free_from = np.maximum(np.append(0, end[:-1]), begin - reach)
    free_to = np.minimum(np.append(begin[1:], len(rate) - 1), end + reach)
    before = [
        _stillest(motion, a, b, last=True, rests=b - a >= reach)
        for a, b in zip(free_from, begin, strict=True)
    ]
    after = [
        _stillest(motion, a, b, last=False, rests=b - a >= reach)
        for a, b in zip(end, free_to, strict=True)
    ]
    still_before = np.array(before, dtype=np.int64)
    still_after = np.array(after, dtype=np.int64)
    steps = _moves_on(motion, still_before, still_after, parameters)
    return Swings(peak[steps], begin[steps], end[steps], still_before[steps], still_after[steps])


def _separate(
    motion: FootMotion, rate: NDArray[np.float64], p: SwingParameters
) -> NDArray[np.int64]:
    """Peaks of the rate with standing between them; of those without, the highest."""
    candidates = peaks(rate, p.least_radps, round(p.apart_s * motion.rate_hz))
    if not len(candidates):
        return candidates
    typical = share_point(rate[candidates], 0.8)
    candidates = candidates[rate[candidates] > p.least_share * typical]
    # Energy counts a rate of 0.2 rad/s as one unit.
    quiet = (p.quiet_share * typical / 0.2) ** 2
    kept: list[int] = []
    for tick in candidates.tolist():
        stood = not kept or (
            rate[kept[-1] : tick].min() <= 0.0 and motion.energy[kept[-1] : tick].min() <= quiet
        )
        if stood:
            kept.append(tick)
        elif rate[tick] > rate[kept[-1]]:
            kept[-1] = tick
    return np.array(kept, dtype=np.int64)


def _moves_on(
    motion: FootMotion,
    before: NDArray[np.int64],
    after: NDArray[np.int64],
    p: SwingParameters,
) -> NDArray[np.bool_]:
    """Whether the foot stands somewhere else, or elsewhere turned, after each swing."""
    way = motion.position_m[after, :2] - motion.position_m[before, :2]
    attitude = motion.q_sensor_to_level
    turn = to_rotation_vector(multiply(attitude[after], conjugate(attitude[before])))[:, 2]
    height = motion.position_m[:, 2]
    moved = np.hypot(way[:, 0], way[:, 1]) >= p.least_way_m
    for i in np.flatnonzero(~moved & (np.abs(turn) >= p.least_turn_rad)):
        moved[i] = lift_m(height[before[i] : after[i] + 1]) >= p.least_lift_m
    return np.asarray(moved)


def _stillest(motion: FootMotion, first: int, last_tick: int, *, last: bool, rests: bool) -> int:
    """Stillest tick of `[first, last_tick]`; where the foot rests the one next to the swing."""
    if last_tick <= first:
        return first
    energy = motion.energy[first : last_tick + 1]
    low, high = 0, len(energy)
    if rests:
        quiet = np.flatnonzero(energy <= max(2.0 * share_point(energy, 0.2), 1.0))
        half = round(0.15 * motion.rate_hz)
        near = quiet[-1] - half if last else quiet[0] + half
        low, high = max(near - half, 0), min(max(near, 0) + half + 1, high)
    return first + low + int(np.argmin(energy[low:high]))
