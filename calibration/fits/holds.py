"""Is the sensor truly still? Readings of a step in, their means out, or a refusal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from calibration.errors import Refused
from calibration.limits import HOLD_ACC_SD_MPS2, HOLD_RATE_RADPS, HOLD_S, HOLD_TURN_RAD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from calibration.trial import Readings

    Array = NDArray[np.float64]

_PARTS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Hold:
    """Means over a time in which the sensor did not move.

    Attributes
    ----------
    step : str
        The guide's step.
    acc, gyr : (3,) float64
        m/s2, rad/s, not corrected.
    mag : (3,) float64 or None
        uT.
    gyr_sd : (3,) float64
        Standard error of the mean rate, from the scatter of its parts.
    acc_noise, gyr_noise : (3,) float64
        Standard deviation of single samples.
    duration_s : float
    temperature_c : float or None
    """

    step: str
    acc: Array
    gyr: Array
    mag: Array | None
    gyr_sd: Array
    acc_noise: Array
    gyr_noise: Array
    duration_s: float
    temperature_c: float | None


def read_hold(readings: Readings, step: str, at_least_s: float = HOLD_S) -> Hold:
    """Take the means of a still sensor.

    Parameters
    ----------
    readings : Readings
        Of the whole step, the sensor's handling already cut off.
    step : str
        Name for the refusal.
    at_least_s : float
        Shorter is refused.

    Raises
    ------
    Refused
        If the hold is too short, saturated, or if the sensor moved, shook or turned.
    """
    _refuse_unusable(readings, step, at_least_s)
    # From sample to sample, so that a slow slip is called a move below.
    acc_noise, gyr_noise = (
        np.diff(values, axis=0).std(axis=0) / np.sqrt(2) for values in (readings.acc, readings.gyr)
    )
    if float(acc_noise.max()) > HOLD_ACC_SD_MPS2:
        raise Refused(
            f"The sensor shook during {step} ({acc_noise.max():.2f} m/s2): choose a table that"
            f" nothing shakes and repeat {step}.",
            step,
        )
    rates = _part_means(readings.gyr)
    moved = float(np.max(np.ptp(rates, axis=0)))
    tilt = _greatest_angle(_part_means(readings.acc))
    if moved > HOLD_RATE_RADPS or tilt > HOLD_TURN_RAD:
        raise Refused(
            f"The sensor moved during {step} (by {np.degrees(tilt):.1f} deg): put it down,"
            f" take your hands off and repeat {step}.",
            step,
        )
    return Hold(
        step=step,
        acc=readings.acc.mean(axis=0),
        gyr=readings.gyr.mean(axis=0),
        mag=None if readings.mag is None else readings.mag.mean(axis=0),
        gyr_sd=rates.std(axis=0, ddof=1) / np.sqrt(len(rates)),
        acc_noise=acc_noise,
        gyr_noise=gyr_noise,
        duration_s=readings.duration_s,
        temperature_c=readings.temperature_c,
    )


def _refuse_unusable(readings: Readings, step: str, at_least_s: float) -> None:
    if len(readings) < 2 * _PARTS or readings.duration_s < at_least_s * 0.95:
        raise Refused(
            f"{step} was held too short: {at_least_s:.0f} s are needed. Repeat {step}.", step
        )
    if readings.saturated.any():
        raise Refused(
            f"The sensor stood at the end of its range during {step}: it was knocked, or its range"
            f" is set too small. Repeat {step}.",
            step,
        )


def _part_means(values: Array) -> Array:
    """Means over equal parts, (parts, 3)."""
    return np.stack([part.mean(axis=0) for part in np.array_split(values, _PARTS)])


def _greatest_angle(vectors: Array) -> float:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    chords = np.linalg.norm(unit[:, None] - unit[None], axis=2)
    return float(2 * np.arcsin(min(1.0, chords.max() / 2)))
