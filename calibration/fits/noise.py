"""A long rest in; white noise, bias instability and the Allan deviation out.

IEEE Std 952-1997, annex C: the overlapping Allan deviation; white noise where it falls with
1/sqrt(tau), read at tau = 1 s; bias instability at its lowest point divided by 0.664.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from calibration.errors import Refused
from calibration.limits import ACC_DENSITY_MPS2_RTHZ, GYR_DENSITY_RADPS_RTHZ, MILLI_G
from calibration.model import NoiseFit, Verdict, as_triple, worst

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from calibration.trial import Readings

    Array = NDArray[np.float64]

METHOD = "noise_allan@1.0"
STEP = "long_rest"
LEAST_REST_S = 120.0
_INSTABILITY = 0.664
_TAUS_PER_DECADE = 8
# Beyond a ninth of the rest too few independent clusters are left to trust the deviation.
_MOST_OF_REST = 9
_KNOCK_SD = 12.0


def allan_deviation(rate_hz: float, values: Array) -> tuple[Array, Array]:
    """Overlapping Allan deviation.

    Parameters
    ----------
    rate_hz : float
        Samples a second.
    values : (n, k) float64
        Evenly sampled, n >= 18.

    Returns
    -------
    tau_s : (m,) float64
        Cluster times, eight a decade.
    deviation : (m, k) float64
        Unit of `values`.
    """
    n = len(values)
    decades = math.log10(n // _MOST_OF_REST)
    sizes = np.unique(np.logspace(0, decades, 1 + int(_TAUS_PER_DECADE * decades)).astype(int))
    summed = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    deviations = []
    for size in sizes:
        second = summed[2 * size :] - 2 * summed[size:-size] + summed[: -2 * size]
        deviations.append(np.sqrt(np.mean(second**2, axis=0) / 2) / size)
    return sizes / rate_hz, np.array(deviations)


def white_noise(tau_s: Array, deviation: Array) -> Array:
    """Density, unit/sqrt(Hz), (k,): the level at 1 s of the -1/2 slope through tau <= 1 s."""
    short = tau_s <= max(1.0, tau_s[0])
    return np.asarray(np.exp(np.mean(np.log(deviation[short] * np.sqrt(tau_s[short, None])), 0)))


def fit_noise(readings: Readings, made: datetime) -> NoiseFit:
    """Judge a sensor by a long rest.

    Raises
    ------
    Refused
        If the rest is shorter than two minutes, saturated, or was knocked.
    """
    if readings.duration_s < LEAST_REST_S * 0.99:
        raise Refused(f"The rest must last {LEAST_REST_S:.0f} s or longer: repeat {STEP}.", STEP)
    if readings.saturated.any() or _knocked(readings.acc) or _knocked(readings.gyr):
        raise Refused(f"Something knocked the sensor or its table: repeat {STEP}.", STEP)
    tau, acc = allan_deviation(readings.rate_hz, readings.acc)
    _, gyr = allan_deviation(readings.rate_hz, readings.gyr)
    acc_density, gyr_density = white_noise(tau, acc), white_noise(tau, gyr)
    verdict, findings = _judge(float(acc_density.max()), float(gyr_density.max()))
    return NoiseFit(
        made=made,
        method=METHOD,
        verdict=verdict,
        findings=findings,
        acc_density_mps2_rthz=as_triple(acc_density),
        gyr_density_radps_rthz=as_triple(gyr_density),
        acc_instability_mps2=as_triple(acc.min(axis=0) / _INSTABILITY),
        gyr_instability_radps=as_triple(gyr.min(axis=0) / _INSTABILITY),
        rest_s=readings.duration_s,
        allan_tau_s=tuple(float(t) for t in tau),
        allan_acc_mps2=tuple(as_triple(row) for row in acc),
        allan_gyr_radps=tuple(as_triple(row) for row in gyr),
    )


def _knocked(values: Array) -> bool:
    """Whether any sample stands far outside the spread, which a quiet rest never shows."""
    offset = np.abs(values - np.median(values, axis=0))
    # A chip whose noise is below one bit has a spread of nearly zero: its mean stands in.
    spread = 1.4826 * np.median(offset, axis=0) + offset.mean(axis=0)
    return bool(np.any(offset > _KNOCK_SD * spread))


def _judge(acc: float, gyr: float) -> tuple[Verdict, tuple[str, ...]]:
    verdicts, findings = [Verdict.GREEN], []
    if acc > ACC_DENSITY_MPS2_RTHZ:
        verdicts.append(Verdict.RED)
        findings.append(
            f"Accelerometer noise is {acc / MILLI_G * 1e3:.0f} ug/rtHz, the limit"
            f" {ACC_DENSITY_MPS2_RTHZ / MILLI_G * 1e3:.0f}: check the supply, or replace it."
        )
    if gyr > GYR_DENSITY_RADPS_RTHZ:
        verdicts.append(Verdict.RED)
        findings.append(
            f"Gyroscope noise is {math.degrees(gyr) * 1e3:.0f} mdeg/s/rtHz, the limit"
            f" {math.degrees(GYR_DENSITY_RADPS_RTHZ) * 1e3:.0f}: check the supply, or replace it."
        )
    return worst(*verdicts), tuple(findings)
