"""Quiet standing and sitting: the pelvis sensor's mean up direction, trial by trial.

Raw specific force in, unit vectors in the sensor frame out. A half-turn on the same spot turns
the slope of the floor round and leaves everything else as it is, so a trial counts only together
with its partner that faces the other way (docs/leg-length.md, "What each trial removes").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .level import unit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from .phases import Phase

GRAVITY = 9.81
# Sway is judged on half-second means: sensor noise and the heart beat are none of it.
SWAY_WINDOW_S = 0.5
SHORTEST_S = 4.0
MOST_SWAY_RAD = np.radians(0.5)
# From the first to the last third. Somebody told to stand still for ten seconds drifted by 0.46
# (a real recording); half of 0.6 is still less than standing anew scatters.
MOST_DRIFT_RAD = np.radians(0.6)
LEAST_VALID_SHARE = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One phase of standing or sitting still.

    Attributes
    ----------
    phase : Phase
        What was asked of the person.
    up : (3,) float64
        Unit vector that points up, sensor frame.
    acc_mps2 : float
        Norm of the mean specific force.
    gyr : (3,) float64
        Mean angular rate, rad/s: at rest this is the gyroscope's bias.
    sway_rad, drift_rad : float
        SD of the direction about its mean; angle between the first and the last third.
    fault : str or None
        Why the trial must be repeated.
    """

    phase: Phase
    up: NDArray[np.float64]
    acc_mps2: float
    gyr: NDArray[np.float64]
    sway_rad: float
    drift_rad: float
    fault: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """The two facings of one placement.

    Attributes
    ----------
    up : (3,) float64
        Unit vector up, free of the floor's slope.
    half_difference : (3,) float64
        Half of facing a minus facing b: the floor's slope and posture scatter.
    n_trials : int
        Trials that went into it.
    """

    up: NDArray[np.float64]
    half_difference: NDArray[np.float64]
    n_trials: int


def read_trial(
    phase: Phase,
    rate_hz: float,
    acc: NDArray[np.float64],
    gyr: NDArray[np.float64],
    valid: NDArray[np.bool_],
) -> Trial:
    """Mean direction of one still trial, and whether it was still.

    Parameters
    ----------
    phase : Phase
        The label of the trial.
    rate_hz : float
        Samples a second.
    acc, gyr : (n, 3) float64
        Calibrated pelvis sensor, m/s2 and rad/s, sensor frame.
    valid : (n,) bool
        False where a sample was not measured.

    Returns
    -------
    Trial
        With a `fault` where it was too short, moved, or lacks samples.
    """
    if len(acc) < SHORTEST_S * rate_hz or np.count_nonzero(valid) < SHORTEST_S * rate_hz:
        nowhere = np.full(3, np.nan)
        short = f"only {np.count_nonzero(valid) / rate_hz:.0f} s were recorded"
        return Trial(phase, nowhere, np.nan, nowhere, np.nan, np.nan, short)
    mean = acc[valid].mean(axis=0)
    norm = float(np.linalg.norm(mean))
    up = mean / norm
    n = max(round(SWAY_WINDOW_S * rate_hz), 1)
    whole = len(acc) // n * n
    windows = unit(acc[:whole].reshape(-1, n, 3).mean(axis=1))
    sway = float(np.sqrt(np.mean(np.sum((windows - up) ** 2, axis=1))))
    third = len(acc) // 3
    drift = float(np.linalg.norm(acc[-third:].mean(axis=0) - acc[:third].mean(axis=0)) / norm)
    fault = _fault(sway, drift, float(valid.mean()))
    return Trial(phase, up, norm, gyr[valid].mean(axis=0), sway, drift, fault)


def _fault(sway_rad: float, drift_rad: float, valid_share: float) -> str | None:
    if valid_share < LEAST_VALID_SHARE:
        return f"{100 * (1 - valid_share):.0f} % of the samples are missing"
    if sway_rad > MOST_SWAY_RAD:
        return f"the pelvis swayed by {np.degrees(sway_rad):.1f} deg"
    if drift_rad > MOST_DRIFT_RAD:
        return f"the pelvis drifted by {np.degrees(drift_rad):.1f} deg"
    return None


def pair_facings(trials: Iterable[Trial]) -> Pair | None:
    """Put both facings of one placement together, or give None where one of them is missing."""
    good = [t for t in trials if t.fault is None]
    facing_a = [t.up for t in good if t.phase.facing == "a"]
    facing_b = [t.up for t in good if t.phase.facing == "b"]
    if not facing_a or not facing_b:
        return None
    a, b = np.mean(facing_a, axis=0), np.mean(facing_b, axis=0)
    return Pair(unit((a + b) / 2), (a - b) / 2, len(good))


def pair_placements(trials: Iterable[Trial]) -> list[Pair]:
    """Pairs of all placements that have both facings, in order."""
    placements: dict[int, list[Trial]] = {}
    for trial in trials:
        placements.setdefault(trial.phase.placement, []).append(trial)
    pairs = (pair_facings(placements[k]) for k in sorted(placements))
    return [pair for pair in pairs if pair is not None]
