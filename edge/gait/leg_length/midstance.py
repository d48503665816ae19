"""What the pelvis does from one mid-stance to the other: D, and walking minus standing.

With the hip heights over the stance foot H, hip-centre width W and right-up obliquity phi,
`z(right) = H_R - W/2 sin phi_R` and `z(left) = H_L + W/2 sin phi_L`. Hence

    H_R - H_L = D + W (sin phi_R + sin phi_L) / 2,    D = z(right) - z(left)          (1)

D needs no zero reference, but holds only the part of a difference that the person lets the
pelvis ride up and down with. (1) minus the standing difference needs none either: the mounting
roll is in both and cancels. Mid-stances come in from the feet, orientation from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from cext import quaternion

from .level import obliquity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Height and obliquity at mid-stance come from this much to either side, by a parabola: a mean
# would cut half a millimetre off a bounce of 20.
MIDSTANCE_S = 0.04
SHORTEST_STRIDE_S, LONGEST_STRIDE_S = 0.7, 2.5
# Slow drift of the level over a bout: one polynomial degree for every 12 s, no less and no more.
SECONDS_A_DEGREE = 12.0
FEWEST_DEGREES, MOST_DEGREES = 1, 8


@dataclass(frozen=True, slots=True, eq=False)
class LevelWalk:
    """A walk whose vertical is known.

    Attributes
    ----------
    up : (n, 3) float64
        Unit vector up at each tick, sensor frame.
    vertical : (n,) float64
        Upward acceleration of the sensor, m/s2, without gravity.
    """

    up: NDArray[np.float64]
    vertical: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class MidStances:
    """Strides from one right mid-stance to the next, with the left one between.

    Attributes
    ----------
    right_from, left, right_to : (m,) int64
        Ticks within the walk.
    """

    right_from: NDArray[np.int64]
    left: NDArray[np.int64]
    right_to: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.left)

    def only_measured(self, valid: NDArray[np.bool_], least_share: float) -> MidStances:
        """Strides in which at least this share of the ticks was measured."""
        total = np.concatenate([[0], np.cumsum(valid)])
        share = (total[self.right_to] - total[self.right_from]) / (self.right_to - self.right_from)
        keep = share >= least_share
        return MidStances(self.right_from[keep], self.left[keep], self.right_to[keep])


def pair_midstances(
    rate_hz: float, right: Sequence[float], left: Sequence[float], n: int
) -> MidStances:
    """Strides that have one left mid-stance well inside.

    Parameters
    ----------
    rate_hz : float
        Samples a second.
    right, left : sequence of float
        Mid-stance times, seconds from the first tick, in order.
    n : int
        Ticks of the walk.
    """
    margin = round(MIDSTANCE_S * rate_hz)
    rows = []
    for a, b in pairwise(right):
        inside = [t for t in left if a < t < b]
        if len(inside) != 1 or not SHORTEST_STRIDE_S <= b - a <= LONGEST_STRIDE_S:
            continue
        # A left mid-stance right beside a right one is an event taken for another.
        if not 0.3 < (inside[0] - a) / (b - a) < 0.7:
            continue
        row = [round(t * rate_hz) for t in (a, inside[0], b)]
        if row[0] >= margin and row[2] + margin < n:
            rows.append(row)
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return MidStances(table[:, 0], table[:, 1], table[:, 2])


def level_walk(
    rate_hz: float, gyr: NDArray[np.float64], acc: NDArray[np.float64], strides: MidStances
) -> LevelWalk:
    """Find the vertical of a steady walk from whole strides.

    Parameters
    ----------
    rate_hz : float
        Samples a second.
    gyr : (n, 3) float64
        Pelvis angular rate without bias, rad/s, sensor frame.
    acc : (n, 3) float64
        Specific force, m/s2, sensor frame.
    strides : MidStances
        At least two.

    Notes
    -----
    The gyroscope alone carries the orientation. Over one whole stride of steady walking the
    velocity comes back, so the mean specific force is gravity; a low polynomial through these
    means takes out what the gyroscope drifts.
    """
    q = integrate_rate(rate_hz, gyr)
    force = quaternion.rotate(q, acc)
    centre = (strides.right_from + strides.right_to) / 2
    total = np.concatenate([np.zeros((1, 3)), np.cumsum(force, axis=0)])
    length = (strides.right_to - strides.right_from)[:, None]
    mean = (total[strides.right_to] - total[strides.right_from]) / length
    tick = np.arange(len(acc))
    scaled = (tick - centre.mean()) / max(np.ptp(centre), 1.0)
    seconds = np.ptp(centre) / rate_hz
    degree = int(np.clip(seconds / SECONDS_A_DEGREE, FEWEST_DEGREES, MOST_DEGREES))
    at = np.interp(centre, tick, scaled)
    fit = np.polynomial.polynomial.polyfit(at, mean, min(degree, len(centre) - 1))
    # Outside the strides a polynomial would run away.
    held = np.clip(scaled, at[0], at[-1])
    gravity = np.polynomial.polynomial.polyval(held, fit).T
    norm = np.linalg.norm(gravity, axis=1)
    up = quaternion.rotate(quaternion.conjugate(q), gravity / norm[:, None])
    return LevelWalk(up, np.sum(acc * up, axis=1) - norm)


def integrate_rate(rate_hz: float, gyr: NDArray[np.float64]) -> NDArray[np.float64]:
    """Orientation by angular rate alone, (n, 4), beginning at the unit quaternion.

    Running products by doubling: after step k each row holds the product of the last 2^k turns.
    """
    turns = quaternion.from_rotation_vector((gyr[:-1] + gyr[1:]) / (2 * rate_hz))
    q = np.concatenate([[[1.0, 0.0, 0.0, 0.0]], turns])
    step = 1
    while step < len(q):
        q[step:] = quaternion.multiply(q[:-step], q[step:])
        step *= 2
    return quaternion.normalise(q)


def midstance_difference(
    rate_hz: float, walk: LevelWalk, strides: MidStances
) -> NDArray[np.float64]:
    """D of each stride: height at right mid-stance minus height at left mid-stance, (m,), m.

    Double integration with the stride's own periodicity: height and velocity come back.
    """
    return np.array(
        [
            _height_difference(rate_hz, walk.vertical, a, left, b)
            for a, left, b in zip(strides.right_from, strides.left, strides.right_to, strict=True)
        ]
    )


def _height_difference(
    rate_hz: float, vertical: NDArray[np.float64], start: int, left: int, stop: int
) -> float:
    weights = _parabola(rate_hz)
    around = len(weights) // 2
    share = np.linspace(0.0, 1.0, stop - start + 1)
    acceleration = vertical[start : stop + 1]
    velocity = _integral(acceleration - _mean(acceleration), rate_hz)
    velocity -= velocity[-1] * share
    height = _integral(velocity - _mean(velocity), rate_hz)
    height -= height[-1] * share
    # The stride is periodic: what lies before its beginning lies before its end.
    ends = np.concatenate([height[-1 - around : -1], height[: around + 1]])
    middle = height[left - start - around : left - start + around + 1]
    return float(weights @ (ends - middle))


def _parabola(rate_hz: float) -> NDArray[np.float64]:
    """Weights of the samples about mid-stance that give a fitted parabola's value there."""
    around = round(MIDSTANCE_S * rate_hz)
    weights: NDArray[np.float64] = np.linalg.pinv(np.vander(np.arange(-around, around + 1.0), 3))[2]
    return weights


def _integral(values: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    """Running trapezoid integral from 0."""
    steps = (values[1:] + values[:-1]) / (2 * rate_hz)
    return np.concatenate([[0.0], np.cumsum(steps)])


def _mean(values: NDArray[np.float64]) -> float:
    """Mean by trapezoids, which is the mean over time."""
    return float((values.sum() - (values[0] + values[-1]) / 2) / (len(values) - 1))


def mean_obliquity_slope(
    rate_hz: float, walk: LevelWalk, strides: MidStances, hip_line: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean of `sin(obliquity)` at the two mid-stances of each stride, (m,).

    Skin that turns with the stride does so oppositely at both and drops out.
    """
    weights = _parabola(rate_hz)
    offsets = np.arange(len(weights)) - len(weights) // 2
    slope = np.sin(obliquity(hip_line, walk.up))

    def at(ticks: NDArray[np.int64]) -> NDArray[np.float64]:
        value: NDArray[np.float64] = slope[ticks[:, None] + offsets] @ weights
        return value

    right = (at(strides.right_from) + at(strides.right_to)) / 2
    return (right + at(strides.left)) / 2
