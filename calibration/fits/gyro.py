"""Rests and counted turns in; bias with temperature, scale and cross-axis of a gyroscope out.

A rest gives the bias. A counted turn: the sensor lies on a table and is turned by whole turns back
to where it was; the rate summed up must be that angle about the direction that the accelerometer
calls up. Turns on three faces give the whole matrix, in the accelerometer's frame: no turntable,
only a mark on the table.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from calibration.errors import Refused
from calibration.limits import GYRO_BIAS_U95_RADPS, GYRO_SCALE_U95, TURN_RMS_RAD
from calibration.model import GyroFit, Verdict, as_matrix, as_triple, worst

from .sphere import student_t95

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from calibration.model import AccelFit
    from calibration.trial import Readings

    from .holds import Hold

    Array = NDArray[np.float64]

METHOD = "gyro_turns@1.0"
# Two temperatures nearer than this say nothing about the slope.
LEAST_TEMPERATURE_SPAN_K = 5.0
# The rest before and behind a turn that its bias and its up direction are taken from.
MARGIN_S = 1.5
# A chip's scale is within 5 %: a turn further off was miscounted.
MISCOUNT_RAD = math.radians(90)
TILT_DURING_TURN_RAD = math.radians(8)
LEAST_TURNS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """One counted turn.

    Attributes
    ----------
    step : str
    summed : (3,) float64
        Integral of the rate without its bias, rad, not corrected.
    target : (3,) float64
        The true angle along the up direction of the corrected accelerometer, rad.
    """

    step: str
    summed: Array
    target: Array


def read_turn(readings: Readings, step: str, turns: float, accel: AccelFit | None) -> Turn:
    """Sum up one counted turn.

    Parameters
    ----------
    readings : Readings
        With 1.5 s of rest before and behind the turn.
    step : str
        Name for the refusal.
    turns : float
        Whole turns, counter-clockwise seen from above positive.
    accel : AccelFit or None
        Corrects the up direction.

    Raises
    ------
    Refused
        If a rest is missing, a rate saturated, the sensor was tipped, or the count is wrong.
    """
    if readings.saturated.any():
        raise Refused(f"The rate left the sensor's range: turn more slowly, repeat {step}.", step)
    end_s = readings.duration_s
    rests = (readings.part(0, MARGIN_S), readings.part(end_s - MARGIN_S, end_s))
    spread = max(float(rest.gyr.std(axis=0).max()) for rest in rests)
    if end_s < 3 * MARGIN_S or spread > math.radians(3):
        raise Refused(
            f"Before and behind the turn the sensor must rest for {MARGIN_S} s: repeat {step}.",
            step,
        )
    bias = np.mean([rest.gyr.mean(axis=0) for rest in rests], axis=0)
    # Trapezoid on the samples' own times: lost samples bend it less than a sum would.
    rate = readings.gyr - bias
    summed = np.trapezoid(rate, readings.time_s, axis=0)
    up = _up_throughout(readings, rests, accel, step)
    target = 2 * math.pi * turns * up
    if abs(float(summed @ up) - 2 * math.pi * turns) > MISCOUNT_RAD:
        raise Refused(
            f"{step} shows {float(summed @ up) / (2 * math.pi):+.1f} turns and {turns:+.0f} were"
            f" asked for: count again and repeat {step}.",
            step,
        )
    return Turn(step, summed, target)


def _up_throughout(
    readings: Readings, rests: tuple[Readings, Readings], accel: AccelFit | None, step: str
) -> Array:
    matrix = np.eye(3) if accel is None else np.array(accel.matrix)
    bias = np.zeros(3) if accel is None else np.array(accel.bias_mps2)
    first, last = ((rest.acc.mean(axis=0) - bias) @ matrix.T for rest in rests)
    # The mean over the turn takes the centripetal part out only for the sensor at the centre,
    # so the rests say where up is and the mean only whether the sensor was tipped.
    during = (readings.acc.mean(axis=0) - bias) @ matrix.T
    up = first / np.linalg.norm(first) + last / np.linalg.norm(last)
    up /= np.linalg.norm(up)
    tips = [_angle_between(first, last), 0.5 * _angle_between(up, during)]
    if max(tips) > TILT_DURING_TURN_RAD:
        raise Refused(f"The sensor was tipped: keep it flat on the table, repeat {step}.", step)
    return np.asarray(up, dtype=np.float64)


def fit_gyro(rests: Sequence[Hold], turns: Sequence[Turn], made: datetime) -> GyroFit:
    """Fit a gyroscope.

    Parameters
    ----------
    rests : sequence of Hold
        At least one, 30 s or longer; at several temperatures for the slope.
    turns : sequence of Turn
        None for the bias only; else six or more, on three faces, both ways round.
    made : datetime
        When the readings were taken.

    Raises
    ------
    Refused
        If there is no rest, too few turns, or an axis that no turn shows.
    """
    if not rests:
        raise Refused("No rest was recorded: lay the sensor still for 60 s (rest).", "rest")
    line = _fit_bias(rests)
    bias_u95 = line.bias_u95
    verdicts, findings = [Verdict.GREEN], []
    if float(bias_u95.max()) > GYRO_BIAS_U95_RADPS:
        verdicts.append(Verdict.AMBER)
        findings.append(
            f"The bias is known to {math.degrees(bias_u95.max()):.3f} deg/s only: rest longer."
        )
    if turns:
        matrix = _fit_matrix(turns)
        verdict, finding = _judge(matrix)
        verdicts.append(verdict)
        findings += finding
    else:
        matrix = None
        verdicts.append(Verdict.AMBER)
        findings.append("The scale was not checked: do the six counted turns.")
    return GyroFit(
        made=made,
        method=METHOD,
        verdict=worst(*verdicts),
        findings=tuple(findings),
        bias_radps=as_triple(line.bias),
        bias_u95_radps=as_triple(bias_u95),
        reference_temperature_c=line.reference_c,
        bias_slope_radps_per_k=None if line.slope is None else as_triple(line.slope),
        bias_slope_u95_radps_per_k=None if line.slope_u95 is None else as_triple(line.slope_u95),
        matrix=as_matrix(np.eye(3) if matrix is None else matrix.matrix),
        matrix_u95=None if matrix is None else as_matrix(matrix.u95),
        turn_rms_rad=None if matrix is None else matrix.rms_rad,
        n_turns=len(turns),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _BiasLine:
    bias: Array
    bias_u95: Array
    reference_c: float | None
    slope: Array | None
    slope_u95: Array | None


def _fit_bias(rests: Sequence[Hold]) -> _BiasLine:
    """Weighted mean of the rests, or a line over temperature where they span one."""
    rates = np.stack([rest.gyr for rest in rests])
    errors = np.stack([rest.gyr_sd for rest in rests])
    weights = np.array([rest.duration_s for rest in rests])
    weights /= weights.sum()
    bias = weights @ rates
    known = [rest.temperature_c for rest in rests if rest.temperature_c is not None]
    reference = float(np.mean(known)) if known else None
    # Each rest's error comes from five parts of it: four degrees of freedom.
    factor = student_t95(4.0 * len(rests))
    bias_u95 = factor * np.sqrt((weights**2) @ errors**2)
    if len(known) < len(rests) or max(known) - min(known) < LEAST_TEMPERATURE_SPAN_K:
        return _BiasLine(bias, bias_u95, reference, None, None)
    temperature = np.array(known)
    reference = float(weights @ temperature)
    lever = weights * (temperature - reference)
    lever /= lever @ (temperature - reference)
    slope_u95 = factor * np.sqrt((lever**2) @ errors**2)
    return _BiasLine(bias, bias_u95, reference, lever @ rates, slope_u95)


@dataclass(frozen=True, slots=True, eq=False)
class _TurnMatrix:
    matrix: Array
    u95: Array
    rms_rad: float
    worst_step: str


def _fit_matrix(turns: Sequence[Turn]) -> _TurnMatrix:
    """Least squares `matrix @ summed = target`, with two kinds of error.

    Along the axis the hand closes the turn to a degree or so; across it the table's unevenness
    counts, times the angle turned. Both are found from the residuals and carried to the elements,
    with Satterthwaite's degrees of freedom.
    """
    summed = np.stack([turn.summed for turn in turns])
    target = np.stack([turn.target for turn in turns])
    _refuse_missing_axis(turns, summed)
    inverse = np.linalg.pinv(summed)
    matrix = (inverse @ target).T
    residual = target - summed @ matrix.T
    unit = target / np.linalg.norm(target, axis=1, keepdims=True)
    along = np.sum(residual * unit, axis=1)
    across = residual - along[:, None] * unit
    redundant = len(turns) - 3
    variances = np.array([along @ along / redundant, np.sum(across**2) / (2 * redundant)])
    # Share of each kind in the variance of element (j, k): turn i enters with inverse[k, i].
    share_along = np.einsum("ki,ij->jk", inverse**2, unit**2)
    share_across = np.einsum("ki,ij->jk", inverse**2, 1 - unit**2)
    parts = np.stack([share_along * variances[0], share_across * variances[1]])
    total = parts.sum(axis=0)
    dof = total**2 / (parts[0] ** 2 / redundant + parts[1] ** 2 / (2 * redundant))
    factor = np.vectorize(student_t95)(dof)
    size = np.linalg.norm(residual, axis=1)
    return _TurnMatrix(
        matrix=matrix,
        u95=factor * np.sqrt(total),
        rms_rad=float(np.sqrt(np.mean(size**2))),
        worst_step=turns[int(size.argmax())].step,
    )


def _refuse_missing_axis(turns: Sequence[Turn], summed: Array) -> None:
    if len(turns) < LEAST_TURNS:
        raise Refused(
            f"{len(turns)} turns were counted and {LEAST_TURNS} are needed: two on each of three"
            f" neighbouring faces, one each way round.",
            "turn",
        )
    unit = summed / np.linalg.norm(summed, axis=1, keepdims=True)
    strength, axes = np.linalg.eigh(unit.T @ unit / len(unit))
    if strength[0] < 0.1:
        axis = "xyz"[int(np.abs(axes[:, 0]).argmax())]
        raise Refused(f"No turn was about the {axis} axis: add turn_{axis}.", f"turn_{axis}")


def _judge(fit: _TurnMatrix) -> tuple[Verdict, list[str]]:
    verdict, findings = Verdict.GREEN, []
    scale = float(np.max(np.diag(fit.u95)))
    if scale > GYRO_SCALE_U95:
        verdict = Verdict.AMBER
        findings.append(
            f"The scale is known to {100 * scale:.2f} % and the limit is"
            f" {100 * GYRO_SCALE_U95:.1f} %: repeat {fit.worst_step} with more turns."
        )
    if fit.rms_rad > TURN_RMS_RAD:
        verdict = Verdict.RED
        findings.append(
            f"The turns disagree by {math.degrees(fit.rms_rad):.1f} deg, the limit is"
            f" {math.degrees(TURN_RMS_RAD):.0f} deg: repeat {fit.worst_step}."
        )
    return verdict, findings


def _angle_between(a: Array, b: Array) -> float:
    return math.atan2(float(np.linalg.norm(np.cross(a, b))), float(a @ b))
