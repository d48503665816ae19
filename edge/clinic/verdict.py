"""Whether a trial was good, said at once, while it can still be repeated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge.gait.leg_length.bows import find_bows, hip_line
from edge.gait.leg_length.checks import (
    FEWEST_BOWS,
    MOST_ACC_ERROR,
    MOST_BOW_SPREAD_DEG,
    MOST_HALF_TURN_DEG,
    MOST_SHIFT_DEG,
)
from edge.gait.leg_length.evidence import SENSOR_LEFT
from edge.gait.leg_length.level import level_axes, obliquity, unit
from edge.gait.leg_length.phases import Phase
from edge.gait.leg_length.standing import GRAVITY, Trial, read_trial
from edge.gait.leg_length.walking_figures import FEWEST_STRIDES, LEAST_SPEED_MPS
from edge.gait.leg_length.walks import measure_walk
from edge.gait.walking import analyse_walking
from edge.results import Person
from sensors import Segment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.timegrid import Span

    from .protocol import Step

WANTED_STRIDES = 60


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What was seen in one trial.

    Attributes
    ----------
    good : bool
        False: repeat it.
    sentence : str
        For the operator.
    trial : Trial or None
        The still trial, for later ones to be held against.
    """

    good: bool
    sentence: str
    trial: Trial | None = None


def judge(step: Step, span: Span, before: Sequence[Trial]) -> Verdict:
    """Look at one trial.

    Parameters
    ----------
    step : Step
        What was asked.
    span : Span
        The seconds of the trial, all segments, calibrated.
    before : sequence of Trial
        Good still trials of the same protocol.
    """
    k = span.index(Segment.PELVIS)
    if k is None:
        return Verdict(good=False, sentence="The pelvis sensor does not send.")
    if step.phase == "walk":
        return _judge_walk(span)
    if step.phase == "bows":
        return _judge_bows(span, k, before)
    return _judge_still(step, span, k, before)


def _judge_still(step: Step, span: Span, k: int, before: Sequence[Trial]) -> Verdict:
    end_s = span.start_s + max(len(span), 1) / span.rate_hz
    phase = Phase(start_s=span.start_s, end_s=end_s, **step.label)
    good = span.valid[:, k] & ~span.saturated[:, k]
    trial = read_trial(phase, span.rate_hz, span.acc[:, k], span.gyr[:, k], good)
    if trial.fault is not None:
        return Verdict(good=False, sentence=f"Repeat: {trial.fault}.")
    error = trial.acc_mps2 / GRAVITY - 1.0
    if abs(error) > MOST_ACC_ERROR:
        return Verdict(
            good=False,
            sentence=f"The pelvis accelerometer is {100 * error:+.1f} % off gravity: "
            "calibrate it, then begin again.",
        )
    against = _against_before(trial, before) if step.phase == "stand" else None
    return against or Verdict(
        good=True, sentence=f"Good: sway {np.degrees(trial.sway_rad):.2f} deg.", trial=trial
    )


def _against_before(trial: Trial, before: Sequence[Trial]) -> Verdict | None:
    """Compare with the other facing, and at the end with the beginning."""
    standing = [
        t for t in before if t.phase.phase == "stand" and t.phase.knees == trial.phase.knees
    ]
    same = [
        t
        for t in standing
        if t.phase.placement == trial.phase.placement
        and t.phase.lift_mm == trial.phase.lift_mm
        and t.phase.facing != trial.phase.facing
    ]
    if same and (apart := _apart_deg(trial, same)) > MOST_HALF_TURN_DEG:
        sentence = f"Both directions differ by {apart:.1f} deg: stand again, or on a level spot."
        return Verdict(good=False, sentence=sentence)
    first = [t for t in standing if not t.phase.repeat and not t.phase.lift_mm]
    facing = [t for t in first if t.phase.facing == trial.phase.facing]
    # One trial scatters more than the pair that the refusal looks at.
    if trial.phase.repeat and facing and (apart := _apart_deg(trial, facing)) > 2 * MOST_SHIFT_DEG:
        sentence = f"It differs by {apart:.1f} deg from the beginning: has the sensor moved?"
        return Verdict(good=False, sentence=sentence)
    return None


def _apart_deg(trial: Trial, others: Sequence[Trial]) -> float:
    up = unit(np.mean([t.up for t in others], axis=0))
    left, _ = level_axes(up, SENSOR_LEFT)
    return float(abs(np.degrees(obliquity(left, trial.up) - obliquity(left, up))))


def _judge_bows(span: Span, k: int, before: Sequence[Trial]) -> Verdict:
    standing = [t for t in before if t.phase.phase == "stand"]
    if not standing:
        return Verdict(good=False, sentence="Stand first: bows are held against standing.")
    bias = np.mean([t.gyr for t in standing], axis=0)
    up = unit(np.mean([t.up for t in standing], axis=0))
    good = span.valid[:, k] & ~span.saturated[:, k]
    bows = find_bows(span.rate_hz, span.gyr[:, k] - bias, span.acc[:, k], good, up)
    line = hip_line(bows)
    counting = 0 if line is None else len(line)
    if line is None or counting < FEWEST_BOWS:
        faults = sorted({bow.fault for bow in bows if bow.fault})
        why = f": {'; '.join(faults)}" if faults else ""
        return Verdict(good=False, sentence=f"Repeat: {counting} of {len(bows)} bows count{why}.")
    spread = np.degrees(line.spread_rad)
    depth = np.degrees(np.median([bow.depth_rad for bow in bows]))
    told = f"{counting} bows count, {depth:.0f} deg deep, axes within {spread:.1f} deg."
    if spread > MOST_BOW_SPREAD_DEG:
        return Verdict(good=False, sentence=f"Repeat, straight down and up: {told}")
    return Verdict(good=True, sentence=f"Good: {told}")


def _judge_walk(span: Span) -> Verdict:
    walked = measure_walk(span, analyse_walking(span, Person()), None)
    n = len(walked)
    if n < FEWEST_STRIDES:
        return Verdict(
            good=False, sentence=f"Repeat: {n} steady strides, {FEWEST_STRIDES} are needed."
        )
    speed = float(walked.speed_mps.mean()) if len(walked.speed_mps) else LEAST_SPEED_MPS
    if speed < LEAST_SPEED_MPS:
        return Verdict(
            good=False,
            sentence=f"{speed:.2f} m/s is too slow: below {LEAST_SPEED_MPS} m/s nothing is given.",
        )
    more = "" if n >= WANTED_STRIDES else f" {WANTED_STRIDES} would be better."
    return Verdict(good=True, sentence=f"Good: {n} steady strides at {speed:.2f} m/s.{more}")
