"""One calibration in, the page that a technician files out: HTML by itself (`pdf.py` makes PDF).

Every figure stands beside its uncertainty and its limit; the page needs no network and prints on
one sheet of A4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from calibration import limits
from calibration.limits import MILLI_G
from calibration.model import (
    AccelFit,
    GyroFit,
    MagFit,
    NoiseFit,
    TimingFit,
    Verdict,
    Verification,
    worst,
)

from .plots import Plot, allan_plots, residual_plot

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from calibration.model import Fit, Matrix, SensorCalibration, Triple

NAMES = {
    "accel": "Accelerometer",
    "gyro": "Gyroscope",
    "mag": "Magnetometer",
    "noise": "Noise",
    "timing": "Time",
    "verification": "Verification",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of the certificate; values, uncertainties and limit as they are printed."""

    what: str
    unit: str
    value: str
    u95: str = ""
    limit: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One procedure of the certificate."""

    title: str
    fit: Fit
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Certificate:
    """What the page says."""

    calibration: SensorCalibration
    issued: datetime
    verdict: Verdict
    sections: tuple[Section, ...]
    plots: tuple[Plot, ...]
    flags: tuple[str, ...]


def certificate_of(calibration: SensorCalibration, issued: datetime) -> Certificate:
    """Gather all figures of a calibration, with the verdict as it stands at `issued`."""
    fits: dict[str, Fit] = dict(calibration.fits)
    if calibration.verification is not None:
        fits["verification"] = calibration.verification
    sections = tuple(Section(NAMES[name], fit, tuple(_rows(fit))) for name, fit in fits.items())
    flags = calibration.flags(issued)
    verdict = worst(
        *(fit.verdict for fit in fits.values()), Verdict.AMBER if flags else Verdict.GREEN
    )
    plots: tuple[Plot, ...] = ()
    if calibration.accel is not None and calibration.accel.residuals_mps2:
        plots += (residual_plot(calibration.accel, limits.ACCEL_LEFT_OUT_RMS_MPS2),)
    if calibration.noise is not None:
        plots += allan_plots(calibration.noise)
    return Certificate(calibration, issued, verdict, sections, plots, flags)


def certificate_html(certificate: Certificate) -> str:
    """Return the page: self-contained HTML."""
    environment = Environment(
        loader=PackageLoader("calibration.certificate", ""),
        autoescape=True,
        undefined=StrictUndefined,
    )
    return environment.get_template("certificate.html").render(certificate=certificate)


def _rows(fit: Fit) -> Iterable[Row]:
    match fit:
        case AccelFit():
            return _accel_rows(fit)
        case GyroFit():
            return _gyro_rows(fit)
        case MagFit():
            return _mag_rows(fit)
        case NoiseFit():
            return _noise_rows(fit)
        case TimingFit():
            return _timing_rows(fit)
        case Verification():
            return _verification_rows(fit)
    raise TypeError(f"{type(fit).__name__} has no rows on the certificate")


def _accel_rows(fit: AccelFit) -> Iterable[Row]:
    mg = 1 / MILLI_G
    yield Row("Bias x, y, z", "mg", _three(fit.bias_mps2, mg, 2), _three(fit.bias_u95_mps2, mg, 2))
    yield from _matrix_rows(fit.matrix, fit.matrix_u95)
    yield Row(
        "Error after calibration, 95 %, worst direction",
        "mg",
        f"{fit.error_u95_mps2 * mg:.2f}",
        limit=f"{limits.ACCEL_ERROR_U95_MPS2 * mg:.0f}",
    )
    yield Row(
        "Each pose predicted from the others, RMS",
        "mg",
        f"{fit.left_out_rms_mps2 * mg:.2f}",
        limit=f"{limits.ACCEL_LEFT_OUT_RMS_MPS2 * mg:.0f}",
    )
    gravity = f"{fit.gravity_mps2:.5f}"
    yield Row("Gravity of the place", "m/s²", gravity, f"{fit.gravity_u95_mps2:.5f}")
    yield Row("Poses", "", f"{fit.n_poses}")


def _gyro_rows(fit: GyroFit) -> Iterable[Row]:
    deg = math.degrees(1)
    yield Row(
        "Bias x, y, z",
        "°/s",
        _three(fit.bias_radps, deg, 3),
        _three(fit.bias_u95_radps, deg, 3),
        f"± {limits.GYRO_BIAS_U95_RADPS * deg:.2f}",
    )
    if fit.bias_slope_radps_per_k is not None and fit.bias_slope_u95_radps_per_k is not None:
        yield Row(
            f"Bias with temperature, from {fit.reference_temperature_c:.1f} °C",
            "°/s/K",
            _three(fit.bias_slope_radps_per_k, deg, 4),
            _three(fit.bias_slope_u95_radps_per_k, deg, 4),
        )
    if fit.matrix_u95 is not None and fit.turn_rms_rad is not None:
        yield from _matrix_rows(fit.matrix, fit.matrix_u95, f"± {100 * limits.GYRO_SCALE_U95:.1f}")
        yield Row(
            f"{fit.n_turns} counted turns disagree by",
            "°",
            f"{fit.turn_rms_rad * deg:.2f}",
            limit=f"{limits.TURN_RMS_RAD * deg:.0f}",
        )


def _mag_rows(fit: MagFit) -> Iterable[Row]:
    yield Row("Hard iron x, y, z", "µT", _three(fit.bias_ut, 1, 2), _three(fit.bias_u95_ut, 1, 2))
    yield from _matrix_rows(fit.matrix, fit.matrix_u95)
    yield Row("Field varies by, RMS", "µT", f"{fit.rms_ut:.2f}", limit=f"{limits.MAG_RMS_UT:.1f}")
    if fit.dip_residual_rad is not None:
        yield Row(
            "Dip against the model",
            "°",
            f"{math.degrees(fit.dip_residual_rad):+.2f}",
            limit=f"{math.degrees(limits.MAG_DIP_RAD):.0f}",
        )
    yield Row(f"Field: {fit.field_source}", "µT", f"{fit.field_ut:.2f}")


def _noise_rows(fit: NoiseFit) -> Iterable[Row]:
    ug, mdeg = 1e3 / MILLI_G, 1e3 * math.degrees(1)
    yield Row(
        "Accelerometer noise x, y, z",
        "µg/rtHz",
        _three(fit.acc_density_mps2_rthz, ug, 0),
        limit=f"{limits.ACC_DENSITY_MPS2_RTHZ * ug:.0f}",
    )
    yield Row(
        "Gyroscope noise x, y, z",
        "m°/s/rtHz",
        _three(fit.gyr_density_radps_rthz, mdeg, 1),
        limit=f"{limits.GYR_DENSITY_RADPS_RTHZ * mdeg:.0f}",
    )
    yield Row("Accelerometer instability", "µg", _three(fit.acc_instability_mps2, ug, 0))
    yield Row("Gyroscope instability", "°/h", _three(fit.gyr_instability_radps, 3.6 * mdeg, 1))
    yield Row("Rest", "min", f"{fit.rest_s / 60:.0f}")


def _timing_rows(fit: TimingFit) -> Iterable[Row]:
    yield Row(
        f"Late against {fit.reference}, {fit.n_taps} taps",
        "ms",
        f"{fit.offset_s * 1e3:+.2f}",
        f"{fit.offset_u95_s * 1e3:.2f}",
        f"{limits.TIMING_OFFSET_S * 1e3:.0f}",
    )


def _verification_rows(fit: Verification) -> Iterable[Row]:
    yield Row(
        f"Gravity in {fit.n_poses} poses, worst",
        "mg",
        f"{fit.worst_error_mps2 / MILLI_G:.2f}",
        limit=f"{limits.ACCEL_ERROR_U95_MPS2 / MILLI_G:.0f} + certificate",
    )
    yield Row("Rate at rest, any axis", "°/s", f"{math.degrees(fit.gyro_bias_radps):.3f}")


def _matrix_rows(matrix: Matrix, u95: Matrix, limit: str = "") -> Iterable[Row]:
    values, errors = 100 * (np.array(matrix) - np.eye(3)), 100 * np.array(u95)
    off = ~np.eye(3, dtype=bool)
    yield Row(
        "Scale correction x, y, z",
        "%",
        _three(tuple(np.diag(values)), 1, 3),
        _three(tuple(np.diag(errors)), 1, 3),
        limit,
    )
    yield Row(
        "Cross-axis correction, greatest",
        "%",
        f"{np.abs(values[off]).max():.3f}",
        f"{errors[off].max():.3f}",
    )


def _three(values: Triple | tuple[float, ...], factor: float, digits: int) -> str:
    return ", ".join(f"{factor * value:.{digits}f}" for value in values)
