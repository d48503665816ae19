"""Still poses in; bias, scale and cross-axis of an accelerometer out.

After D. Tedaldi, A. Pretto, E. Menegatti, "A robust and easy to implement method for IMU
calibration without external equipments", ICRA 2014: whatever the pose, the corrected length must be
gravity. Poses need no jig and no exact angle; only that they differ and that they are still.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np

from calibration.errors import Refused
from calibration.limits import (
    ACCEL_ERROR_U95_MPS2,
    ACCEL_LEFT_OUT_RMS_MPS2,
    MILLI_G,
    STANDARD_GRAVITY,
)
from calibration.model import AccelFit, Verdict, as_matrix, as_triple, worst

from .sphere import Prior, Sphere, fit_sphere

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from .holds import Hold

    Array = NDArray[np.float64]

METHOD = "accel_sphere@1.0"
# Widest spread of the chips we drive: zero-g offset 80 mg and sensitivity 3 % (MPU-6050 product
# specification 3.4, 6.2), cross-axis 2 % (also ICM-20948 data sheet, table 2), as 1.3 SD.
PRIOR = Prior(bias=60 * MILLI_G, scale=0.02, cross=0.01)
# What one pose is off by before we know better: temperature, table, non-linearity.
ASSUMED_POSE_SD_MPS2 = MILLI_G
FEWEST_POSES = 9
# Six faces leave corners 55 deg away, and hands are off by some degrees.
WIDEST_GAP_RAD = math.radians(70)
# A pose worse than this against a fit without it, and far beyond the others, was disturbed.
OUTLIER_MPS2 = 5 * MILLI_G
OUTLIER_FACTOR = 5.0

# Local deviations from the formula, and gravity from the equator to the poles.
FORMULA_SD_MPS2 = 0.0003
ANYWHERE_SD_MPS2 = 0.015

_AXES = "xyz"


def _pose_directions() -> dict[str, Array]:
    """Up in the sensor frame at the 26 faces, edges and corners of the case, by name."""
    grid = [(x, y, z) for x in (1, 0, -1) for y in (1, 0, -1) for z in (1, 0, -1)]
    directions = {}
    for signs in sorted((s for s in grid if any(s)), key=lambda s: sum(map(abs, s))):
        name = "_".join(
            f"{axis}_{'up' if sign > 0 else 'down'}"
            for axis, sign in zip(_AXES, signs, strict=True)
            if sign
        )
        directions[name] = np.array(signs) / np.linalg.norm(signs)
    return directions


POSES = _pose_directions()
FACES = tuple(POSES)[:6]


def gravity_at(latitude_deg: float, height_m: float) -> float:
    """Gravity by place, m/s2.

    Somigliana's formula on WGS 84 with the free-air term (NIMA TR8350.2, 4-1 and 4-3); local
    deviations are below 1e-3 m/s2 nearly everywhere, a tenth of a mg.
    """
    sine2 = math.sin(math.radians(latitude_deg)) ** 2
    level = 9.7803253359 * (1 + 0.00193185265241 * sine2) / math.sqrt(1 - 0.00669437999013 * sine2)
    return level - 3.086e-6 * height_m


def missing_pose(up: Array) -> tuple[str, float]:
    """Pose to hold next, and the angle from it to the nearest one held so far, radians.

    Parameters
    ----------
    up : (n, 3) float64
        Specific force of the poses held, any scale; n may be 0.
    """
    if len(up) == 0:
        return FACES[0], math.pi
    unit = up / np.linalg.norm(up, axis=1, keepdims=True)
    gaps = {name: _angle(float(np.max(unit @ pose))) for name, pose in POSES.items()}
    # In the order of the table, which begins with the poses that are simplest to hold: an edge is
    # 45 deg from its faces, a corner 35 deg from its edges.
    for wide in (WIDEST_GAP_RAD, math.radians(30)):
        for name, gap in gaps.items():
            if gap > wide:
                return name, gap
    name = max(gaps, key=lambda n: gaps[n])
    return name, gaps[name]


def fit_accel(
    holds: Sequence[Hold],
    made: datetime,
    gravity_mps2: float = STANDARD_GRAVITY,
    gravity_sd_mps2: float = 0.0,
) -> AccelFit:
    """Fit an accelerometer to still poses.

    Parameters
    ----------
    holds : sequence of Hold
        Nine or more in all directions; or exactly six, one per face: the quick form, which cannot
        check itself and leaves the cross-axis terms at the data sheet's spread.
    made : datetime
        When the readings were taken.
    gravity_mps2 : float
        Of the place (`gravity_at`).
    gravity_sd_mps2 : float
        Of that value: `FORMULA_SD_MPS2`, or `ANYWHERE_SD_MPS2` where the place is not known. All
        poses share it, so that the scale carries it and the residuals do not show it.

    Raises
    ------
    Refused
        Too few poses, a side that no pose shows, a pose that contradicts all others.
    """
    up = np.stack([hold.acc for hold in holds]) if holds else np.empty((0, 3))
    form: Literal["poses", "six"] = "six" if len(holds) == len(FACES) else "poses"
    _refuse_poor_coverage(up, form)
    sphere = fit_sphere(up, gravity_mps2, PRIOR, ASSUMED_POSE_SD_MPS2)
    _refuse_outlier(holds, sphere)
    gravity_u95 = 1.96 * gravity_sd_mps2
    shared = gravity_u95 / gravity_mps2 * sphere.matrix
    error = math.hypot(sphere.error_u95(gravity_mps2), gravity_u95)
    left_out = _rms(sphere.left_out) if form == "poses" else _rms(sphere.residuals)
    verdict, findings = _judge(error, left_out, form, gravity_u95)
    return AccelFit(
        made=made,
        method=METHOD,
        verdict=verdict,
        findings=findings,
        bias_mps2=as_triple(sphere.bias),
        bias_u95_mps2=as_triple(sphere.bias_u95),
        matrix=as_matrix(sphere.matrix),
        matrix_u95=as_matrix(np.hypot(sphere.matrix_u95, shared)),
        error_u95_mps2=error,
        pose_rms_mps2=_rms(sphere.residuals),
        left_out_rms_mps2=left_out,
        residuals_mps2=tuple(float(r) for r in sphere.residuals),
        gravity_mps2=gravity_mps2,
        gravity_u95_mps2=gravity_u95,
        n_poses=len(holds),
        form=form,
    )


def _refuse_poor_coverage(up: Array, form: str) -> None:
    pose, gap = missing_pose(up)
    if form == "poses" and len(up) < FEWEST_POSES:
        raise Refused(
            f"{len(up)} poses were held and {FEWEST_POSES} are needed: go on with {pose}.", pose
        )
    if gap > WIDEST_GAP_RAD:
        raise Refused(
            f"No pose is within {math.degrees(WIDEST_GAP_RAD):.0f} deg of {pose}:"
            f" hold {pose} as well.",
            pose,
        )


def _refuse_outlier(holds: Sequence[Hold], sphere: Sphere) -> None:
    size = np.abs(sphere.left_out)
    at = int(size.argmax())
    others = _rms(np.delete(sphere.residuals, at))
    if math.isfinite(sphere.dof) and size[at] > max(OUTLIER_MPS2, OUTLIER_FACTOR * others):
        raise Refused(
            f"{holds[at].step} contradicts the other poses by {size[at] / MILLI_G:.0f} mg:"
            f" repeat {holds[at].step}.",
            holds[at].step,
        )


def _judge(
    error: float, left_out: float, form: str, gravity_u95: float
) -> tuple[Verdict, tuple[str, ...]]:
    verdicts, findings = [Verdict.GREEN], []
    if form == "six":
        verdicts.append(Verdict.AMBER)
        findings.append("The six-position form leaves the cross-axis terms unknown: use 18 poses.")
    elif error > ACCEL_ERROR_U95_MPS2:
        verdicts.append(Verdict.AMBER if error < 2 * ACCEL_ERROR_U95_MPS2 else Verdict.RED)
        findings.append(
            f"The 95 % error is {error / MILLI_G:.1f} mg, the limit"
            f" {ACCEL_ERROR_U95_MPS2 / MILLI_G:.0f} mg:"
            + (" give --latitude and --height." if gravity_u95 > 0.5 * error else " add poses.")
        )
    if left_out > ACCEL_LEFT_OUT_RMS_MPS2:
        verdicts.append(Verdict.AMBER if left_out < 2 * ACCEL_LEFT_OUT_RMS_MPS2 else Verdict.RED)
        findings.append(
            f"Poses left out are missed by {left_out / MILLI_G:.1f} mg, the limit"
            f" {ACCEL_LEFT_OUT_RMS_MPS2 / MILLI_G:.0f} mg: repeat all poses on a firmer table."
        )
    return worst(*verdicts), tuple(findings)


def _angle(cosine: float) -> float:
    return math.acos(min(1.0, max(-1.0, cosine)))


def _rms(values: Array) -> float:
    return float(np.sqrt(np.mean(values**2)))
