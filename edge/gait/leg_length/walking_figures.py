"""What walking adds to the result: D, walking minus standing, the second opinion from lifts."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from .level import obliquity
from .rounding import around_mm, mm
from .walks import titrate
from .zero import SPREADS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .evidence import Evidence
    from .walks import Walked

FEWEST_STRIDES = 30
LEAST_SPEED_MPS = 0.6
# Of D: a sensor 8 mm off the mid-line, as worn by eye.
LEVER_SD_M = 0.0009
# Of walking against standing: skin that turns between the two.
SKIN_SHIFT_SD_RAD = np.radians(0.4)
# Strides of one walk are more alike than those of two: from walk to walk D scatters that much
# more than the strides of one tell (40 walks of 10 people, docs/leg-length.md, "On real people").
WALKS_OVER_STRIDES = 1.5


def walking_figures(evidence: Evidence) -> dict[str, Any]:
    """D, walking minus standing, titration; or why not."""
    walked = evidence.walked.get(0.0)
    why = _no_walking(evidence, walked)
    if walked is None or why is not None:
        return {"walking_refused": why, "n_strides": 0 if walked is None else len(walked)}
    height, height_sd = _height(walked)
    result: dict[str, Any] = {
        "n_strides": len(walked),
        "pelvic_midstance_difference_mm": mm(height),
        "pelvic_midstance_difference_interval_mm": around_mm(height, height_sd),
    }
    if len(walked.speed_mps):
        result["speed_mps"] = round(float(walked.speed_mps.mean()), 3)
    width = evidence.person.hip_width_m
    if width and evidence.pairs:
        standing = np.sin(obliquity(evidence.axis, evidence.up))
        tilt = walked.slope - standing
        disagreement = float(height + width * tilt.mean())
        each = walked.height_m + width * tilt
        sd = _disagreement_sd(evidence, width, _mean_sd(each))
        result["dynamic_minus_standing_mm"] = mm(disagreement)
        result["dynamic_minus_standing_interval_mm"] = around_mm(disagreement, sd)
    titration = titrate(evidence.walked, FEWEST_STRIDES)
    if titration is not None:
        result["walking_titration_mm"] = mm(titration.difference_m)
        result["walking_titration_sd_mm"] = mm(titration.sd_m)
    return result


def _no_walking(evidence: Evidence, walked: Walked | None) -> str | None:
    if walked is None:
        return "nobody walked"
    if evidence.person.walking_aid:
        return "with a walking aid the pelvis is carried by the arms as well"
    if len(walked) < FEWEST_STRIDES:
        return f"{len(walked)} steady strides, {FEWEST_STRIDES} are needed"
    speed = float(walked.speed_mps.mean()) if len(walked.speed_mps) else LEAST_SPEED_MPS
    if speed < LEAST_SPEED_MPS:
        return f"{speed:.2f} m/s is too slow, {LEAST_SPEED_MPS} m/s are needed"
    return None


def _height(walked: Walked) -> tuple[float, float]:
    """D and its SD, m."""
    height = walked.height_m
    return float(height.mean()), float(np.hypot(_mean_sd(height), LEVER_SD_M))


def _mean_sd(strides: NDArray[np.float64]) -> float:
    """SD of a mean over the strides of one walk."""
    return WALKS_OVER_STRIDES * float(strides.std(ddof=1)) / sqrt(len(strides))


def _disagreement_sd(evidence: Evidence, width: float, strides_sd: float) -> float:
    """SD of walking minus standing, m: the mounting is in both and stays out."""
    n = sum(pair.n_trials for pair in evidence.pairs)
    posture = SPREADS.posture / sqrt(n)
    angles = width * np.hypot(posture, SKIN_SHIFT_SD_RAD)
    return float(np.linalg.norm([angles, strides_sd, LEVER_SD_M]))


def disagrees(walking: dict[str, Any]) -> bool:
    """Whether walking and standing differ by more than two SD."""
    interval = walking.get("dynamic_minus_standing_interval_mm")
    return interval is not None and not interval[0] <= 0.0 <= interval[1]
