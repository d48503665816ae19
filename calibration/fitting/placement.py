"""Walking in; which sensor sits on which segment and which side out.

Nothing is assumed about the mounting, and no label is believed. Three questions, in order:

- Foot, shank or pelvis? The pelvis turns least; a foot is struck hardest and is stillest between.
- Which sensors share a leg? Those that swing together.
- Which leg is the left one? Each cue below says how it stands in people and how widely it spreads;
  together, as the sum of their log-likelihood ratios, they give the answer and its confidence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from calibration.errors import Refused
from cext import lowpass, moving_mean
from sensors import Segment, Side

from .kinds import STEP, Worn, find_kinds, wear

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from .kinds import Kinds
    from .steps import LevelMotion, Step

    Array = NDArray[np.float64]

LEAST_STEPS = 4
# Below this the person is asked to walk on.
SURE = 0.99


@dataclass(frozen=True, slots=True)
class Cue:
    """How one observation stands on the left side; on the right it is the negative.

    Mean and spread over people are from the 43 recordings of people with two shoes
    (docs/validation.md, "Placement"); `scatter` is that of single steps.
    """

    name: str
    mean: float
    spread: float
    scatter: float

    def evidence(self, value: float, n: int) -> float:
        """Log-likelihood ratio of left against right, bounded: no single cue decides alone."""
        variance = self.spread**2 + self.scatter**2 / max(n, 1)
        return float(np.clip(2 * self.mean * value / variance, -_MOST_EVIDENCE, _MOST_EVIDENCE))


_MOST_EVIDENCE = 5.0
# The foot rolls inward over the ball as the heel rises; its path bends outward in swing.
ROLL = Cue("heel-rise roll", -math.radians(9.0), math.radians(5.0), math.radians(3.0))
BEND = Cue("bend of the path", 0.0095, 0.006, 0.006)
# While the left foot swings the pelvis is driven to the left, off the standing foot, and its left
# side goes forward. Both are correlations over the walk; the second is not found in everybody.
SWAY = Cue("pelvic sway", 0.5, 0.2, 0.6)
ROTATION = Cue("pelvic rotation", -0.45, 0.35, 0.6)


@dataclass(frozen=True, slots=True)
class Seat:
    """Where one sensor sits.

    Attributes
    ----------
    sensor : str
    segment : Segment
    confidence : float
        Probability that segment and side are right, as far as the model behind it holds.
    """

    sensor: str
    segment: Segment
    confidence: float


@dataclass(frozen=True, slots=True)
class Placement:
    """Where all sensors sit.

    Attributes
    ----------
    seats : tuple of Seat
        In the order of the sensors given.
    n_steps : int
        Straight steps that it was found from.
    evidence : tuple of (str, float)
        Each cue with its log-likelihood ratio for the answer; negative speaks against it.
    """

    seats: tuple[Seat, ...]
    n_steps: int
    evidence: tuple[tuple[str, float], ...]

    @property
    def segments(self) -> dict[str, Segment]:
        """Sensor to segment."""
        return {seat.sensor: seat.segment for seat in self.seats}

    @property
    def confidence(self) -> float:
        """Of the least sure seat."""
        return min(seat.confidence for seat in self.seats)


def find_placement(rate_hz: float, readings: Mapping[str, tuple[Array, Array]]) -> Placement:
    """Find segment and side of every sensor from walking.

    Parameters
    ----------
    rate_hz : float
        Samples a second, of all sensors.
    readings : mapping of sensor to (gyr, acc)
        Each (n, 3), rad/s and m/s2, sensor frame, on one time grid; ten straight steps or more.

    Returns
    -------
    Placement
        Never two sensors on one segment.

    Raises
    ------
    Refused
        Too few steps, more sensors than segments, or sensors that changed places on the way.
    """
    _refuse_changed(rate_hz, readings)
    return _place(rate_hz, readings)


def suspected_swaps(placement: Placement, claimed: Mapping[str, Segment]) -> tuple[str, ...]:
    """Sentences about sensors that sit elsewhere than their labels say; empty when all agree."""
    found = placement.segments
    wrong = {name: seat for name, seat in found.items() if claimed.get(name, seat) is not seat}
    sentences = []
    for name, seat in wrong.items():
        partner = next((other for other in wrong if claimed[other] is seat), None)
        if partner is None:
            sentences.append(f"{name} is labelled {claimed[name]} and sits on the {seat}.")
        elif found[partner] is claimed[name] and name < partner:
            sentences.append(
                f"{name} and {partner} are swapped: they sit on the {seat} and {claimed[name]}."
            )
        elif found[partner] is not claimed[name]:
            sentences.append(f"{name} is labelled {claimed[name]} and sits on the {seat}.")
    return tuple(sentences)


def _place(rate_hz: float, readings: Mapping[str, tuple[Array, Array]]) -> Placement:
    kinds = find_kinds(wear(rate_hz, readings))
    n_steps = sum(_straight_steps(leg) for leg in kinds.legs)
    if any(kinds.legs) and n_steps < LEAST_STEPS:
        raise Refused(f"{n_steps} straight steps were seen: walk ten steps straight on.", STEP)
    evidence = _side_evidence(kinds)
    total = sum(ratio for _, ratio in evidence)
    sides = (Side.LEFT, Side.RIGHT) if total >= 0 else (Side.RIGHT, Side.LEFT)
    found: dict[str, Segment] = {kinds.pelvis.name: Segment.PELVIS} if kinds.pelvis else {}
    for leg, side in zip(kinds.legs, sides, strict=False):
        found |= {worn.name: Segment(f"{side}_{kind}") for kind, worn in leg.items()}
    sure = 1 / (1 + math.exp(-abs(total)))
    seats = tuple(
        Seat(
            name,
            found[name],
            kinds.sureness[name] * (1.0 if found[name] is Segment.PELVIS else sure),
        )
        for name in readings
    )
    sign = 1.0 if total >= 0 else -1.0
    return Placement(seats, n_steps, tuple((cue, sign * ratio) for cue, ratio in evidence))


def _side_evidence(kinds: Kinds) -> list[tuple[str, float]]:
    """Log-likelihood ratios for the first leg being the left one."""
    evidence = []
    for leg, sign in zip(kinds.legs, (1.0, -1.0), strict=False):
        steps = _straight(leg["foot"]) if "foot" in leg else []
        if steps:
            roll = float(np.median([step.roll_rad for step in steps]))
            bend = float(np.median([step.outward_m for step in steps]))
            for cue, value in ((ROLL, roll), (BEND, bend)):
                ratio = sign * cue.evidence(value, len(steps))
                evidence.append((f"{cue.name} of {leg['foot'].name}", ratio))
    if kinds.pelvis is not None and any(kinds.legs):
        sway, rotation, n = pelvic_correlations(kinds.pelvis.motion, kinds.legs)
        evidence.append((SWAY.name, SWAY.evidence(sway, n)))
        evidence.append((ROTATION.name, ROTATION.evidence(rotation, n)))
    # A curve in the way has opposite signs on two legs and cancels; on one leg nothing does.
    weight = 1.0 if all(kinds.legs) else 0.5
    return [(name, weight * ratio) for name, ratio in evidence]


def pelvic_correlations(
    pelvis: LevelMotion, legs: Sequence[Mapping[str, Worn]]
) -> tuple[float, float, int]:
    """Correlation of the pelvis' sideways force and rotation with the swings of `legs[0]`."""
    swing = np.zeros(len(pelvis.gyr))
    force = _sway_frame(pelvis)
    braking = np.zeros(2)
    n = 0
    for leg, sign in zip(legs, (1.0, -1.0), strict=False):
        steps = _straight(_leader(leg)) if leg else []
        for step in steps:
            swing[max(step.contact - pelvis.samples(0.4), 0) : step.contact] += sign
        # Each leg's mean apart, so that what is sideways cancels between them.
        if steps:
            braking += np.mean([_braking(force, step, pelvis) for step in steps], axis=0)
        n += len(steps)
    near = moving_mean(np.abs(swing), pelvis.samples(1.0) | 1) > 0
    swing -= swing[near].mean()
    forward = -braking / np.linalg.norm(braking)
    left = force @ np.array([-forward[1], forward[0]])
    rotation = _without_trend(lowpass(pelvis.level_gyr[:, 2], pelvis.rate_hz, 3.0), pelvis)
    return _correlation(left[near], swing[near]), _correlation(rotation[near], swing[near]), n


def _braking(force: Array, step: Step, pelvis: LevelMotion) -> Array:
    """Force just behind the contact less that of push-off: it points backward.

    In all 42 recordings with a pelvis the force is forward before the contact and backward behind.
    """
    stop = step.contact

    def mean(from_s: float, to_s: float) -> Array:
        low = max(stop + round(from_s * pelvis.rate_hz), 0)
        high = max(stop + round(to_s * pelvis.rate_hz), low + 1)
        return np.asarray(force[min(low, len(force) - 1) : high].mean(axis=0))

    return mean(0.10, 0.26) - mean(-0.16, 0.02)


def _sway_frame(pelvis: LevelMotion) -> Array:
    """Horizontal force (n, 2) in axes that follow the slow turning of the person."""
    heading = lowpass(np.cumsum(pelvis.level_gyr[:, 2]) / pelvis.rate_hz, pelvis.rate_hz, 0.4)
    cosine, sine = np.cos(heading), np.sin(heading)
    x, y = pelvis.level_acc[:, 0], pelvis.level_acc[:, 1]
    along = np.stack([cosine * x + sine * y, cosine * y - sine * x], axis=1)
    smooth = lowpass(along, pelvis.rate_hz, 5.0)
    return np.stack([_without_trend(smooth[:, k], pelvis) for k in (0, 1)], axis=1)


def _without_trend(values: Array, motion: LevelMotion) -> Array:
    contiguous = np.ascontiguousarray(values)
    return contiguous - moving_mean(contiguous, motion.samples(1.2) | 1)


def _correlation(a: Array, b: Array) -> float:
    return float(a @ b) / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-12)


def _refuse_changed(rate_hz: float, readings: Mapping[str, tuple[Array, Array]]) -> None:
    """Refuse a walk whose halves disagree although each is sure of itself."""
    n = len(next(iter(readings.values()))[0])
    halves = []
    for part in (slice(0, n // 2), slice(n // 2, n)):
        try:
            halves.append(
                _place(rate_hz, {k: (g[part], a[part]) for k, (g, a) in readings.items()})
            )
        except Refused:
            return
    before, after = halves
    changed = [
        name for name, segment in before.segments.items() if after.segments[name] is not segment
    ]
    if changed and min(before.confidence, after.confidence) > SURE:
        raise Refused(
            f"{' and '.join(changed)} changed places during the walk: strap each where it belongs"
            f" and repeat {STEP}.",
            STEP,
        )


def _straight(worn: Worn) -> list[Step]:
    return [step for step in worn.steps if step.straight]


def _leader(leg: Mapping[str, Worn]) -> Worn:
    """The sensor of a leg whose swings are clearest."""
    return leg["foot"] if "foot" in leg else leg["shank"]


def _straight_steps(leg: Mapping[str, Worn]) -> int:
    return len(_straight(_leader(leg))) if leg else 0
