"""Walking in one span: contacts, strides, bouts and the ways of the feet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge.results import Contact, Stride
from sensors import Segment, Side

from .bouts import (
    EDGE_STRIDES,
    UNSTEADY,
    bout_numbers,
    describe_bout,
    near_turns,
    unusual_times,
)
from .motion import foot_motion
from .spatial import length_sd_m, lift_m
from .strides import LEVEL_M, FootSteps, foot_steps
from .walk import Path, Walk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge.results import Person
    from edge.timegrid import Span

FEET = {Segment.LEFT_FOOT: Side.LEFT, Segment.RIGHT_FOOT: Side.RIGHT}

# Limits of a straight, level stride (METHODS 1.5 names its sources), and of a useful length.
TURN_RAD = np.radians(20.0)
RUNNING_STANCE = 0.5
LOST_SHARE = 0.05
LENGTH_SD_M = 0.15


def analyse_walking(span: Span, person: Person) -> Walk:  # noqa: ARG001 (the pelvis needs it)
    """Find contacts, strides and bouts in a span.

    Parameters
    ----------
    span : Span
        Any subset of the five segments, mounted in any way.
    person : Person
        What is known of the person; may be empty.

    Returns
    -------
    Walk
        In the order of time. A number that cannot be given is None, and `flags` say why.

    Notes
    -----
    Pure. The same function serves the last seconds of live walking and a whole stretch.
    """
    motions = {
        segment: motion
        for segment in FEET
        if (k := span.index(segment)) is not None and (motion := foot_motion(span, k)) is not None
    }
    feet = {
        FEET[segment]: steps
        for segment, motion in motions.items()
        if (steps := foot_steps(motion)) is not None
    }
    strides = _strides(feet)
    numbers = sorted({s.bout for s in strides} - {0})
    return Walk(
        contacts=_contacts(feet),
        strides=strides,
        bouts=tuple(describe_bout(n, [s for s in strides if s.bout == n]) for n in numbers),
        paths={
            s: Path(span.time_s, feet[side].position_m) for s, side in FEET.items() if side in feet
        },
    )


def _contacts(feet: Mapping[Side, FootSteps]) -> tuple[Contact, ...]:
    found: list[Contact] = []
    for side, steps in feet.items():
        found += [Contact(side=side, kind="ic", time_s=t) for t in steps.initial_contact_s.tolist()]
        found += [Contact(side=side, kind="fc", time_s=t) for t in steps.final_contact_s.tolist()]
    return tuple(sorted(found, key=lambda c: c.time_s))


def _strides(feet: Mapping[Side, FootSteps]) -> tuple[Stride, ...]:
    landed = [(t, side, i) for side, s in feet.items() for i, t in enumerate(s.initial_contact_s)]
    landed.sort()
    bout = bout_numbers(np.array([t for t, _, _ in landed]), len(feet))
    number = {(side, i): int(b) for (_, side, i), b in zip(landed, bout, strict=True)}
    flags = {
        side: _flags(steps, np.array([number[side, i] for i in range(len(steps.swings))]))
        for side, steps in feet.items()
    }
    return tuple(
        _stride(side, feet[side], i, number[side, i], flags[side][i]) for _, side, i in landed
    )


def _stride(side: Side, steps: FootSteps, i: int, bout: int, flags: tuple[str, ...]) -> Stride:
    motion, swings = steps.motion, steps.swings
    first, last = int(swings.still_before[i]), int(swings.still_after[i])
    from_s, to_s = float(motion.time_s[first]), float(motion.time_s[last])
    landed, left = float(steps.initial_contact_s[i]), float(steps.final_contact_s[i])
    begin: float | None = float(steps.begin_s[i])
    if np.isnan(steps.begin_s[i]):
        begin = None
    way = steps.position_m[last, :2] - steps.position_m[first, :2]
    sd = length_sd_m(motion, first, last)
    length = float(np.hypot(way[0], way[1])) if sd <= LENGTH_SD_M else None
    return Stride(
        side=side,
        bout=bout,
        stage="refined",
        # A foot that had been standing has no initial contact before this swing.
        initial_contact_s=from_s if begin is None else begin,
        final_contact_s=left,
        next_initial_contact_s=landed,
        length_from_s=from_s,
        length_to_s=to_s,
        stride_length_m=length,
        stride_length_sd_m=sd,
        stride_time_s=None if begin is None else landed - begin,
        stance_time_s=None if begin is None else left - begin,
        swing_time_s=landed - left,
        speed_mps=None if length is None else length / (to_s - from_s),
        clearance_m=lift_m(steps.position_m[first : last + 1, 2]),
        steady=bout > 0 and not UNSTEADY.intersection(flags),
        flags=flags if length is not None else (*flags, "length_uncertain"),
    )


def _flags(steps: FootSteps, bout: NDArray[np.int64]) -> list[tuple[str, ...]]:
    """What is to be said of each stride of one foot."""
    motion, swings = steps.motion, steps.swings
    before, after = swings.still_before, swings.still_after
    lasts = steps.initial_contact_s - steps.begin_s
    usual_s = float(np.nanmedian(lasts)) if np.isfinite(lasts).any() else 1.0
    turned = np.abs(_wrap(steps.heading_rad(after) - steps.heading_rad(before))) > TURN_RAD
    lost = np.append(0, np.cumsum(~motion.valid))
    index = np.arange(len(bout))
    place = np.array([np.count_nonzero(bout[:i] == bout[i]) for i in index])
    size = np.array([np.count_nonzero(bout == b) for b in bout])
    table = {
        "from_standing": np.isnan(steps.begin_s),
        "edge": (place < EDGE_STRIDES) | (place >= size - EDGE_STRIDES),
        "turn": near_turns(steps.initial_contact_s, turned, usual_s),
        "level_change": np.abs(steps.position_m[after, 2] - steps.position_m[before, 2]) > LEVEL_M,
        "running": (steps.final_contact_s - steps.begin_s) < RUNNING_STANCE * lasts,
        "unusual_time": unusual_times(lasts),
        "lost_samples": (lost[after] - lost[before]) > LOST_SHARE * (after - before),
        "no_bout": bout == 0,
    }
    return [tuple(name for name, hit in table.items() if hit[i]) for i in index]


def _wrap(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same angle within half a turn, rad."""
    return np.asarray((angle + np.pi) % (2.0 * np.pi) - np.pi)
