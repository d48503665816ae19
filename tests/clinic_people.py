"""Many people who do the leg-length protocol, drawn with stated spreads; what came of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge.gait.leg_length import estimate_leg_length
from tests.clinic_person import Sensor, obliquity_of, person, usual

WIDTH_M = 0.172
SIZES_MM = (0, 5, -5, 10, -10, 15, -15, 20, -20)


@dataclass(frozen=True)
class Spread:
    """What people are drawn with, deg; the estimator is told nothing of it."""

    bow_person: float = 0.8
    bow_each: float = 1.5
    posture: float = 0.5
    seat: float = 1.1
    caliper: float = 1.3
    acc_bias_mg: float = 3.0


# People who are not what the estimator assumes.
WRONG = {
    "bow axis twice as bad": Spread(bow_person=1.6, bow_each=3.0),
    "posture twice as bad": Spread(posture=1.0),
    "everything 1.5 times": Spread(1.2, 2.25, 0.75, 1.65, 1.95),
    "accelerometer not calibrated, 20 mg": Spread(acc_bias_mg=20.0),
}


@dataclass(frozen=True)
class Outcome:
    """Of n people with a result: (n,) each, mm; and the share of protocols that was refused."""

    true_mm: np.ndarray
    estimate_mm: np.ndarray
    low_mm: np.ndarray
    high_mm: np.ndarray
    refused_share: float

    @property
    def error_mm(self) -> np.ndarray:
        return self.estimate_mm - self.true_mm

    @property
    def sd_mm(self) -> float:
        return float(self.error_mm.std(ddof=1))

    @property
    def coverage(self) -> float:
        return float(np.mean((self.low_mm <= self.true_mm) & (self.true_mm <= self.high_mm)))

    @property
    def half_width_mm(self) -> float:
        return float(np.mean(self.high_mm - self.low_mm) / 2)

    @property
    def side_stated(self) -> float:
        return float(np.mean((self.low_mm > 0) | (self.high_mm < 0)))

    @property
    def right_side(self) -> float:
        return float(np.mean(np.sign(self.estimate_mm) == np.sign(self.true_mm)))


def measure(references: str, spread: Spread, sizes_mm, n: int, seed: int = 1) -> Outcome:
    """Draw people until n of them have a result; `references` names bows, seat, caliper."""
    rng = np.random.default_rng(seed)
    rows, drawn = [], 0
    while len(rows) < n:
        drawn += 1
        true_mm = float(rng.choice(sizes_mm))
        result = _one(references, spread, true_mm / 1e3, rng)
        if result.refused is None:
            rows.append((true_mm, result.difference_mm, *result.interval_mm))
    return Outcome(*np.array(rows).T, 1 - n / drawn)


def _one(references: str, spread: Spread, true_m: float, rng: np.random.Generator):
    width_m = rng.normal(WIDTH_M, 0.010)
    sensor = Sensor.drawn(rng)
    sensor.acc_bias *= spread.acc_bias_mg / 3.0
    bows = rng.normal(0, spread.bow_person) + rng.normal(0, spread.bow_each, 6)
    yaws = rng.normal(0, 1.5) + rng.normal(0, 2.0, 6)
    protocol = usual(
        obliquity_of(true_m, width_m),
        sensor,
        rng.normal(0, 0.3),
        rng.normal(0, spread.posture, 8),
        bows,
        yaws,
        seconds=5,
    )
    if "seat" in references:
        error = rng.normal(0, spread.seat)
        protocol.sit(error)
        protocol.sit(error, "b")
    known = {}
    if "caliper" in references:
        reading = protocol.obliquity + rng.normal(0, spread.caliper)
        known["caliper_obliquity_rad"] = np.radians(reading)
    given_m = width_m * (1 + rng.normal(0, 0.06))
    return estimate_leg_length(protocol.span(), protocol.phases, person(given_m, **known))
