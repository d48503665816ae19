"""Which sensor sits where, told by tapping each in turn: sure, and with nobody walking."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from calibration.errors import Refused
from calibration.guide import TAP
from sensors import Segment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from calibration.guide import GuideStep
    from calibration.trial import GroupTrial, Readings

# A tap on the case is 20 m/s2 and more; through strap and bone a tenth of it reaches the neighbour.
_LEAST_MPS2 = 8.0
_OVER_SECOND = 2.0


def tapped_sensor(sensors: Mapping[str, Readings], step: str) -> str:
    """Name of the sensor that was tapped.

    Raises
    ------
    Refused
        If none was tapped, or two were shaken alike.
    """
    shock = {name: _shock(readings) for name, readings in sensors.items()}
    ranked = sorted(shock, key=lambda name: -shock[name])
    if shock[ranked[0]] < _LEAST_MPS2:
        raise Refused(f"No tap was felt: tap the case with a finger nail, repeat {step}.", step)
    if len(ranked) > 1 and shock[ranked[0]] < _OVER_SECOND * shock[ranked[1]]:
        raise Refused(
            f"{ranked[0]} and {ranked[1]} were shaken alike: stand still, tap one only,"
            f" repeat {step}.",
            step,
        )
    return ranked[0]


def judge_tap(step: GuideStep, sensors: Mapping[str, Readings]) -> str:
    """Whether one sensor was tapped, and which."""
    return f"{tapped_sensor(sensors, step.name)} sits there"


def placement_by_taps(trial: GroupTrial) -> dict[str, Segment]:
    """Sensor to segment, from the tapping steps that were taken.

    Raises
    ------
    Refused
        If one sensor was tapped for two segments.
    """
    found: dict[str, Segment] = {}
    for segment in Segment:
        step = TAP + segment
        if step not in trial.done():
            continue
        sensor = tapped_sensor(trial.load(step), step)
        if sensor in found:
            raise Refused(
                f"{sensor} was tapped for {found[sensor]} and for {segment}: repeat {step}.", step
            )
        found[sensor] = segment
    return found


def _shock(readings: Readings) -> float:
    """Greatest jump of the specific force from one sample to the next."""
    return float(np.linalg.norm(np.diff(readings.acc, axis=0), axis=1).max())
