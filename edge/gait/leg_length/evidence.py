"""Everything the phases of one protocol tell, read once and in order.

Nothing is judged here: `checks` says what may be published, `estimate` writes it down.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from edge.gait.walking import analyse_walking
from sensors import Segment

from .boards import Board, Lifts, board_changes, fit_lifts
from .bows import Bow, HipLine, find_bows, hip_line
from .legs import Legs, look_at_legs
from .level import obliquity, unit
from .phases import Phase, cut
from .standing import Pair, Trial, pair_facings, pair_placements, read_trial
from .walks import Walked, measure_walk, together
from .zero import Posture, fit_posture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.gait.walk import Walk
    from edge.results import Person
    from edge.timegrid import Span

# Where neither bows nor feet say otherwise the sensor is taken to be worn with y to the left.
SENSOR_LEFT = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What was measured, before any judgement.

    Attributes
    ----------
    person : Person
        What is known of the person.
    trials : list of Trial
        All still trials.
    pairs : list of Pair
        Placements with both facings, no board, before the last one.
    repeat : Pair or None
        Standing once more at the end.
    bows : list of Bow or None
        None where bowing was no part of the protocol.
    line : HipLine or None
        Mean of the bows that count.
    seated, seat : bool, Pair or None
        Whether the person sat, and both facings of it.
    up, left : (3,) float64
        Standing, pelvis sensor frame; left is the bows' axis or else the sensor's.
    posture : Posture or None
        None without a zero reference.
    axis : (3,) float64
        Hip line where there is a zero reference, else `left`.
    boards, lifts : list of Board, Lifts or None
        Changes by boards while standing, and the line through them.
    walked : dict
        Steady strides by lift, mm.
    legs : Legs
        Feet and shanks.
    """

    person: Person
    trials: list[Trial]
    pairs: list[Pair]
    repeat: Pair | None
    bows: list[Bow] | None
    line: HipLine | None
    seated: bool
    seat: Pair | None
    up: NDArray[np.float64]
    left: NDArray[np.float64]
    posture: Posture | None
    axis: NDArray[np.float64]
    boards: list[Board]
    lifts: Lifts | None
    walked: dict[float, Walked]
    legs: Legs


def gather(span: Span, phases: Sequence[Phase], person: Person) -> Evidence | None:
    """Read all phases; None where the pelvis sensor or every still standing is missing."""
    k = span.index(Segment.PELVIS)
    if k is None:
        return None
    still = [p for p in phases if p.phase in ("stand", "seat")]
    trials = [_trial(span, phase, k) for phase in still]
    standing = [t for t in trials if t.phase.phase == "stand" and t.phase.knees == "straight"]
    first = [t for t in standing if not t.phase.repeat and not t.phase.lift_mm]
    pairs = pair_placements(first)
    ups = [p.up for p in pairs] or [t.up for t in first if t.fault is None]
    if not ups:
        return None
    up = unit(np.mean(ups, axis=0))
    bias = rest_bias(span, [t.phase for t in standing if t.fault is None])
    bows = _bows(span, phases, k, bias[k], up)
    line = None if bows is None else hip_line(bows)
    seat = pair_facings(t for t in trials if t.phase.phase == "seat")
    posture = fit_posture(up, line, None if seat is None else seat.up, person.caliper_obliquity_rad)
    left = SENSOR_LEFT if line is None else line.axis
    axis = left if posture is None else posture.hip_line
    walked, legs = _walks(span, phases, bias, axis, person)
    boards = _boards(standing, pairs, up, axis, person)
    return Evidence(
        person=person,
        trials=trials,
        pairs=pairs,
        repeat=pair_facings(t for t in standing if t.phase.repeat),
        bows=bows,
        line=line,
        seated=any(p.phase == "seat" for p in phases),
        seat=seat,
        up=up,
        left=left,
        posture=posture,
        axis=axis,
        boards=boards,
        lifts=fit_lifts(boards, float(obliquity(axis, up))),
        walked=walked,
        legs=legs,
    )


def rest_bias(span: Span, phases: Sequence[Phase]) -> NDArray[np.float64]:
    """What each gyroscope shows while the person stands still, (k, 3), rad/s."""
    parts = [cut(span, phase).gyr for phase in phases]
    if not parts:
        return np.zeros(span.gyr.shape[1:])
    mean: NDArray[np.float64] = np.concatenate(parts).mean(axis=0)
    return mean


def _trial(span: Span, phase: Phase, k: int) -> Trial:
    part = cut(span, phase)
    good = part.valid[:, k] & ~part.saturated[:, k]
    return read_trial(phase, span.rate_hz, part.acc[:, k], part.gyr[:, k], good)


def _bows(
    span: Span,
    phases: Sequence[Phase],
    k: int,
    bias: NDArray[np.float64],
    up: NDArray[np.float64],
) -> list[Bow] | None:
    parts = [cut(span, phase) for phase in phases if phase.phase == "bows"]
    if not parts:
        return None
    return [
        bow
        for part in parts
        for bow in find_bows(
            span.rate_hz,
            part.gyr[:, k] - bias,
            part.acc[:, k],
            part.valid[:, k] & ~part.saturated[:, k],
            up,
        )
    ]


def _boards(
    standing: Sequence[Trial],
    pairs: Sequence[Pair],
    up: NDArray[np.float64],
    axis: NDArray[np.float64],
    person: Person,
) -> list[Board]:
    n_without = sum(pair.n_trials for pair in pairs)
    if not person.hip_width_m or not n_without:
        return []
    lifted = [t for t in standing if t.phase.lift_mm]
    return board_changes(lifted, up, n_without, axis, person.hip_width_m)


def _walks(
    span: Span,
    phases: Sequence[Phase],
    bias: NDArray[np.float64],
    hip_axis: NDArray[np.float64],
    person: Person,
) -> tuple[dict[float, Walked], Legs]:
    """Steady strides by lift, and the checks of the legs by the walks without one."""
    walked: dict[float, list[Walked]] = {}
    plain: list[tuple[Span, Walk]] = []
    for phase in phases:
        if phase.phase != "walk":
            continue
        part = cut(span, phase)
        part = replace(part, gyr=part.gyr - bias)
        walk = analyse_walking(part, person)
        walked.setdefault(phase.lift_mm, []).append(measure_walk(part, walk, hip_axis))
        if not phase.lift_mm:
            plain.append((part, walk))
    legs = look_at_legs(span, phases, plain)
    return {lift: together(walks) for lift, walks in walked.items()}, legs
