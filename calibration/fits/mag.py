"""Readings in all directions in; hard iron, soft iron and scale of a magnetometer out.

The strength of the field at the place comes from the World Magnetic Model (package `ahrs`). No
length, time or angle of gait needs the magnetometer: its calibration serves a heading that does not
drift, where somebody wants one.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from calibration.errors import Refused
from calibration.limits import MAG_DIP_RAD, MAG_RMS_UT
from calibration.model import MagFit, Verdict, as_matrix, as_triple, worst

from .sphere import Prior, Sphere, fibonacci, fit_sphere, student_t95

if TYPE_CHECKING:
    from datetime import date, datetime

    from numpy.typing import NDArray

    from calibration.trial import Readings

    Array = NDArray[np.float64]

METHOD = "mag_sphere@1.0"
# Magnets in the case shift by several fields; AK09916 sensitivity 4 % (ICM-20948 data sheet,
# table 3); soft iron of screws and battery 5 %.
PRIOR = Prior(bias=300.0, scale=0.06, cross=0.03)
ASSUMED_SD_UT = 1.0
STEP = "turn_over"
_CELLS = 60
# Cells of a 60-cell sphere that a thorough turning over fills.
LEAST_CELLS = 40


@dataclass(frozen=True, slots=True)
class EarthField:
    """The earth's magnetic field at a place and day.

    Attributes
    ----------
    strength_ut : float
        uT.
    dip_rad : float
        Downwards positive.
    declination_rad : float
        Magnetic north east of true north positive.
    source : str
    """

    strength_ut: float
    dip_rad: float
    declination_rad: float
    source: str


def earth_field(
    latitude_deg: float, longitude_deg: float, height_m: float, day: date
) -> EarthField:
    """World Magnetic Model at a place and day.

    Raises
    ------
    ValueError
        If the place is not on earth.
    """
    if not (-90 <= latitude_deg <= 90 and -180 <= longitude_deg <= 360):
        raise ValueError(
            f"expected latitude -90 to 90 and longitude -180 to 360 deg,"
            f" got {latitude_deg}, {longitude_deg}"
        )
    with warnings.catch_warnings():
        # ahrs imports more than the model; what that says is nobody's concern here.
        warnings.simplefilter("ignore")
        from ahrs.utils.wmm import WMM  # noqa: PLC0415 (a second of start-up, for this step only)

        model = WMM(
            day, latitude=latitude_deg, longitude=longitude_deg, height=height_m / 1000, frame="NED"
        )
    return EarthField(
        strength_ut=float(model.F) / 1000,
        dip_rad=math.radians(float(model.I)),
        declination_rad=math.radians(float(model.D)),
        source=f"World Magnetic Model, {day.isoformat()}",
    )


def fit_mag(readings: Readings, field: EarthField, made: datetime) -> MagFit:
    """Fit a magnetometer to readings taken while the sensor was turned over in the hand.

    Parameters
    ----------
    readings : Readings
        With `mag`; 30 s or more, slowly, at one spot.
    field : EarthField
        Strength and dip at the place.
    made : datetime
        When the readings were taken.

    Raises
    ------
    Refused
        No magnetometer, saturated, sides not shown, or a magnet or iron near.
    """
    if readings.mag is None:
        raise Refused("This sensor has no magnetometer: leave the magnetometer steps out.", STEP)
    mag = _thin(readings.mag)
    first = fit_sphere(mag, field.strength_ut, PRIOR, ASSUMED_SD_UT, centre=True)
    corrected = (mag - first.bias) @ first.matrix
    _refuse_poor_coverage(corrected)
    rms = float(np.sqrt(np.mean(first.residuals**2)))
    if rms > 2 * MAG_RMS_UT:
        raise Refused(
            f"The field is not the same everywhere (off by {rms:.1f} uT): a magnet, a phone or iron"
            f" is near. Go 1 m away from it and repeat {STEP}.",
            STEP,
        )
    factor = _serial_factor(first)
    dip = _dip_residual(readings, first, field)
    verdict, findings = _judge(rms, dip)
    return MagFit(
        made=made,
        method=METHOD,
        verdict=verdict,
        findings=findings,
        bias_ut=as_triple(first.bias),
        bias_u95_ut=as_triple(factor * first.bias_u95),
        matrix=as_matrix(first.matrix),
        matrix_u95=as_matrix(factor * first.matrix_u95),
        field_ut=field.strength_ut,
        field_source=field.source,
        rms_ut=rms,
        dip_residual_rad=dip,
        n_samples=len(mag),
    )


def cells_filled(directions: Array) -> int:
    """How many of the 60 cells of the sphere the directions (n, 3) reach: progress for the walk."""
    unit = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    return len(np.unique((unit @ fibonacci(_CELLS).T).argmax(axis=1)))


def _thin(mag: Array, most: int = 1500) -> Array:
    """Evenly along the way, so that resting in one pose does not outweigh the others."""
    way = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(mag, axis=0), axis=1))])
    marks = np.linspace(0, way[-1], min(most, len(mag)))
    kept: Array = mag[np.unique(np.searchsorted(way, marks).clip(max=len(mag) - 1))]
    return kept


def _refuse_poor_coverage(corrected: Array) -> None:
    filled = cells_filled(corrected)
    if len(corrected) < 100 or filled < LEAST_CELLS:
        raise Refused(
            f"The sensor was shown to {filled} of {_CELLS} directions and {LEAST_CELLS} are"
            f" needed: turn every side of it up, down and round, repeat {STEP}.",
            STEP,
        )


def _serial_factor(sphere: Sphere) -> float:
    """Widening for residuals that follow each other: sqrt((1 + rho) / (1 - rho))."""
    r = sphere.residuals
    rho = min(0.98, max(0.0, float(r[1:] @ r[:-1]) / float(r @ r)))
    widening = math.sqrt((1 + rho) / (1 - rho))
    redundant = max(3.0, len(r) * (1 - rho) / (1 + rho) - 9)
    return widening * student_t95(redundant) / sphere.coverage_factor


def _dip_residual(readings: Readings, sphere: Sphere, field: EarthField) -> float | None:
    """Mean angle between the field and the horizon while nearly still, minus the model's."""
    if readings.mag is None:
        return None
    length = np.linalg.norm(readings.acc, axis=1)
    calm = np.abs(length - np.median(length)) < 0.3
    if calm.sum() < 100:
        return None
    mag = (readings.mag[calm] - sphere.bias) @ sphere.matrix
    acc = readings.acc[calm]
    sine: Array = -np.sum(mag * acc, axis=1) / np.linalg.norm(mag, axis=1) / length[calm]
    return float(np.mean(np.arcsin(np.clip(sine, -1, 1)))) - field.dip_rad


def _judge(rms: float, dip: float | None) -> tuple[Verdict, tuple[str, ...]]:
    verdicts, findings = [Verdict.GREEN], []
    if rms > MAG_RMS_UT:
        verdicts.append(Verdict.AMBER)
        findings.append(
            f"The field varies by {rms:.1f} uT, the limit is {MAG_RMS_UT} uT: repeat {STEP}"
            f" farther from iron."
        )
    if dip is not None and abs(dip) > MAG_DIP_RAD:
        verdicts.append(Verdict.AMBER)
        findings.append(
            f"The field's dip is {math.degrees(dip):+.1f} deg off the model: iron is near, or the"
            f" magnetometer is turned against the accelerometer."
        )
    return worst(*verdicts), tuple(findings)
