"""Where the hip line stands in the sensor frame: the references joined by weighted least squares.

The accelerometer knows how the sensor stands, not how it sits on the pelvis; one degree of that
is three millimetres of leg length. Bows, a hard seat and a landmark caliper each tell where the
hip line is, each with an error of its own. With `u` up while standing, `y` level to the left and
`f = y x u` forward, the hip line is along `y + a f - t u`: `a` the yaw of the sensor on the
pelvis, `t` the tangent of the standing obliquity. Every reference is one linear equation in both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from .level import level_axes, obliquity, unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .bows import HipLine

Reference = Literal["bows", "seat", "caliper"]


@dataclass(frozen=True, slots=True)
class Spreads:
    """Standard uncertainties of one person's measurement, rad.

    Assumed, not yet measured on people (docs/leg-length.md, "The study that would tighten K"):
    the published interval is therefore widened by `K`.
    """

    posture: float = float(np.radians(0.5))  # obliquity when the same person stands anew
    bow_person: float = float(np.radians(0.8))  # bow axis against the hip line
    bow_each: float = float(np.radians(1.5))  # the same, from bow to bow
    bow_yaw: float = float(np.radians(1.7))  # in the horizontal plane, of the mean of the bows
    seat: float = float(np.radians(1.1))  # hip line of the seated person, level seat
    caliper: float = float(np.radians(1.3))  # landmarks against the hip line, and the reading
    acc_bias: float = float(np.radians(0.17))  # 3 mg left by the calibration
    misalignment: float = float(np.radians(0.3))  # gyroscope against accelerometer


SPREADS = Spreads()
K = 1.5
# An assumed scatter counts as much as this many repetitions of the person's own.
ASSUMED_FREEDOM = 10


def pooled(assumed: float, repeated: NDArray[np.float64]) -> float:
    """Scatter of one repetition: what is assumed, and what this person's own repetitions show."""
    freedom = len(repeated) - 1
    squares = float(np.sum((repeated - repeated.mean()) ** 2)) if freedom > 0 else 0.0
    total = ASSUMED_FREEDOM + max(freedom, 0)
    return float(np.sqrt((ASSUMED_FREEDOM * assumed**2 + squares) / total))


@dataclass(frozen=True, slots=True, eq=False)
class Posture:
    """Standing on both feet, as the references together see it.

    Attributes
    ----------
    up, left, forward : (3,) float64
        Level axes of the standing person in the sensor frame, before the yaw `a`.
    yaw_rad, obliquity_rad : float
        The two unknowns; obliquity positive with the right side higher.
    zero_sd_rad : float
        SD of the obliquity from the references alone, before `K`.
    misfit : float
        Birge ratio: root of chi squared over its degrees of freedom, at least 1.
    references : tuple of str
        Those that went in.
    disagreement : str or None
        The two references that differ by more than three SD of their difference.
    """

    up: NDArray[np.float64]
    left: NDArray[np.float64]
    forward: NDArray[np.float64]
    yaw_rad: float
    obliquity_rad: float
    zero_sd_rad: float
    misfit: float
    references: tuple[Reference, ...]
    disagreement: str | None

    @property
    def hip_line(self) -> NDArray[np.float64]:
        """Unit vector from the right to the left hip centre, sensor frame."""
        return unit(self.left + self.yaw_rad * self.forward - np.tan(self.obliquity_rad) * self.up)


@dataclass(frozen=True, slots=True)
class _Row:
    """`yaw * a + slope * t = value`, known to `sd`; `alone_sd` where yaw comes from the bows."""

    reference: Reference
    yaw: float
    slope: float
    value: float
    sd: float
    alone_sd: float


def fit_posture(
    up: NDArray[np.float64],
    line: HipLine | None,
    seat_up: NDArray[np.float64] | None,
    caliper_rad: float | None,
    spreads: Spreads = SPREADS,
) -> Posture | None:
    """Yaw and standing obliquity that fit all references best.

    Parameters
    ----------
    up : (3,) float64
        Standing up direction in the sensor frame, mean over placements and facings.
    line : HipLine or None
        From the bows. Without it the sensor's own y axis is taken as roughly left.
    seat_up : (3,) float64 or None
        Up direction while seated. It needs the bows for its yaw and is left out without them:
        four degrees of yaw would turn the seated pelvis' backward tilt into 1.7 deg of roll.
    caliper_rad : float or None
        Obliquity read from a landmark caliper while standing.
    spreads : Spreads
        Uncertainty of each.

    Returns
    -------
    Posture or None
        None without any zero reference: there is no number to give.
    """
    leftward = np.array([0.0, 1.0, 0.0]) if line is None else line.axis
    left, forward = level_axes(up, leftward)
    rows = _bow_rows(up, forward, line, spreads) if line is not None else []
    if seat_up is not None and line is not None:
        rows.append(_seat_row(up, left, forward, seat_up, spreads))
    if caliper_rad is not None:
        sd = spreads.caliper
        rows.append(_Row("caliper", 0.0, 1.0, float(np.tan(caliper_rad)), sd, sd))
    if not rows:
        return None
    (yaw, slope), sd, misfit = _least_squares(rows)
    return Posture(
        up, left, forward, yaw, float(np.arctan(slope)), sd, misfit,
        tuple(dict.fromkeys(row.reference for row in rows)), _disagreement(rows),
    )  # fmt: skip


def _bow_rows(
    up: NDArray[np.float64], forward: NDArray[np.float64], line: HipLine, spreads: Spreads
) -> list[_Row]:
    each = pooled(spreads.bow_each, obliquity(line.axes, up))
    sd = float(np.hypot(spreads.bow_person, each / np.sqrt(len(line))))
    slope = float(np.tan(obliquity(line.axis, up)))
    yaw = spreads.bow_yaw
    return [
        _Row("bows", 1.0, 0.0, float(line.axis @ forward), yaw, yaw),
        _Row("bows", 0.0, 1.0, slope, sd, sd),
    ]


def _seat_row(
    up: NDArray[np.float64],
    left: NDArray[np.float64],
    forward: NDArray[np.float64],
    seat_up: NDArray[np.float64],
    spreads: Spreads,
) -> _Row:
    """On a level seat the hip line is level: `hip_line . seat_up = 0`."""
    sd = float(np.hypot(spreads.seat, spreads.acc_bias))
    yaw = float(forward @ seat_up)
    alone = float(np.hypot(sd, yaw * spreads.bow_yaw))
    return _Row("seat", yaw, float(-up @ seat_up), float(-left @ seat_up), sd, alone)


def _least_squares(rows: Sequence[_Row]) -> tuple[tuple[float, float], float, float]:
    """(a, t), SD of t and Birge ratio. Without bows nothing tells the yaw: it stays 0."""
    design = np.array([[row.yaw, row.slope] for row in rows])
    value = np.array([row.value for row in rows])
    weight = 1.0 / np.array([row.sd for row in rows]) ** 2
    normal = design.T @ (weight[:, None] * design)
    covariance = np.linalg.pinv(normal)
    solution = covariance @ (design.T @ (weight * value))
    freedom = len(rows) - int(np.linalg.matrix_rank(normal))
    chi2 = float(np.sum(weight * (value - design @ solution) ** 2))
    misfit = float(np.sqrt(max(chi2 / freedom, 1.0))) if freedom else 1.0
    return (float(solution[0]), float(solution[1])), float(np.sqrt(covariance[1, 1])), misfit


def _disagreement(rows: Sequence[_Row]) -> str | None:
    """The first two references that cannot both be right."""
    single = [(r.reference, r.value / r.slope, r.alone_sd / abs(r.slope)) for r in rows if r.slope]
    for i, (name, value, sd) in enumerate(single):
        for other, other_value, other_sd in single[i + 1 :]:
            if abs(value - other_value) > 3.0 * np.hypot(sd, other_sd):
                apart = abs(np.degrees(value - other_value))
                return f"{name} and {other} disagree by {apart:.1f} deg"
    return None
