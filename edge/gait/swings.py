"""The swings of one foot: each step it takes, between two moments of standing still."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from cext import lowpass, peaks, positive_run
from cext.quaternion import conjugate, multiply, to_rotation_vector
from cext.runs import least_at, lift_in

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
    still_before = _stillest(motion, free_from, begin, reach, last=True)
    still_after = _stillest(motion, end, free_to, reach, last=False)
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
    since = candidates[:-1], candidates[1:]
    lowest = rate[least_at(rate, *since)].tolist()
    quietest = motion.energy[least_at(motion.energy, *since)].tolist()
    kept = [int(candidates[0])]
    low = rest = inf  # since the last that was kept
    for tick, lower, quieter in zip(candidates[1:].tolist(), lowest, quietest, strict=True):
        low, rest = min(low, lower), min(rest, quieter)
        if low <= 0.0 and rest <= quiet:
            kept.append(tick)
        elif rate[tick] > rate[kept[-1]]:
            kept[-1] = tick
        else:
            continue
        low = rest = inf
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
    moved = np.hypot(way[:, 0], way[:, 1]) >= p.least_way_m
    turned = np.flatnonzero(~moved & (np.abs(turn) >= p.least_turn_rad))
    lift = lift_in(motion.position_m[:, 2], before[turned], after[turned] + 1)
    moved[turned] = lift >= p.least_lift_m
    return np.asarray(moved)


def _stillest(
    motion: FootMotion,
    first: NDArray[np.int64],
    last_tick: NDArray[np.int64],
    reach: int,
    *,
    last: bool,
) -> NDArray[np.int64]:
    """Stillest tick of each `[first, last_tick]`; of a whole reach, the one next to the swing."""
    stop = np.maximum(first, last_tick) + 1
    stillest = least_at(motion.energy, first, stop)
    half = round(0.15 * motion.rate_hz)
    for i in np.flatnonzero(last_tick - first >= reach):
        energy = motion.energy[first[i] : stop[i]]
        quiet = np.flatnonzero(energy <= max(2.0 * share_point(energy, 0.2), 1.0))
        near = quiet[-1] - half if last else quiet[0] + half
        low, high = max(near - half, 0), min(max(near, 0) + half + 1, len(energy))
        stillest[i] = first[i] + low + int(np.argmin(energy[low:high]))
    return stillest
