"""When no difference may be given, and what to say beside one that is given.

Two tables: every row of `REFUSALS` gives the reason why the number must not be published, every
row of `FLAGS` a caution. Limits and their grounds: docs/leg-length.md, "When there is no number".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sensors import Side

from .boards import LEAST_R2, MOST_HIDDEN
from .bows import LEAST_DEPTH_RAD
from .legs import MOST_FOOT_ROLL_RAD, MOST_HEEL_RISE_RAD, MOST_KNEE_RAD
from .level import obliquity
from .standing import GRAVITY

if TYPE_CHECKING:
    from collections.abc import Callable

    from .evidence import Evidence

FEWEST_PLACEMENTS = 3
FEWEST_BOWS = 4
MOST_PLACEMENT_RANGE_DEG = 1.5
MOST_BOW_SPREAD_DEG = 3.0
# 0.7 would refuse about one good protocol in eleven, with a posture scatter of 0.5 deg.
MOST_SHIFT_DEG = 1.2
# The slope of the floor shows twice.
MOST_HALF_TURN_DEG = 2.0
MOST_ACC_ERROR = 0.01
MOST_BMI = 35.0
CONDITIONS = {
    "scoliosis": "scoliosis",
    "pelvic_deformity": "a deformity of the pelvis",
    "hip_contracture": "a hip contracture",
    "prosthesis": "a prosthesis with a socket",
}


def reasons(evidence: Evidence) -> list[str]:
    """Why no difference may be given; empty where one may."""
    found = (rule(evidence) for rule in REFUSALS)
    return [reason for reason in found if reason]


def flags(evidence: Evidence) -> list[str]:
    """Cautions that belong beside the number."""
    return [name for name, applies in FLAGS.items() if applies(evidence)]


def _intake(evidence: Evidence) -> str | None:
    ticked = [CONDITIONS[c] for c in evidence.person.conditions]
    return f"the intake names {' and '.join(ticked)}" if ticked else None


def _bmi(evidence: Evidence) -> str | None:
    person = evidence.person
    if person.weight_kg is None or not person.height_m or person.high_bmi_accepted:
        return None
    bmi = person.weight_kg / person.height_m**2
    return f"the BMI is {bmi:.0f}, above {MOST_BMI:.0f}" if bmi > MOST_BMI else None


def _calibration(evidence: Evidence) -> str | None:
    norm = np.mean([t.acc_mps2 for t in evidence.trials if t.fault is None])
    error = norm / GRAVITY - 1.0
    if abs(error) <= MOST_ACC_ERROR:
        return None
    return f"the accelerometer is {100 * error:+.1f} % off gravity: calibrate the pelvis sensor"


def _half_turn(evidence: Evidence) -> str | None:
    if not evidence.pairs:
        return "no placement was stood in both directions (half-turn)"
    turn = np.mean([2 * p.half_difference for p in evidence.pairs], axis=0)
    between = abs(np.degrees(turn @ evidence.left))
    if between <= MOST_HALF_TURN_DEG:
        return None
    return f"both directions differ by {between:.1f} deg: the floor slopes, choose a level spot"


def _placements(evidence: Evidence) -> str | None:
    n = len(evidence.pairs)
    if not n or n >= FEWEST_PLACEMENTS:
        return None
    return f"only {n} of {FEWEST_PLACEMENTS} placements have both directions"


def _placement_range(evidence: Evidence) -> str | None:
    if not evidence.pairs:
        return None
    angles = [obliquity(evidence.left, p.up) for p in evidence.pairs]
    width = np.degrees(np.ptp(angles))
    if width <= MOST_PLACEMENT_RANGE_DEG:
        return None
    return f"the placements differ by {width:.1f} deg: stand again"


def _bows(evidence: Evidence) -> str | None:
    if evidence.bows is None:
        return None
    depth = np.degrees(np.median([b.depth_rad for b in evidence.bows])) if evidence.bows else 0.0
    if depth < np.degrees(LEAST_DEPTH_RAD):
        return f"the bows went down by {depth:.0f} deg only, 30 to 45 are needed"
    n = 0 if evidence.line is None else len(evidence.line)
    if evidence.line is None or n < FEWEST_BOWS:
        return f"only {n} bows count, {FEWEST_BOWS} are needed"
    spread = np.degrees(evidence.line.spread_rad)
    if spread > MOST_BOW_SPREAD_DEG:
        return f"the axes of the bows spread by {spread:.1f} deg (SD): bow again, knees straight"
    return None


def _zero_reference(evidence: Evidence) -> str | None:
    if evidence.posture is not None or evidence.bows is not None:
        return None
    return (
        "there is no zero reference: bows, or a landmark caliper"
        if not evidence.seated
        else "the seat is no zero reference without bows: the yaw of the sensor is not known"
    )


def _shift(evidence: Evidence) -> str | None:
    if evidence.repeat is None:
        return None
    left = evidence.left
    shift = np.degrees(obliquity(left, evidence.repeat.up) - obliquity(left, evidence.up))
    if abs(shift) <= MOST_SHIFT_DEG:
        return None
    return f"standing at the end differs by {abs(shift):.1f} deg: the pelvis sensor has moved"


def _disagreement(evidence: Evidence) -> str | None:
    return None if evidence.posture is None else evidence.posture.disagreement


def _hip_width(evidence: Evidence) -> str | None:
    if evidence.person.hip_width_m:
        return None
    return "there is no hip-centre width: the difference is given in degrees only"


REFUSALS: tuple[Callable[[Evidence], str | None], ...] = (
    _intake,
    _bmi,
    _calibration,
    _half_turn,
    _placements,
    _placement_range,
    _zero_reference,
    _bows,
    _shift,
    _disagreement,
    _hip_width,
)


def _hides_boards(evidence: Evidence) -> bool:
    lifts, width = evidence.lifts, evidence.person.hip_width_m
    return bool(lifts and width and abs(lifts.hidden_share(width)) > MOST_HIDDEN)


def _beyond(value: float | None, limit: float) -> bool:
    return value is not None and abs(value) > limit


def _rises(side: Side) -> Callable[[Evidence], bool]:
    # One way only: a foot that is toe up at mid-stance does not lift the hip.
    return lambda e: (e.legs.heel_rise_rad[side] or 0.0) > MOST_HEEL_RISE_RAD


FLAGS: dict[str, Callable[[Evidence], bool]] = {
    "posture_compensates": _hides_boards,
    "boards_not_linear": lambda e: e.lifts is not None and e.lifts.r2 < LEAST_R2,
    "knee_bends_on_one_side": lambda e: _beyond(e.legs.knee_rad, MOST_KNEE_RAD),
    "feet_roll_differently": lambda e: _beyond(e.legs.foot_roll_rad, MOST_FOOT_ROLL_RAD),
    "vaulting_left": _rises(Side.LEFT),
    "vaulting_right": _rises(Side.RIGHT),
    "shoe_insert": lambda e: e.person.shoe_insert,
    "trials_rejected": lambda e: any(t.fault for t in e.trials),
    "sensor_shift_unchecked": lambda e: e.repeat is None,
    "seat_not_used": lambda e: e.seated and (e.seat is None or e.line is None),
}
