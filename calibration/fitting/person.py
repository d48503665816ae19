"""The fitting on a person: trials of all worn sensors in; places, alignments, traffic lights out.

Each light looks at one thing that goes wrong when sensors are strapped on: the sensor itself, its
place, its firmness, its way up. Thresholds and the recordings they stand on: docs/fitting.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from calibration.apply import correct
from calibration.errors import Refused
from calibration.limits import STANDARD_GRAVITY
from calibration.model import Verdict, worst
from calibration.trial import on_one_grid
from cext import lowpass
from sensors import Segment

from .alignment import align, bow_axis, read_standing, swing_axis
from .placement import SURE, find_placement, suspected_swaps
from .steps import find_steps, level_motion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from calibration.guide import GuideStep
    from calibration.model import SensorCalibration
    from calibration.trial import GroupTrial, Readings

    from .alignment import Alignment, Standing
    from .placement import Placement

    Array = NDArray[np.float64]

# 2 % of gravity: five times a calibrated sensor's error, and an uncalibrated one's usual bias.
_GRAVITY_SHARE = 0.02
# Posture before and after ten steps differs by 1 to 3 deg; a slipped strap by more.
_SLIP_AMBER_RAD, _SLIP_RED_RAD = math.radians(5), math.radians(12)
# Bodies and straps differ by 10 to 20 deg from fitting to fitting.
_OTHER_WAY_RAD = math.radians(45)
# Shaking left 0.12 to 0.27 s after a contact against that of the contact itself: at most 0.57 on
# 48 shoes and shins of other people's recordings, 0.7 to 1.4 on the same with a loose strap put in.
_RINGING_AMBER = 0.65
_RING_HZ = 10.0


@dataclass(frozen=True, slots=True)
class SensorFit:
    """How one sensor sits.

    Attributes
    ----------
    sensor : str
    segment : Segment
    verdict : Verdict
    findings : tuple of str
        What to mend; empty when green.
    alignment : Alignment or None
        None where it was refused, or for a pelvis without bows.
    """

    sensor: str
    segment: Segment
    verdict: Verdict
    findings: tuple[str, ...]
    alignment: Alignment | None


@dataclass(frozen=True, slots=True)
class Fitting:
    """How all sensors sit."""

    placement: Placement
    sensors: tuple[SensorFit, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of all sensors."""
        return worst(*(fit.verdict for fit in self.sensors))


def judge_fitting(step: GuideStep, readings: Mapping[str, Readings]) -> str:
    """Whether the trial of one step of the guide can be used, with a sentence about it.

    Raises
    ------
    Refused
        With the step to repeat.
    """
    for name, one in readings.items():
        if one.saturated.any():
            raise Refused(
                f"{name} stood at the end of its range: set a wider range, repeat {step.name}.",
                step.name,
            )
    if step.name == "stand":
        sway = max(read_standing(one.gyr, one.acc).sd_rad for one in readings.values())
        return f"still to {math.degrees(sway):.1f} deg"
    if step.name == "walk":
        placement = find_placement(*on_one_grid(readings))
        return f"{placement.n_steps} straight steps, sure to {100 * placement.confidence:.0f} %"
    # With still feet, the sensor that turns most is the one at the back of the pelvis.
    bowing = max(readings, key=lambda name: float(np.std(readings[name].gyr)))
    axis = bow_axis(readings[bowing].rate_hz, readings[bowing].gyr)
    spread = math.degrees(axis.spread_rad)
    return f"{len(axis.each)} bows seen by {bowing}, their axis spreads by {spread:.1f} deg"


def fit_person(
    trial: GroupTrial,
    claimed: Mapping[str, Segment] | None = None,
    calibrations: Mapping[str, SensorCalibration] | None = None,
    earlier: Mapping[str, Alignment] | None = None,
) -> Fitting:
    """Find places and alignments, and judge every sensor.

    Parameters
    ----------
    trial : GroupTrial
        With `stand` and `walk`, and perhaps `bows`.
    claimed : mapping of sensor to Segment, optional
        What the labels say.
    calibrations : mapping of sensor to SensorCalibration, optional
        Applied to the raw readings; a sensor without one is taken as it is.
    earlier : mapping of sensor to Alignment, optional
        Of the last fitting, to notice a sensor that is strapped on the other way round.

    Raises
    ------
    Refused
        If standing or walking cannot be used.
    StoreError
        If one of them was never taken.
    """
    known = calibrations or {}

    def corrected(step: str) -> dict[str, Readings]:
        raw = trial.load(step)
        return {n: correct(r, known[n]) if n in known else r for n, r in raw.items()}

    standing = corrected("stand")
    rate_hz, walk = on_one_grid(corrected("walk"))
    placement = find_placement(rate_hz, walk)
    bows = corrected("bows") if "bows" in trial.done() else {}
    swaps = suspected_swaps(placement, claimed or {})
    fits = []
    for seat in placement.seats:
        still = read_standing(standing[seat.sensor].gyr, standing[seat.sensor].acc)
        worn = _Worn(seat.sensor, seat.segment, still, rate_hz, *walk[seat.sensor])
        checks = [
            _sensor_check(standing[seat.sensor]),
            _place_check(worn, seat.confidence, swaps),
            _way_up_check(worn, (earlier or {}).get(seat.sensor)),
            _slip_check(worn),
            _ringing_check(worn),
        ]
        alignment, refusal = _aligned(worn, bows.get(seat.sensor))
        findings = tuple(sentence for _, sentence in checks if sentence) + refusal
        verdicts = [verdict for verdict, _ in checks]
        verdicts += [Verdict.RED] if refusal else []
        fits.append(SensorFit(seat.sensor, seat.segment, worst(*verdicts), findings, alignment))
    return Fitting(placement, tuple(fits))


@dataclass(frozen=True, slots=True, eq=False)
class _Worn:
    sensor: str
    segment: Segment
    standing: Standing
    rate_hz: float
    gyr: Array
    acc: Array


_Check = tuple[Verdict, str]
_WELL: _Check = (Verdict.GREEN, "")


def _sensor_check(standing: Readings) -> _Check:
    share = float(np.linalg.norm(standing.acc.mean(axis=0))) / STANDARD_GRAVITY - 1
    if abs(share) <= _GRAVITY_SHARE:
        return _WELL
    return Verdict.AMBER, (
        f"{standing.sensor} measures gravity {100 * share:+.1f} % wrong: calibrate it."
    )


def _place_check(worn: _Worn, confidence: float, swaps: tuple[str, ...]) -> _Check:
    for sentence in swaps:
        if worn.sensor in sentence.split():
            return Verdict.RED, sentence
    if confidence < 1 - 10 * (1 - SURE):
        return Verdict.AMBER, (
            f"{worn.sensor} sits on the {worn.segment} with {100 * confidence:.0f} %: walk ten"
            " steps more, or tap it."
        )
    return _WELL


def _way_up_check(worn: _Worn, earlier: Alignment | None) -> _Check:
    """Any way round can be measured; another one than last time is mostly a mistake."""
    if earlier is None or earlier.segment is not worn.segment:
        return _WELL
    angle = math.acos(float(np.clip(worn.standing.up @ np.array(earlier.standing_up), -1, 1)))
    if angle < _OTHER_WAY_RAD:
        return _WELL
    return Verdict.AMBER, (
        f"{worn.sensor} is strapped on {math.degrees(angle):.0f} deg otherwise than last time:"
        " look whether its arrow points up (on a shoe, to the toes)."
    )


def _slip_check(worn: _Worn) -> _Check:
    """Vertical at the end of the walk, when the person stands again, against the standing trial."""
    last = worn.acc[-round(worn.rate_hz) :]
    if float(last.std(axis=0).max()) > 0.5:
        return _WELL
    after = last.mean(axis=0)
    cosine = float(after @ worn.standing.up) / float(np.linalg.norm(after))
    angle = math.acos(min(1.0, cosine))
    if angle < _SLIP_AMBER_RAD:
        return _WELL
    return Verdict.RED if angle > _SLIP_RED_RAD else Verdict.AMBER, (
        f"{worn.sensor} stands {math.degrees(angle):.0f} deg otherwise after the walk than before:"
        " it slipped, tighten its strap and repeat stand and walk."
    )


def _ringing_check(worn: _Worn) -> _Check:
    if worn.segment is Segment.PELVIS:
        return _WELL
    motion = level_motion(worn.rate_hz, worn.gyr, worn.acc)
    shaking = np.sum((worn.acc - lowpass(worn.acc, worn.rate_hz, _RING_HZ)) ** 2, axis=1)

    def energy(contact: int, from_s: float, to_s: float) -> float:
        low, high = (contact + round(t * worn.rate_hz) for t in (from_s, to_s))
        return float(shaking[max(low, 0) : high].mean())

    contacts = [step.contact for step in find_steps(motion) if step.straight]
    inside = [c for c in contacts if c + 0.3 * worn.rate_hz < len(shaking)]
    ratios = [math.sqrt(energy(c, 0.12, 0.27) / energy(c, -0.03, 0.09)) for c in inside]
    ringing = float(np.median(ratios)) if ratios else 0.0
    if ringing <= _RINGING_AMBER:
        return _WELL
    return Verdict.AMBER, (
        f"{worn.sensor} goes on shaking after each step ({ringing:.1f} of the step's own): it is"
        " loose or on soft tissue, tighten it or move it onto bone."
    )


def _aligned(worn: _Worn, bows: Readings | None) -> tuple[Alignment | None, tuple[str, ...]]:
    try:
        if worn.segment is not Segment.PELVIS:
            axis = swing_axis(worn.rate_hz, worn.gyr, worn.acc, worn.standing)
        elif bows is not None:
            axis = bow_axis(bows.rate_hz, bows.gyr)
        else:
            return None, ()
        return align(worn.sensor, worn.segment, worn.standing, axis), ()
    except Refused as refused:
        return None, (str(refused),)
