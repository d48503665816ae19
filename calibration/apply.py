"""A calibration and readings in, corrected readings out; whole arrays at a time, no state.

The same two lines everywhere: subtract the bias, multiply by the matrix.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sensors import Block

    from .model import AccelFit, GyroFit, MagFit, Matrix, SensorCalibration
    from .trial import Readings

    Array = NDArray[np.float64]


def correct_acc(acc: Array, fit: AccelFit | None) -> Array:
    """Specific force (..., 3), m/s2, corrected; unchanged without a fit."""
    if fit is None:
        return acc
    return _correct(acc, np.array(fit.bias_mps2), fit.matrix)


def correct_gyr(gyr: Array, fit: GyroFit | None, temperature_c: float | None = None) -> Array:
    """Angular rate (..., 3), rad/s, corrected; the bias follows the temperature where known."""
    if fit is None:
        return gyr
    bias = np.array(fit.bias_radps)
    slope, reference = fit.bias_slope_radps_per_k, fit.reference_temperature_c
    if slope is not None and reference is not None and temperature_c is not None:
        bias = bias + np.array(slope) * (temperature_c - reference)
    return _correct(gyr, bias, fit.matrix)


def correct_mag(mag: Array, fit: MagFit | None) -> Array:
    """Magnetic field (..., 3), uT, corrected; unchanged without a fit."""
    if fit is None:
        return mag
    return _correct(mag, np.array(fit.bias_ut), fit.matrix)


def _correct(values: Array, bias: Array, matrix: Matrix) -> Array:
    corrected: Array = (values - bias) @ np.array(matrix).T
    return corrected


def apply(
    block: Block, calibration: SensorCalibration, temperature_c: float | None = None
) -> Block:
    """Correct a block.

    Parameters
    ----------
    block : Block
        As the driver read it.
    calibration : SensorCalibration
        Of that sensor.
    temperature_c : float, optional
        Of the chip now.

    Returns
    -------
    Block
        The same samples in SI (`scale` is one), times shifted by the clock's known offset.
    """
    parts = [
        correct_gyr(block.gyr, calibration.gyro, temperature_c),
        correct_acc(block.acc, calibration.accel),
    ]
    if block.mag is not None:
        parts.append(correct_mag(block.mag, calibration.mag))
    readings = np.concatenate(parts, axis=1)
    offset_s = 0.0 if calibration.timing is None else calibration.timing.offset_s
    return replace(
        block,
        readings=readings,
        scale=np.ones(readings.shape[1]),
        host_ns=block.host_ns - round(offset_s * 1e9),
    )


def correct(readings: Readings, calibration: SensorCalibration) -> Readings:
    """Correct the readings of a step of a trial."""
    return replace(
        readings,
        gyr=correct_gyr(readings.gyr, calibration.gyro, readings.temperature_c),
        acc=correct_acc(readings.acc, calibration.accel),
        mag=None if readings.mag is None else correct_mag(readings.mag, calibration.mag),
    )
