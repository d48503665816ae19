"""Standing and walking or bows in, rotation from sensor to segment with its spread out.

The segment frame is x forward, y left, z up. Standing still gives the vertical. The medio-lateral
axis is the one that the segment turns about: the swing of each step for feet and shanks, hip-hinge
bows for the pelvis. For feet and shanks the vertical is kept and the axis made perpendicular to it.
For the pelvis the bow axis is kept, since it is the line through the hips and gravity is not.

A shank is not upright when its owner stands: `standing_up` keeps that posture as the reference, and
nothing here forces it to zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from calibration.errors import Refused
from calibration.fits.sphere import student_t95
from calibration.limits import ALIGNMENT_SPREAD_RAD
from calibration.model import Matrix, Record, Triple, as_matrix, as_triple
from cext import lowpass
from sensors import Segment

from .steps import find_steps, level_motion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .steps import LevelMotion, Step

    Array = NDArray[np.float64]

METHOD = "alignment@1.0"
LEAST_STEPS = 4
LEAST_BOWS = 3
_STANDING_PARTS = 5
# Slower turning than this is swaying, not bowing.
_BOW_RADPS = math.radians(15)
LEAST_BOW_RAD = math.radians(20)
_SWING_RADPS = -0.5
# The first, the last and the curving steps turn about other axes than the steps between.
_STEADY_TURN_RAD = math.radians(8)
_STEADY_WAY = 0.8
_POSTURE_SD_RAD = math.radians(0.5)


class Alignment(Record):
    """Rotation from the sensor frame to the segment frame.

    Attributes
    ----------
    sensor : str
    segment : Segment
    matrix : 3 x 3
        Rows: forward, left and up of the segment, in sensor coordinates.
    spread_rad : float
        SD of the medio-lateral axis over the repetitions.
    repeat_u95_rad : float
        95 % of the mean axis by its repeatability; what all repetitions share, as soft tissue or
        toe-out, is not in it.
    standing_up : 3
        Vertical while standing, in sensor coordinates: the reference for absolute angles.
    standing_sd_rad : float
        SD of that direction over the parts of the standing trial.
    n_repetitions : int
        Steps or bows.
    """

    method: str = METHOD
    sensor: str
    segment: Segment
    matrix: Matrix
    spread_rad: float
    repeat_u95_rad: float
    standing_up: Triple
    standing_sd_rad: float
    n_repetitions: int


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """Vertical while standing still: unit vector (3,), sensor frame, and its SD in radians."""

    up: Array
    sd_rad: float


@dataclass(frozen=True, slots=True, eq=False)
class TurningAxis:
    """Medio-lateral axis from repeated movements.

    Attributes
    ----------
    left : (3,) float64
        Unit vector in the sensor frame.
    each : (n, 3) float64
        One of each repetition.
    """

    left: Array
    each: Array

    @property
    def spread_rad(self) -> float:
        """SD of the angle to the mean axis."""
        cosine = np.clip(self.each @ self.left, -1, 1)
        return float(np.sqrt(np.sum(np.arccos(cosine) ** 2) / (len(self.each) - 1)))

    @property
    def repeat_u95_rad(self) -> float:
        """95 % of the mean axis, by its repeatability."""
        n = len(self.each)
        return student_t95(n - 1.0) * self.spread_rad / math.sqrt(n)


def read_standing(gyr: Array, acc: Array) -> Standing:
    """Take the vertical from a standing trial.

    Raises
    ------
    Refused
        If the person moved.
    """
    parts = np.stack([part.mean(axis=0) for part in np.array_split(acc, _STANDING_PARTS)])
    parts /= np.linalg.norm(parts, axis=1, keepdims=True)
    up = parts.mean(axis=0)
    up /= np.linalg.norm(up)
    sd = float(np.sqrt(np.sum(np.arccos(np.clip(parts @ up, -1, 1)) ** 2) / (len(parts) - 1)))
    unsteady = float(np.percentile(np.linalg.norm(gyr - gyr.mean(axis=0), axis=1), 95))
    if sd > 4 * _POSTURE_SD_RAD or unsteady > 0.5:
        raise Refused(
            f"The person moved while standing ({math.degrees(sd):.1f} deg): stand still for 10 s,"
            " repeat stand.",
            "stand",
        )
    return Standing(up, sd)


def swing_axis(
    rate_hz: float, gyr: Array, acc: Array, standing: Standing, least_steps: int = LEAST_STEPS
) -> TurningAxis:
    """Medio-lateral axis of a foot or shank from its steps.

    Parameters
    ----------
    rate_hz : float
        Samples a second.
    gyr, acc : (n, 3) float64
        The walk, sensor frame.
    standing : Standing
        Its vertical; the axis is sought perpendicular to it.
    least_steps : int
        Of this leg, straight on; ten steps of the person are five of each leg.

    Raises
    ------
    Refused
        If fewer straight steps of this leg are seen.
    """
    motion = level_motion(rate_hz, gyr, acc)
    steps = [step for step in find_steps(motion) if step.straight]
    if len(steps) < least_steps:
        raise Refused(
            f"{len(steps)} straight steps of this leg were seen and {least_steps} are needed:"
            " repeat walk.",
            "walk",
        )
    typical_m = float(np.median([step.way_m for step in steps]))
    steady = [
        step
        for step in steps
        if abs(step.turn_rad) < _STEADY_TURN_RAD and step.way_m > _STEADY_WAY * typical_m
    ]
    chosen = steady if len(steady) >= least_steps else steps
    return _mean_axis(np.stack([_axis_of_step(motion, step, standing.up) for step in chosen]))


def bow_axis(rate_hz: float, gyr: Array) -> TurningAxis:
    """Line through both hips from bows with still feet.

    Parameters
    ----------
    rate_hz : float
        Samples a second.
    gyr : (n, 3) float64
        Pelvis sensor, rad/s; standing still at both ends of the trial, bias removed or small.

    Raises
    ------
    Refused
        If fewer than three bows of 20 deg or more are seen.
    """
    smooth = lowpass(gyr - np.median(gyr, axis=0), rate_hz, 3.0)
    bowing = smooth[np.linalg.norm(smooth, axis=1) > _BOW_RADPS]
    if len(bowing) < rate_hz:
        raise Refused("No bows were seen: bow five times from the hips, repeat bows.", "bows")
    axis = np.linalg.eigh(bowing.T @ bowing)[1][:, 2]
    angle = np.cumsum(smooth @ axis) / rate_hz
    angle -= np.median(angle)
    # A person stands upright for most of the trial and bends forward, never as far back.
    sign = 1.0 if angle.max() > -angle.min() else -1.0
    axes = [_axis_of_bow(smooth[first:last], sign * axis) for first, last in _bows(sign * angle)]
    if len(axes) < LEAST_BOWS:
        raise Refused(
            f"{len(axes)} bows of {math.degrees(LEAST_BOW_RAD):.0f} deg or more were seen and"
            f" {LEAST_BOWS} are needed: bow deeper, repeat bows.",
            "bows",
        )
    return _mean_axis(np.stack(axes))


def align(sensor: str, segment: Segment, standing: Standing, axis: TurningAxis) -> Alignment:
    """Make the rotation of one sensor.

    Raises
    ------
    Refused
        If the axis spreads by more than 3 deg over the repetitions, or is nearly vertical.
    """
    movement = "bows" if segment is Segment.PELVIS else "walk"
    if axis.spread_rad > ALIGNMENT_SPREAD_RAD:
        raise Refused(
            f"The axis of {segment} spreads by {math.degrees(axis.spread_rad):.1f} deg over the"
            f" repetitions, the limit is {math.degrees(ALIGNMENT_SPREAD_RAD):.0f} deg: tighten the"
            f" strap of {sensor} and repeat {movement}.",
            movement,
        )
    if abs(float(axis.left @ standing.up)) > math.sin(math.radians(30)):
        raise Refused(
            f"{segment} turned about an axis that is far from level: check where {sensor} is"
            f" strapped and repeat {movement}.",
            movement,
        )
    return Alignment(
        sensor=sensor,
        segment=segment,
        matrix=as_matrix(_frame(segment, standing.up, axis.left)),
        spread_rad=axis.spread_rad,
        repeat_u95_rad=axis.repeat_u95_rad,
        standing_up=as_triple(standing.up),
        standing_sd_rad=standing.sd_rad,
        n_repetitions=len(axis.each),
    )


def _frame(segment: Segment, up: Array, left: Array) -> Array:
    """Rows forward, left, up; of `up` and `left` the kept one is exact (see above)."""
    if segment is Segment.PELVIS:
        up = up - (up @ left) * left
        up = up / np.linalg.norm(up)
    else:
        left = left - (left @ up) * up
        left = left / np.linalg.norm(left)
    return np.stack([np.cross(left, up), left, up])


def _mean_axis(each: Array) -> TurningAxis:
    """Mean axis without the repetitions that were another movement: beyond three robust SD."""
    middle = np.median(each, axis=0)
    middle /= np.linalg.norm(middle)
    angle = np.arccos(np.clip(each @ middle, -1, 1))
    kept = each[angle <= max(3 * 1.4826 * float(np.median(angle)), math.radians(1.0))]
    mean = kept.mean(axis=0)
    return TurningAxis(mean / np.linalg.norm(mean), kept)


def _axis_of_step(motion: LevelMotion, step: Step, up: Array) -> Array:
    """Level axis that the forward swing turns about, pointing left."""
    part = slice(step.burst[0], step.contact)
    leftward = motion.level_gyr[part] @ np.array([-step.forward[1], step.forward[0], 0.0])
    # In swing the toe rises: a negative rate about the leftward axis.
    swings = leftward < _SWING_RADPS
    rate = motion.gyr[part][swings]
    rate = rate - np.outer(rate @ up, up)
    axis = np.linalg.eigh(rate.T @ rate)[1][:, 2]
    return np.asarray(axis * np.sign((rate @ axis) @ leftward[swings]))


def _bows(angle: Array) -> list[tuple[int, int]]:
    """Samples of each bow: where the angle passes a third of the deepest, once down and up."""
    deepest = float(np.percentile(angle, 99.5))
    if deepest < LEAST_BOW_RAD:
        return []
    edges = np.diff(np.concatenate([[0], angle > deepest / 3, [0]]).astype(int))
    found = []
    for first, last in zip(
        np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True
    ):
        if angle[first:last].max() > LEAST_BOW_RAD:
            # The bow begins and ends upright: as far again on both sides.
            reach = (last - first) // 3
            found.append((max(first - reach, 0), last + reach))
    return found


def _axis_of_bow(gyr: Array, towards: Array) -> Array:
    moving = gyr[np.linalg.norm(gyr, axis=1) > _BOW_RADPS]
    axis = np.linalg.eigh(moving.T @ moving)[1][:, 2]
    return np.asarray(axis * np.sign(axis @ towards))
