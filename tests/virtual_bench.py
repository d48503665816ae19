"""A sensor with known errors on a technician's bench: what it would read at each step."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from calibration.fits.accel import POSES
from calibration.trial import Readings
from sensors import Block

GRAVITY = 9.81
RATE_HZ = 100.0


@dataclass(frozen=True)
class BenchSensor:
    """Errors drawn over the spread that data sheets state."""

    acc_matrix: np.ndarray
    acc_bias: np.ndarray
    gyr_matrix: np.ndarray
    gyr_bias: np.ndarray
    acc_noise: float = 0.02
    gyr_noise: float = np.radians(0.08)

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> BenchSensor:
        """Offsets 80 mg and 5 deg/s, scales 3 %, cross-axis 2 %, all independent."""
        return cls(
            _distorted(rng),
            rng.uniform(-0.78, 0.78, 3),
            _distorted(rng),
            np.radians(rng.uniform(-5, 5, 3)),
        )

    @property
    def to_sensor_frame(self) -> np.ndarray:
        """Rotation from the case to the frame that a symmetric correction can find."""
        u, _, vt = np.linalg.svd(self.acc_matrix)
        return u @ vt

    @property
    def acc_correction(self) -> np.ndarray:
        return self.to_sensor_frame @ np.linalg.inv(self.acc_matrix)

    @property
    def gyr_correction(self) -> np.ndarray:
        return self.to_sensor_frame @ np.linalg.inv(self.gyr_matrix)

    def read(self, rng, acc, gyr, mag=None, temperature_c=None) -> Readings:
        """True specific force and rate in the case frame, (n, 3), as the sensor reads them."""
        n = len(acc)
        return Readings(
            "bench",
            1000.0 + np.arange(n) / RATE_HZ,
            gyr @ self.gyr_matrix.T + self.gyr_bias + rng.normal(0, self.gyr_noise, (n, 3)),
            acc @ self.acc_matrix.T + self.acc_bias + rng.normal(0, self.acc_noise, (n, 3)),
            mag,
            np.zeros(n, dtype=bool),
            temperature_c,
        )

    def hold(self, rng, pose: str | np.ndarray, seconds=3.0, sd_rad=0.1, pose_error=0.003):
        """Still in a pose, held by hand to `sd_rad`, off by `pose_error` m/s2 as tables are."""
        up = POSES[pose] if isinstance(pose, str) else pose
        up = up + rng.normal(0, sd_rad, 3)
        up = GRAVITY * up / np.linalg.norm(up) + rng.normal(0, pose_error, 3)
        n = int(seconds * RATE_HZ)
        return self.read(rng, np.tile(up, (n, 1)), np.zeros((n, 3)))

    def turn(self, rng, face: str, turns=3, closing_sd_deg=1.0, tilt_sd_deg=0.05) -> Readings:
        """Lie on a face, be turned by whole turns about the vertical and closed by hand."""
        up = POSES[face] + rng.normal(0, 0.02, 3)
        up /= np.linalg.norm(up)
        angle = 2 * np.pi * turns + np.radians(rng.normal(0, closing_sd_deg))
        axis = up + np.radians(rng.normal(0, tilt_sd_deg, 3))
        rest, moving = np.zeros(200), np.hanning(1200)
        rate = np.concatenate([rest, moving / moving.sum() * angle * RATE_HZ, rest])
        acc = np.tile(GRAVITY * up, (len(rate), 1))
        return self.read(rng, acc, rate[:, None] * axis / np.linalg.norm(axis))


def _distorted(rng: np.random.Generator) -> np.ndarray:
    scale = np.diag(1 + rng.uniform(-0.03, 0.03, 3))
    return scale + rng.uniform(-0.02, 0.02, (3, 3)) * (1 - np.eye(3))


def as_block(readings: Readings, first_seq: int = 0) -> Block:
    """The readings as a driver would hand them on."""
    parts = [readings.gyr, readings.acc] + ([] if readings.mag is None else [readings.mag])
    values = np.concatenate(parts, axis=1)
    ns = np.round(readings.time_s * 1e9).astype(np.int64)
    return Block(
        readings.sensor,
        0,
        first_seq,
        ns,
        ns,
        values,
        np.ones(values.shape[1]),
        readings.saturated,
        1e-5,
    )


def tapped(rng, name, late_s, taps=8):
    """A plate knocked once a second: each knock rings out within 20 ms."""
    sensor = BenchSensor.drawn(rng)
    n = int((taps + 2) * RATE_HZ)
    phase = rng.uniform(0, 1 / RATE_HZ)
    t = np.arange(n) / RATE_HZ + phase
    acc = np.tile([0.0, 0.0, 9.81], (n, 1))
    for at in 1.0 + 1.013 * np.arange(taps):
        since = np.maximum(t - at, 0)
        acc[:, 2] += 60 * since / 0.008 * np.exp(-since / 0.008)
    readings = sensor.read(rng, acc, np.zeros((n, 3)))
    return replace(readings, sensor=name, time_s=50.0 + t + late_s)


def readings_for(step, sensor, rng):
    if step.turns:
        return sensor.turn(rng, f"{step.name[5]}_up", step.turns)
    pose = "z_up" if step.name.startswith("rest") else step.name
    return sensor.hold(rng, pose, seconds=step.seconds)
