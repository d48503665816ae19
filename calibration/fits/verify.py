"""A minute of still poses held against a sensor's certificate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from calibration.apply import correct_acc, correct_gyr
from calibration.errors import Refused
from calibration.limits import ACCEL_ERROR_U95_MPS2, MILLI_G
from calibration.model import SensorCalibration, Verdict, Verification, worst

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from .holds import Hold

METHOD = "verify_poses@1.0"
LEAST_POSES = 6
# The zero of a gyroscope wanders from day to day and is found anew at every rest: only a jump far
# beyond that says that the chip was hurt.
_BIAS_JUMP_RADPS = math.radians(1.0)


def verify(
    calibration: SensorCalibration, holds: Sequence[Hold], made: datetime, hardware_id: str = ""
) -> Verification:
    """Hold a sensor against its certificate.

    Parameters
    ----------
    calibration : SensorCalibration
        The certificate.
    holds : sequence of Hold
        Six or more still poses, uncorrected.
    made : datetime
        Now; the certificate's validity is judged against it.
    hardware_id : str
        What the sensor calls itself.

    Raises
    ------
    Refused
        If there is no accelerometer calibration to verify, or there are too few poses.
    """
    if calibration.accel is None:
        raise Refused(f"{calibration.sensor} was never calibrated: do accel first.", "accel")
    if len(holds) < LEAST_POSES:
        raise Refused(f"{len(holds)} poses were held, {LEAST_POSES} are needed.", "verify")
    acc = correct_acc(np.stack([hold.acc for hold in holds]), calibration.accel)
    errors = np.linalg.norm(acc, axis=1) - calibration.accel.gravity_mps2
    rate = correct_gyr(np.mean([hold.gyr for hold in holds], axis=0), calibration.gyro)
    verdict, findings = _judge(float(np.abs(errors).max()), float(np.abs(rate).max()), calibration)
    flags = calibration.flags(made, hardware_id)
    expired = [flag for flag in flags if flag.startswith(("calibration_", "uncalibrated"))]
    verdicts = [verdict]
    if expired:
        verdicts.append(Verdict.RED if "calibration_mismatch" in expired else Verdict.AMBER)
        findings = (*findings, *(f"Flag on every result: {flag}." for flag in expired))
    return Verification(
        made=made,
        method=METHOD,
        verdict=worst(*verdicts),
        findings=findings,
        worst_error_mps2=float(np.abs(errors).max()),
        rms_error_mps2=float(np.sqrt(np.mean(errors**2))),
        gyro_bias_radps=float(np.abs(rate).max()),
        n_poses=len(holds),
    )


def _judge(
    error: float, rate: float, calibration: SensorCalibration
) -> tuple[Verdict, tuple[str, ...]]:
    verdicts, findings = [Verdict.GREEN], []
    stated = calibration.accel.error_u95_mps2 if calibration.accel else 0.0
    if error > ACCEL_ERROR_U95_MPS2 + stated:
        verdicts.append(Verdict.AMBER if error < 2 * ACCEL_ERROR_U95_MPS2 + stated else Verdict.RED)
        findings.append(
            f"Gravity is off by up to {error / MILLI_G:.1f} mg: calibrate the accelerometer again."
        )
    if rate > _BIAS_JUMP_RADPS:
        verdicts.append(Verdict.AMBER)
        findings.append(
            f"The rate at rest is off by {math.degrees(rate):.2f} deg/s: calibrate the gyroscope"
            " again."
        )
    return worst(*verdicts), tuple(findings)
