"""One worn sensor's readings in, its steps out; how it is strapped on does not matter.

A step of a foot or shank is a burst of angular rate between two moments of near rest. Between them
the way is the double integral of the level specific force, with velocity zero at both ends; so the
direction of the way is known against the sensor, without any assumption about its mounting.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from calibration.limits import STANDARD_GRAVITY
from cext import lowpass, moving_mean, smooth_orientation
from cext.quaternion import rotate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# A burst is where the rate's energy passes this share of what the fast part of the walk reaches.
_BURST_SHARE = 0.15
_MERGE_S = 0.15
# The moment of rest is sought this far before and behind a burst.
_REACH_S = 0.4
_STEP_S = (0.3, 2.2)
# Shorter is a shuffle, and its direction is not that of the walk.
LEAST_WAY_M = 0.4
# More is a turn.
_MOST_TURN_RAD = math.radians(25)


@dataclass(frozen=True, slots=True, eq=False)
class LevelMotion:
    """Readings of one worn sensor, turned level; the heading is arbitrary.

    Attributes
    ----------
    rate_hz : float
    gyr, acc : (n, 3) float64
        As read, sensor frame.
    up : (n, 3) float64
        Vertical in the sensor frame.
    level_gyr, level_acc : (n, 3) float64
        z up; gravity is taken off `level_acc`.
    """

    rate_hz: float
    gyr: Array
    acc: Array
    up: Array
    level_gyr: Array
    level_acc: Array
    q_sensor_to_level: Array

    @property
    def energy(self) -> Array:
        """Squared rate over 0.1 s, (n,), rad2/s2."""
        return moving_mean(np.sum(self.gyr**2, axis=1), self.samples(0.1) | 1)

    def samples(self, seconds: float) -> int:
        """Whole samples in a time, at least one."""
        return max(1, round(seconds * self.rate_hz))


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One swing of a foot or shank.

    Attributes
    ----------
    start, stop : int
        Samples of the moments of rest before and behind.
    burst : (int, int)
        Samples of the fast part.
    contact : int
        Sample at which the forward swing ends: the ground is met, to some 30 ms.
    forward : (3,) float64
        Unit vector of the way in the level frame, horizontal.
    way_m : float
        Horizontal.
    turn_rad : float
        About the vertical, from rest to rest.
    outward_m : float
        Mean distance of the path to the left of its chord.
    roll_rad : float
        Turned about `forward` while the heel rises; right side down positive.
    """

    start: int
    stop: int
    burst: tuple[int, int]
    contact: int
    forward: Array
    way_m: float
    turn_rad: float
    outward_m: float
    roll_rad: float

    @property
    def straight(self) -> bool:
        """Whether the step is one of walking straight on."""
        return self.way_m > LEAST_WAY_M and abs(self.turn_rad) < _MOST_TURN_RAD


def level_motion(rate_hz: float, gyr: Array, acc: Array) -> LevelMotion:
    """Find the vertical throughout the readings, two-sided.

    Parameters
    ----------
    rate_hz : float
        Samples a second.
    gyr, acc : (n, 3) float64
        rad/s and m/s2.
    """
    gyr, acc = np.ascontiguousarray(gyr, float), np.ascontiguousarray(acc, float)
    q = smooth_orientation(rate_hz, gyr, acc)
    level_acc = rotate(q, acc)
    level_acc[:, 2] -= STANDARD_GRAVITY
    up = rotate(q * [1.0, -1.0, -1.0, -1.0], np.array([0.0, 0.0, 1.0]))
    return LevelMotion(rate_hz, gyr, acc, up, rotate(q, gyr), level_acc, q)


def find_steps(motion: LevelMotion) -> tuple[Step, ...]:
    """Every swing, straight or not, in the order of time."""
    bursts = _bursts(motion)
    calm = motion.energy + 0.02 * moving_mean(
        (np.linalg.norm(motion.acc, axis=1) - STANDARD_GRAVITY) ** 2, motion.samples(0.08) | 1
    )
    ends = [0, *(stop for _, stop in bursts)]
    begins = [*(start for start, _ in bursts), len(calm)]
    reach = motion.samples(_REACH_S)
    steps = []
    for k, (first, last) in enumerate(bursts):
        low, high = max(ends[k], first - reach), min(begins[k + 1], last + reach)
        if first - low < 2 or high - last < 2:
            continue
        start, stop = low + int(calm[low:first].argmin()), last + int(calm[last:high].argmin())
        if _STEP_S[0] < (stop - start) / motion.rate_hz < _STEP_S[1]:
            steps.append(_describe(motion, start, stop, (first, last)))
    return tuple(steps)


def _bursts(motion: LevelMotion) -> list[tuple[int, int]]:
    energy = motion.energy
    on = np.concatenate([[0], energy > _BURST_SHARE * np.percentile(energy, 98), [0]]).astype(int)
    edges = np.diff(on)
    merged: list[tuple[int, int]] = []
    for first, last in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
        if merged and first - merged[-1][1] < motion.samples(_MERGE_S):
            merged[-1] = (merged[-1][0], int(last))
        else:
            merged.append((int(first), int(last)))
    return merged


def _describe(motion: LevelMotion, start: int, stop: int, burst: tuple[int, int]) -> Step:
    acc = motion.level_acc[start : stop + 1]
    velocity = np.cumsum(acc, axis=0) / motion.rate_hz
    velocity -= np.linspace(0, 1, len(velocity))[:, None] * velocity[-1]
    position = np.cumsum(velocity, axis=0) / motion.rate_hz
    way = position[-1] * [1.0, 1.0, 0.0]
    length = float(np.linalg.norm(way))
    forward = way / max(length, 1e-9)
    left = np.array([-forward[1], forward[0], 0.0])
    first, last = burst
    pitch = lowpass(motion.level_gyr[start : stop + 1] @ left, motion.rate_hz, 10.0)
    swing = int(pitch.argmin())
    ended = np.flatnonzero(pitch[swing:] >= 0)
    heel_rise = slice(max(first - motion.samples(0.05), 0), first + max(1, (last - first) // 4))
    return Step(
        start=start,
        stop=stop,
        burst=burst,
        contact=start + swing + int(ended[0]) if len(ended) else last,
        forward=forward,
        way_m=length,
        turn_rad=float(motion.level_gyr[start : stop + 1, 2].sum()) / motion.rate_hz,
        outward_m=float(np.mean(position @ left)),
        roll_rad=float((motion.level_gyr[heel_rise] @ forward).sum()) / motion.rate_hz,
    )
