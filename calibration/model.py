"""The records of a calibration: what was found, how sure it is, by which method, until when.

One `SensorCalibration` per sensor holds whatever was done with it. `u95` is the half-width of the
interval that holds the true value in 95 of 100 cases, Student's t included. Everything is frozen,
SI, and survives the trip through TOML unchanged.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from .limits import VALID_DAYS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Triple = tuple[float, float, float]
Matrix = tuple[Triple, Triple, Triple]
SCHEMA: Literal["calibration/1.0"] = "calibration/1.0"


def _invertible(matrix: Matrix) -> Matrix:
    if abs(float(np.linalg.det(np.array(matrix)))) < 0.1:
        raise ValueError("expected a matrix near the identity, its determinant is near zero")
    return matrix


Correction = Annotated[Matrix, AfterValidator(_invertible)]


class Verdict(StrEnum):
    """How a figure stands against its limits, as a traffic light."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"

    @property
    def rank(self) -> int:
        """0 for green, 1 for amber, 2 for red."""
        return list(Verdict).index(self)


def worst(*verdicts: Verdict) -> Verdict:
    """Return the worst of the verdicts, green for none."""
    return max(verdicts, key=lambda v: v.rank, default=Verdict.GREEN)


class Record(BaseModel):
    """Base of the records: frozen, and a wrong name is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Fit(Record):
    """What every procedure states about itself.

    Attributes
    ----------
    made : datetime
        When the readings were taken.
    method : str
        Algorithm and its version, `name@version`.
    verdict : Verdict
        Against the limits of `limits.py`.
    findings : tuple of str
        One sentence each: what is amiss, and which step mends it.
    """

    made: AwareDatetime
    method: str
    verdict: Verdict
    findings: tuple[str, ...] = ()

    @property
    def valid_until(self) -> datetime:
        """The end of the validity; `VALID_DAYS` says how long each kind holds."""
        return self.made + timedelta(days=VALID_DAYS[self.method.partition("@")[0]])

    def is_valid(self, now: datetime) -> bool:
        """Whether the fit is trusted at `now`."""
        return self.verdict is not Verdict.RED and now <= self.valid_until


class AccelFit(Fit):
    """Accelerometer: `acc = matrix @ (reading - bias)`, in the sensor frame.

    The matrix is symmetric: still poses cannot tell a rotation of the whole chip, so the sensor
    frame is by definition the one nearest to the three measuring axes.
    """

    bias_mps2: Triple
    bias_u95_mps2: Triple
    matrix: Correction
    matrix_u95: Matrix
    error_u95_mps2: float = Field(description="Worst direction of gravity, after calibration")
    pose_rms_mps2: float
    left_out_rms_mps2: float = Field(description="Each pose predicted from the others")
    residuals_mps2: tuple[float, ...] = Field(default=(), description="Of each pose")
    gravity_mps2: float
    gravity_u95_mps2: float = Field(default=0.0, description="Shared by all poses")
    n_poses: int
    form: Literal["poses", "six"]


class GyroFit(Fit):
    """Gyroscope: `gyr = matrix @ (reading - bias - slope * (temperature - reference))`."""

    bias_radps: Triple
    bias_u95_radps: Triple
    reference_temperature_c: float | None = None
    bias_slope_radps_per_k: Triple | None = None
    bias_slope_u95_radps_per_k: Triple | None = None
    matrix: Correction = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    matrix_u95: Matrix | None = Field(default=None, description="None: no turns were counted")
    turn_rms_rad: float | None = None
    n_turns: int = 0


class MagFit(Fit):
    """Magnetometer: `mag = matrix @ (reading - bias)`; the symmetric matrix as above."""

    bias_ut: Triple
    bias_u95_ut: Triple
    matrix: Correction
    matrix_u95: Matrix
    field_ut: float = Field(description="Strength that the sphere was fitted to")
    field_source: str
    rms_ut: float
    dip_residual_rad: float | None = Field(
        default=None, description="Mean dip against gravity minus the model's; None: not checked"
    )
    n_samples: int


class NoiseFit(Fit):
    """White noise and bias instability from a long rest."""

    acc_density_mps2_rthz: Triple
    gyr_density_radps_rthz: Triple
    acc_instability_mps2: Triple
    gyr_instability_radps: Triple
    rest_s: float
    allan_tau_s: tuple[float, ...]
    allan_acc_mps2: tuple[Triple, ...]
    allan_gyr_radps: tuple[Triple, ...]


class TimingFit(Fit):
    """Offset of the sensor's host time against the reference sensor, by shared taps."""

    reference: str
    offset_s: float = Field(description="This sensor late is positive")
    offset_u95_s: float
    n_taps: int


class Verification(Fit):
    """A minute of still poses held against the certificate."""

    worst_error_mps2: float = Field(description="Of gravity's length, any pose")
    rms_error_mps2: float
    gyro_bias_radps: float = Field(description="Greatest rate at rest, any axis, corrected")
    n_poses: int


class SensorCalibration(Record):
    """All that is known of one sensor: what the file on disk holds."""

    schema_: Literal["calibration/1.0"] = Field(default=SCHEMA, alias="schema")
    sensor: str
    chip: str = ""
    hardware_id: str = ""
    software: str = ""
    accel: AccelFit | None = None
    gyro: GyroFit | None = None
    mag: MagFit | None = None
    noise: NoiseFit | None = None
    timing: TimingFit | None = None
    verification: Verification | None = None

    @property
    def fits(self) -> dict[str, Fit]:
        """The procedures that were done, by name."""
        found = {name: getattr(self, name) for name in FITS}
        return {name: fit for name, fit in found.items() if fit is not None}

    @property
    def calibration_id(self) -> str:
        """Twelve hexadecimal digits that change with any figure of the record."""
        text = json.dumps(self.as_written(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def as_written(self) -> dict[str, Any]:
        """The record as plain values: what a file or a recording's header holds."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    def flags(self, now: datetime, hardware_id: str = "") -> tuple[str, ...]:
        """What every result made with this calibration must say at `now`.

        Parameters
        ----------
        now : datetime
            Aware; the moment of measurement.
        hardware_id : str
            What the connected sensor calls itself, empty if it cannot say.

        Returns
        -------
        tuple of str
            `calibration_mismatch`, `uncalibrated:NAME`, `calibration_expired:NAME`,
            `calibration_rejected:NAME`; empty when all is well.
        """
        mismatch = bool(hardware_id and self.hardware_id and hardware_id != self.hardware_id)
        flags = ["calibration_mismatch"] if mismatch else []
        missing = [name for name in ("accel", "gyro") if name not in self.fits]
        flags += [f"uncalibrated:{name}" for name in missing]
        for name, fit in self.fits.items():
            if fit.verdict is Verdict.RED:
                flags.append(f"calibration_rejected:{name}")
            elif now > fit.valid_until:
                flags.append(f"calibration_expired:{name}")
        return tuple(flags)


def as_triple(values: Array) -> Triple:
    """(3,) array as the records hold it."""
    x, y, z = (float(v) for v in values)
    return x, y, z


def as_matrix(values: Array) -> Matrix:
    """(3, 3) array as the records hold it."""
    a, b, c = (as_triple(row) for row in values)
    return a, b, c


FITS = ("accel", "gyro", "mag", "noise", "timing")


def now_utc() -> datetime:
    """Return the present moment, to the second, as the records hold it."""
    return datetime.now(UTC).replace(microsecond=0)
