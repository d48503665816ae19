"""Curves of time made of quintic pieces: value, rate and acceleration at any moment, exactly.

Knots and values enter, a `Curve` leaves. It knows nothing of bodies.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Piecewise quintic curve with c channels; before its first and after its last knot it stands.

    Attributes
    ----------
    knots_s : (m + 1,) float64
        Ends of the pieces, seconds, strictly increasing.
    coefficients : (m, 6, c) float64
        Powers of the time since the piece began, lowest first.
    """

    knots_s: Floats
    coefficients: Floats

    def channel(self, index: int) -> Curve:
        """One channel as a curve of its own."""
        return Curve(self.knots_s, self.coefficients[:, :, index : index + 1])

    def evaluate(self, time_s: Floats) -> tuple[Floats, Floats, Floats]:
        """Value, rate and acceleration, each (n, c), at times (n,) in any order."""
        inside = np.clip(time_s, self.knots_s[0], self.knots_s[-1])
        piece = np.searchsorted(self.knots_s, inside, side="right") - 1
        piece = np.minimum(piece, len(self.coefficients) - 1)
        u = (inside - self.knots_s[piece])[:, None]
        c0, c1, c2, c3, c4, c5 = self.coefficients[piece].transpose(1, 0, 2)
        value = c0 + u * (c1 + u * (c2 + u * (c3 + u * (c4 + u * c5))))
        moving = (time_s == inside)[:, None]
        rate = moving * (c1 + u * (2 * c2 + u * (3 * c3 + u * (4 * c4 + u * 5 * c5))))
        acceleration = moving * (2 * c2 + u * (6 * c3 + u * (12 * c4 + u * 20 * c5)))
        return value, rate, acceleration


@dataclass(frozen=True, slots=True, eq=False)
class States:
    """Value, rate and acceleration of c channels at n moments, each (n, c)."""

    value: Floats
    rate: Floats
    acceleration: Floats

    @classmethod
    def at_rest(cls, value: ArrayLike) -> States:
        """Give these values with rate and acceleration zero."""
        array = np.asarray(value, dtype=np.float64)
        return cls(array, np.zeros_like(array), np.zeros_like(array))

    def __getitem__(self, index: slice | NDArray[np.bool_] | NDArray[np.intp]) -> States:
        return States(self.value[index], self.rate[index], self.acceleration[index])


def interleaved(states: Sequence[States]) -> States:
    """States of several moments of n cycles each, in the order of time."""
    channels = states[0].value.shape[1]

    def woven(arrays: list[Floats]) -> Floats:
        return np.stack(arrays, axis=1).reshape(-1, channels)

    return States(
        woven([s.value for s in states]),
        woven([s.rate for s in states]),
        woven([s.acceleration for s in states]),
    )


def quintic(duration_s: Floats, start: States, end: States) -> Floats:
    """Coefficients (m, 6, c) of the quintics that join m pairs of states in the given times."""
    h = duration_s[:, None]
    delta = end.value - start.value
    v0, v1, a0, a1 = start.rate, end.rate, start.acceleration, end.acceleration
    return np.stack(
        [
            start.value,
            v0,
            a0 / 2,
            10 * delta / h**3 - (6 * v0 + 4 * v1) / h**2 - (3 * a0 - a1) / (2 * h),
            -15 * delta / h**4 + (8 * v0 + 7 * v1) / h**3 + (3 * a0 - 2 * a1) / (2 * h**2),
            6 * delta / h**5 - 3 * (v0 + v1) / h**4 - (a0 - a1) / (2 * h**3),
        ],
        axis=1,
    )


def joined(knots_s: Floats, states: States) -> Curve:
    """Curve through states at knots: continuous up to the acceleration."""
    return Curve(knots_s, quintic(np.diff(knots_s), states[:-1], states[1:]))


def least_jerk(knots_s: Floats, states: States, pinned: NDArray[np.bool_]) -> Curve:
    """Curve of least squared jerk through values at knots.

    Where a knot is `pinned`, its rate and acceleration hold too; elsewhere they follow from the
    third and fourth derivative being continuous. Human movement between via points is well
    described so (Flash and Hogan 1985, J Neurosci 5:1688).

    Parameters
    ----------
    knots_s : (m,) float64
        Strictly increasing; the first and the last are pinned always.
    states : States of (m, c)
        Rate and acceleration are read at pinned knots only.
    pinned : (m,) bool
        Which knots are pinned.
    """
    held = pinned.copy()
    held[[0, -1]] = True
    derivatives = np.stack([states.rate, states.acceleration], axis=1)
    for first, last in pairwise(np.flatnonzero(held)):
        if last - first > 1:
            part = slice(first, last + 1)
            derivatives[part] = _free_knots(knots_s[part], states.value[part], derivatives[part])
    return joined(knots_s, States(states.value, derivatives[:, 0], derivatives[:, 1]))


class Via:
    """Collects the knots of one channel in the order of time."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._values: list[float] = []
        self._pinned: list[bool] = []

    def through(self, time_s: float, value: float) -> None:
        """Pass a value; how fast follows from the least jerk."""
        self._add(time_s, value, pinned=False)

    def rest(self, time_s: float, value: float) -> None:
        """Come to rest at a value, or start from it."""
        self._add(time_s, value, pinned=True)

    def _add(self, time_s: float, value: float, *, pinned: bool) -> None:
        self._times.append(time_s)
        self._values.append(value)
        self._pinned.append(pinned)

    def curve(self) -> Curve:
        """Curve of least jerk through the knots, at rest at both ends."""
        times, pinned = np.array(self._times), np.array(self._pinned)
        if len(times) == 1:
            times, pinned = np.append(times, times[0] + 1), np.array([True, True])
            self._values *= 2
        return least_jerk(times, States.at_rest(np.array(self._values)[:, None]), pinned)


def _free_knots(knots_s: Floats, value: Floats, derivatives: Floats) -> Floats:
    """Solve rate and acceleration of the inner knots: block tridiagonal, 2 x 2 blocks."""
    left, right = np.diff(knots_s)[:-1], np.diff(knots_s)[1:]
    slope_l = np.diff(value, axis=0)[:-1] / left[:, None]
    slope_r = np.diff(value, axis=0)[1:] / right[:, None]
    lower = _blocks(-24 / left**2, -3 / left, -168 / left**3, -24 / left**2)
    upper = _blocks(24 / right**2, -3 / right, -168 / right**3, 24 / right**2)
    middle = _blocks(
        36 / right**2 - 36 / left**2,
        9 / left + 9 / right,
        -192 / left**3 - 192 / right**3,
        36 / left**2 - 36 / right**2,
    )
    l2, r2 = left[:, None] ** 2, right[:, None] ** 2
    third = 60 * (slope_r / r2 - slope_l / l2)
    fourth = -360 * (slope_r / (r2 * right[:, None]) + slope_l / (l2 * left[:, None]))
    wanted = np.stack([third, fourth], axis=1)
    wanted[0] -= lower[0] @ derivatives[0]
    wanted[-1] -= upper[-1] @ derivatives[-1]
    solved = derivatives.copy()
    solved[1:-1] = _block_tridiagonal(lower, middle, upper, wanted)
    return solved


def _blocks(a: Floats, b: Floats, c: Floats, d: Floats) -> Floats:
    return np.stack([np.stack([a, b], axis=1), np.stack([c, d], axis=1)], axis=1)


def _block_tridiagonal(lower: Floats, middle: Floats, upper: Floats, wanted: Floats) -> Floats:
    """Thomas algorithm on (n, 2, 2) blocks with right sides (n, 2, c)."""
    n = len(middle)
    passed_on = np.empty_like(upper)
    solved = np.empty_like(wanted)
    block, side = middle[0], wanted[0]
    for i in range(n):
        if i:
            block = middle[i] - lower[i] @ passed_on[i - 1]
            side = wanted[i] - lower[i] @ solved[i - 1]
        inverse = _inverse(block)
        passed_on[i] = inverse @ upper[i]
        solved[i] = inverse @ side
    for i in range(n - 2, -1, -1):
        solved[i] -= passed_on[i] @ solved[i + 1]
    return solved


def _inverse(block: Floats) -> Floats:
    (a, b), (c, d) = block.tolist()
    inverse: Floats = np.array([[d, -b], [-c, a]]) / (a * d - b * c)
    return inverse
