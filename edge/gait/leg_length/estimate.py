"""The difference with its interval, D, walking minus standing, boards: the result of a protocol.

`LLD = W sin(phi)`. Its variance is that of the references, of the posture scatter, of what the
accelerometer and its alignment to the gyroscope leave, and of the hip width; the whole is widened
where the references disagree (Birge) and always by `K`, because the spreads are assumptions.
"""

from __future__ import annotations

from math import erf, sqrt
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from edge.results import BoardChange, LegLength

from .checks import flags, reasons
from .evidence import gather
from .walks import titrate
from .zero import SPREADS, K, Posture, obliquity, pooled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.results import Person
    from edge.timegrid import Span

    from .evidence import Evidence
    from .phases import Phase
    from .walks import Walked

NORMAL_95 = 1.96
DEFAULT_WIDTH_SPREAD = 0.06
FEWEST_STRIDES = 30
LEAST_SPEED_MPS = 0.6
# Of D: a sensor 8 mm off the mid-line, as worn by eye. Of walking against standing: skin that
# turns between the two.
LEVER_SD_M = 0.0009
# Strides of one walk are more alike than those of two: from walk to walk D scatters that much
# more than the strides of one tell (40 walks of 10 people, docs/leg-length.md, "On real people").
WALKS_OVER_STRIDES = 1.5
SKIN_SHIFT_SD_RAD = np.radians(0.4)


def estimate_leg_length(span: Span, phases: Sequence[Phase], person: Person) -> LegLength:
    """Functional leg-length asymmetry of one clinic protocol.

    Parameters
    ----------
    span : Span
        The whole recording, calibrated; pelvis needed, feet for everything while walking, shanks
        for a check.
    phases : sequence of Phase
        What the person did when.
    person : Person
        Hip-centre width and its SD, caliper reading, intake.

    Returns
    -------
    LegLength
        With `refused` and no difference where a rule of `checks` forbids one. Walking figures
        and boards, which need no zero reference, are given all the same.
    """
    evidence = gather(span, phases, person)
    if evidence is None:
        return LegLength(
            difference_mm=None,
            refused="there is no still standing with the pelvis sensor",
        )
    walking = _walking(evidence)
    refused = "; ".join(reasons(evidence)) or None
    marks = flags(evidence)
    if _beyond_two_sd(walking):
        marks.append("standing_and_walking_disagree")
    standing = {} if evidence.posture is None else _standing(evidence, evidence.posture, refused)
    return LegLength.model_validate(
        {
            "difference_mm": None,
            "refused": refused,
            "n_placements": len(evidence.pairs),
            "n_bows": 0 if evidence.line is None else len(evidence.line),
            "flags": tuple(marks),
            **_boards(evidence),
            **walking,
            **standing,
            **_together(standing, walking),
        }
    )


def _standing(evidence: Evidence, posture: Posture, refused: str | None) -> dict[str, Any]:
    """Obliquity and, where allowed, the difference."""
    angle, angle_sd = posture.obliquity_rad, _angle_sd(evidence, posture)
    known: dict[str, Any] = {"references_used": posture.references, "k_factor": K}
    width, width_sd = hip_width(evidence.person)
    if width is not None:
        known |= {"hip_width_mm": _mm(width), "hip_width_sd_mm": _mm(width_sd)}
    # Without a hip width the angle is the answer; with any other fault it is as wrong as the mm.
    if refused is None or (width is None and len(reasons(evidence)) == 1):
        half = NORMAL_95 * K * angle_sd
        known["obliquity_deg"] = _deg(angle)
        known["obliquity_interval_deg"] = (_deg(angle - half), _deg(angle + half))
    if refused is not None or width is None:
        return known
    value = width * np.sin(angle)
    sd = K * np.hypot(width * np.cos(angle) * angle_sd, np.sin(angle) * width_sd)
    interval = (value - NORMAL_95 * sd, value + NORMAL_95 * sd)
    return known | {
        "difference_mm": _mm(value),
        "sd_mm": _mm(sd),
        "interval_mm": (_mm(interval[0]), _mm(interval[1])),
        "longer_side": _longer(*interval),
        **{f"p_abs_ge_{mm}": _share_beyond(value, sd, mm / 1e3) for mm in (5, 10, 20)},
        **_levelling(evidence, float(value), float(sd)),
    }


def _angle_sd(evidence: Evidence, posture: Posture) -> float:
    """SD of the standing obliquity before `K`, rad."""
    n = max(sum(pair.n_trials for pair in evidence.pairs), 1)
    angles = np.array([obliquity(evidence.axis, pair.up) for pair in evidence.pairs])
    # A pair is the mean of two trials.
    scatter = pooled(SPREADS.posture, np.sqrt(2) * angles) / sqrt(n)
    left = np.array([scatter, SPREADS.acc_bias, SPREADS.misalignment])
    return float(np.hypot(posture.zero_sd_rad * posture.misfit, np.linalg.norm(left)))


def hip_width(person: Person) -> tuple[float | None, float]:
    """Hip-centre width and its SD, m."""
    width = person.hip_width_m
    if not width:
        return None, 0.0
    return width, person.hip_width_sd_m or DEFAULT_WIDTH_SPREAD * width


def _longer(low: float, high: float) -> Literal["right", "left", "undetermined"]:
    if low > 0:
        return "right"
    return "left" if high < 0 else "undetermined"


def _share_beyond(value: float, sd: float, limit: float) -> float:
    """Probability that the difference is at least `limit` either way."""

    def below(x: float) -> float:
        return 0.5 * (1.0 + erf((x - value) / (sd * sqrt(2))))

    return round(1.0 - below(limit) + below(-limit), 3)


def _boards(evidence: Evidence) -> dict[str, Any]:
    width, width_sd = hip_width(evidence.person)
    lifts = evidence.lifts
    if width is None or lifts is None:
        return {}
    changes = []
    for board in evidence.boards:
        half = NORMAL_95 * np.hypot(board.sd_m, board.change_m * width_sd / width)
        interval = (_mm(board.change_m - half), _mm(board.change_m + half))
        changes.append(
            BoardChange(
                board_mm=abs(board.lift_mm),
                board_side=board.side,
                change_mm=_mm(board.change_m),
                interval_mm=interval,
            )
        )
    return {
        "boards": tuple(changes),
        "lift_slope_deg_per_mm": round(float(np.degrees(lifts.slope_rad_per_m)) / 1e3, 4),
        "hidden_share_c": round(lifts.hidden_share(width), 3),
    }


def _levelling(evidence: Evidence, value: float, sd: float) -> dict[str, Any]:
    """Board under the shorter side that would level the hips, by the person's own slope."""
    width, lifts = evidence.person.hip_width_m, evidence.lifts
    if not width or lifts is None or lifts.hidden_share(width) > 0.75:
        return {}
    reached = 1.0 - lifts.hidden_share(width)
    return {
        "levelling_board_mm": _mm(abs(value) / reached),
        "levelling_board_sd_mm": _mm(sd / reached),
    }


def _walking(evidence: Evidence) -> dict[str, Any]:
    """D, walking minus standing, titration; or why not."""
    walked = evidence.walked.get(0.0)
    why = _no_walking(evidence, walked)
    if walked is None or why is not None:
        return {"walking_refused": why, "n_strides": 0 if walked is None else len(walked)}
    height, height_sd = _height(walked)
    result: dict[str, Any] = {
        "n_strides": len(walked),
        "pelvic_midstance_difference_mm": _mm(height),
        "pelvic_midstance_difference_interval_mm": _around(height, height_sd),
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
        result["dynamic_minus_standing_mm"] = _mm(disagreement)
        result["dynamic_minus_standing_interval_mm"] = _around(disagreement, sd)
    titration = titrate(evidence.walked, FEWEST_STRIDES)
    if titration is not None:
        result["walking_titration_mm"] = _mm(titration.difference_m)
        result["walking_titration_sd_mm"] = _mm(titration.sd_m)
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


def _beyond_two_sd(walking: dict[str, Any]) -> bool:
    interval = walking.get("dynamic_minus_standing_interval_mm")
    return interval is not None and not interval[0] <= 0.0 <= interval[1]


def _together(standing: dict[str, Any], walking: dict[str, Any]) -> dict[str, Any]:
    """Share of the difference that shows as D."""
    value, sd = standing.get("difference_mm"), standing.get("sd_mm")
    height = walking.get("pelvic_midstance_difference_mm")
    if value is None or sd is None or height is None or abs(value) <= 2 * sd:
        return {}
    return {"share_seen_walking": round(height / value, 2)}


def _around(value: float, sd: float) -> tuple[float, float]:
    return _mm(value - NORMAL_95 * sd), _mm(value + NORMAL_95 * sd)


def _mm(metres: float) -> float:
    return round(float(metres) * 1e3, 2)


def _deg(angle: float) -> float:
    return round(float(np.degrees(angle)), 3)
