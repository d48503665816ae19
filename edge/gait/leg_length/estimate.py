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
from .level import obliquity
from .rounding import NORMAL_95, around_mm, deg, mm
from .walking_figures import disagrees, walking_figures
from .zero import SPREADS, K, Posture, pooled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.results import Person
    from edge.timegrid import Span

    from .evidence import Evidence
    from .phases import Phase

DEFAULT_WIDTH_SPREAD = 0.06
# Where less than this share of a board reaches the hips, no board will level them.
LEAST_REACHED = 0.25


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
    walking = walking_figures(evidence)
    refused = "; ".join(reasons(evidence)) or None
    marks = flags(evidence)
    if disagrees(walking):
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
        known |= {"hip_width_mm": mm(width), "hip_width_sd_mm": mm(width_sd)}
    # Without a hip width the angle is the answer; with any other fault it is as wrong as the mm.
    if refused is None or (width is None and len(reasons(evidence)) == 1):
        half = NORMAL_95 * K * angle_sd
        known["obliquity_deg"] = deg(angle)
        known["obliquity_interval_deg"] = (deg(angle - half), deg(angle + half))
    if refused is not None or width is None:
        return known
    value = width * np.sin(angle)
    sd = K * np.hypot(width * np.cos(angle) * angle_sd, np.sin(angle) * width_sd)
    interval_mm = around_mm(value, sd)
    return known | {
        "difference_mm": mm(value),
        "sd_mm": mm(sd),
        "interval_mm": interval_mm,
        "longer_side": _longer(*interval_mm),
        **{f"p_abs_ge_{size}": _share_beyond(value, sd, size / 1e3) for size in (5, 10, 20)},
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
        sd = float(np.hypot(board.sd_m, board.change_m * width_sd / width))
        changes.append(
            BoardChange(
                board_mm=abs(board.lift_mm),
                board_side=board.side,
                change_mm=mm(board.change_m),
                interval_mm=around_mm(board.change_m, sd),
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
    if not width or lifts is None:
        return {}
    reached = 1.0 - lifts.hidden_share(width)
    if reached < LEAST_REACHED:
        return {}
    board = abs(value) / reached
    return {
        "levelling_board_mm": mm(board),
        "levelling_board_sd_mm": mm(np.hypot(sd, board * width * lifts.slope_sd) / reached),
    }


def _together(standing: dict[str, Any], walking: dict[str, Any]) -> dict[str, Any]:
    """Share of the difference that shows as D."""
    value, sd = standing.get("difference_mm"), standing.get("sd_mm")
    height = walking.get("pelvic_midstance_difference_mm")
    if value is None or sd is None or height is None or abs(value) <= 2 * sd:
        return {}
    return {"share_seen_walking": round(height / value, 2)}
