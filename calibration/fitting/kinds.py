"""Worn sensors in; pelvis, and the foot and shank of each leg out. Sides are not known here."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from calibration.errors import Refused
from cext import moving_mean
from sensors import Segment

from .steps import find_steps, level_motion

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from .steps import LevelMotion, Step

    Array = NDArray[np.float64]

STEP = "walk"
# The pelvis turns at less than half the rate of any leg sensor; a lone sensor is judged by the
# rate itself. Measured scores: feet 5.1 and more, shanks 3.6 to 5.3 (docs/validation.md).
_PELVIS_RATIO = 0.5
_PELVIS_RADPS = 1.8
_FOOT_SCORE, _FOOT_SPREAD = 4.9, 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Worn:
    """One sensor with what placement needs of it.

    Attributes
    ----------
    name : str
    motion : LevelMotion
    steps : tuple of Step
        All of its swings.
    rms_radps : float
        Of the rate while walking.
    foot_score : float
        How still it gets against how fast and how hard struck: higher on a foot than on a shank.
    """

    name: str
    motion: LevelMotion
    steps: tuple[Step, ...]
    rms_radps: float
    foot_score: float


@dataclass(frozen=True, slots=True)
class Kinds:
    """Sensors by kind of segment.

    Attributes
    ----------
    pelvis : Worn or None
    legs : tuple of dict
        At most two, each with `foot` and `shank` where they are worn.
    sureness : dict
        Sensor to the probability that its kind is right.
    """

    pelvis: Worn | None
    legs: tuple[dict[str, Worn], ...]
    sureness: dict[str, float]


def wear(rate_hz: float, readings: Mapping[str, tuple[Array, Array]]) -> list[Worn]:
    """Make all sensors level and find their steps.

    Raises
    ------
    Refused
        If there are more sensors than places, or nothing moved.
    """
    if not 1 <= len(readings) <= len(Segment):
        raise Refused(
            f"{len(readings)} sensors were given, there are five places: take off the others.", STEP
        )
    motions = {name: level_motion(rate_hz, *pair) for name, pair in readings.items()}
    bustle = np.mean([moving_mean(m.energy, m.samples(1.0) | 1) for m in motions.values()], axis=0)
    walking = bustle > 0.3 * np.percentile(bustle, 80)
    if not walking.any():
        raise Refused("Nothing moved: walk ten steps straight on.", STEP)
    return [_describe(name, motion, walking) for name, motion in motions.items()]


def _describe(name: str, motion: LevelMotion, walking: NDArray[np.bool_]) -> Worn:
    rate = np.sqrt(motion.energy[walking])
    struck = np.abs(
        np.linalg.norm(motion.acc[walking], axis=1) - np.linalg.norm(motion.acc, axis=1).mean()
    )
    still, fast = np.percentile(rate, [15, 95])
    return Worn(
        name=name,
        motion=motion,
        steps=find_steps(motion),
        rms_radps=float(np.sqrt(np.mean(rate**2))),
        foot_score=math.log(fast / max(still, 0.05)) + math.log(np.percentile(struck, 95)),
    )


def find_kinds(worn: Sequence[Worn]) -> Kinds:
    """Find the pelvis, then legs by common swings, then foot and shank within each leg."""
    liveliest = max(w.rms_radps for w in worn)
    sureness = {w.name: 1.0 for w in worn}
    calm = min(worn, key=lambda w: w.rms_radps)
    ratio = calm.rms_radps / liveliest if len(worn) > 1 else calm.rms_radps / 2 / _PELVIS_RADPS
    pelvis = calm if ratio < _PELVIS_RATIO else None
    sureness[calm.name] = _logistic(abs(math.log(ratio / _PELVIS_RATIO)) / 0.1)
    groups = _legs([w for w in worn if w is not pelvis])
    alone = [members[0].foot_score for members in groups if len(members) == 1]
    legs = []
    for members in groups:
        leg, sure = _foot_and_shank(members, float(np.mean(alone)) if alone else 0.0)
        legs.append(leg)
        for member in members:
            sureness[member.name] *= sure
    return Kinds(pelvis, tuple(legs), sureness)


def _legs(worn: Sequence[Worn]) -> list[list[Worn]]:
    """Two groups: sensors of one leg swing together, those of the other leg in between."""
    if not worn:
        return []
    first, *rest = sorted(worn, key=lambda w: -w.rms_radps)
    groups: list[list[Worn]] = [[first], []]
    envelope = _envelope(first)
    for other in rest:
        together = float(np.corrcoef(envelope, _envelope(other))[0, 1])
        groups[0 if together > 0 else 1].append(other)
    if max(len(group) for group in groups) > 2:
        raise Refused(
            "Three sensors swing together: one leg has two places, foot and shank. Check where"
            " they are strapped, then repeat walk.",
            STEP,
        )
    return groups


def _envelope(worn: Worn) -> Array:
    energy = worn.motion.energy
    bounded = np.minimum(energy, np.percentile(energy, 95))
    smooth = moving_mean(bounded, worn.motion.samples(0.3) | 1)
    return smooth - moving_mean(smooth, worn.motion.samples(1.2) | 1)


def _foot_and_shank(members: Sequence[Worn], alone: float) -> tuple[dict[str, Worn], float]:
    """Which of a leg's sensors is the foot, with its probability.

    Within one leg the two are compared. A leg with one sensor is judged by `alone`, the mean score
    of all such legs: people wear pairs.
    """
    if not members:
        return {}, 1.0
    if len(members) == 1:
        margin = (alone - _FOOT_SCORE) / _FOOT_SPREAD
        kind = "foot" if margin > 0 else "shank"
        return {kind: members[0]}, _logistic(abs(margin))
    shank, foot = sorted(members, key=lambda w: w.foot_score)
    margin = (foot.foot_score - shank.foot_score) / _FOOT_SPREAD
    return {"foot": foot, "shank": shank}, _logistic(margin)


def _logistic(margin: float) -> float:
    return 1 / (1 + math.exp(-margin))
