"""Shared taps in, time offsets between sensors out.

All sensors lie on one plate; somebody knocks on it. The knock reaches every sensor within a
fraction of a millisecond, so what is left between their onsets is an error of their clocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from calibration.errors import Refused
from calibration.limits import TIMING_OFFSET_S, TIMING_OFFSET_U95_S
from calibration.model import TimingFit, Verdict

from .sphere import student_t95

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from numpy.typing import NDArray

    from calibration.guide import GuideStep
    from calibration.trial import Readings

    Array = NDArray[np.float64]

METHOD = "timing_taps@1.0"
STEP = "taps"
LEAST_TAPS = 5
_PEAK_MPS2 = 1.0
_BETWEEN_TAPS_S = 0.5
_WINDOW_S = 0.06


def tap_times(readings: Readings) -> Array:
    """Moments of the knocks, (n,) s: centre of energy of each knock.

    The centre of energy resolves a fraction of a sample, where a threshold would only count them.
    """
    energy = _shock(readings.acc)
    time_s = readings.time_s
    limit = max(_PEAK_MPS2**2, 0.1 * float(np.quantile(energy, 0.9999)))
    centres: list[float] = []
    for at in np.flatnonzero(energy > limit):
        if centres and time_s[at] - centres[-1] < _BETWEEN_TAPS_S:
            continue
        near = (time_s > time_s[at] - _WINDOW_S / 3) & (time_s < time_s[at] + _WINDOW_S)
        centres.append(float(np.average(time_s[near], weights=energy[near])))
    return np.array(centres)


def judge_taps(_: GuideStep, sensors: Mapping[str, Readings]) -> str:
    """Whether every sensor felt taps enough.

    Raises
    ------
    Refused
        If one did not.
    """
    felt = {name: len(tap_times(readings)) for name, readings in sensors.items()}
    weakest = min(felt, key=lambda name: felt[name])
    if felt[weakest] < LEAST_TAPS:
        raise Refused(
            f"{weakest} felt {felt[weakest]} taps and {LEAST_TAPS} are needed: fix it to the plate,"
            f" knock harder and repeat {STEP}.",
            STEP,
        )
    return f"{felt[weakest]} taps felt by every sensor"


def fit_timing(
    sensors: Mapping[str, Readings], reference: str, made: datetime
) -> dict[str, TimingFit]:
    """Offsets of all sensors against the reference.

    Parameters
    ----------
    sensors : mapping of name to Readings
        All on one plate, on the same host clock.
    reference : str
        Whose time is held to be right.
    made : datetime
        When the readings were taken.

    Raises
    ------
    Refused
        If a sensor felt other taps than the reference, or fewer than five.
    """
    true_s = tap_times(sensors[reference])
    if len(true_s) < LEAST_TAPS:
        raise Refused(
            f"{reference} felt {len(true_s)} taps and {LEAST_TAPS} are needed, a second apart:"
            f" repeat {STEP}.",
            STEP,
        )
    return {
        name: _offset(name, tap_times(readings), reference, true_s, made)
        for name, readings in sensors.items()
        if name != reference
    }


def _offset(name: str, felt_s: Array, reference: str, true_s: Array, made: datetime) -> TimingFit:
    if len(felt_s) != len(true_s):
        raise Refused(
            f"{name} felt {len(felt_s)} taps and {reference} {len(true_s)}: fix all sensors to the"
            f" plate, knock harder and repeat {STEP}.",
            STEP,
        )
    differences = felt_s - true_s
    offset = float(differences.mean())
    u95 = student_t95(len(differences) - 1.0) * float(differences.std(ddof=1))
    u95 /= float(np.sqrt(len(differences)))
    off = abs(offset) > TIMING_OFFSET_S or u95 > TIMING_OFFSET_U95_S
    finding = (
        f"{name} is {offset * 1e3:+.1f} +- {u95 * 1e3:.1f} ms off {reference}: check its"
        f" cable and latency timer, then repeat {STEP}."
    )
    return TimingFit(
        made=made,
        method=METHOD,
        verdict=Verdict.RED if off else Verdict.GREEN,
        findings=(finding,) if off else (),
        reference=reference,
        offset_s=offset,
        offset_u95_s=u95,
        n_taps=len(differences),
    )


def _shock(acc: Array) -> Array:
    """Squared change of the specific force against its running level, (n,)."""
    level = np.median(acc, axis=0)
    return np.asarray(np.sum((acc - level) ** 2, axis=1))
