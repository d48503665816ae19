"""A trial on disk in, the fit out: what the terminal does at the end, and any day again later.

One judge and one fit for each guide of the technician's bench.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from calibration.errors import Refused
from calibration.guide import ACCEL, ACCEL_SIX, GYRO, MAG, NOISE, VERIFY, readings_of
from calibration.limits import STANDARD_GRAVITY

from .accel import FACES, POSES, fit_accel
from .gyro import fit_gyro, read_turn
from .holds import read_hold
from .mag import STEP as TURN_OVER
from .mag import cells_filled, fit_mag
from .noise import STEP as LONG_REST
from .noise import fit_noise

if TYPE_CHECKING:
    from calibration.guide import Guide, GuideStep
    from calibration.model import AccelFit, GyroFit, MagFit, NoiseFit
    from calibration.trial import Readings, Trial

    from .mag import EarthField

_REST_S = 30.0
# A pose is recognised within this of its name; the nearest other one is 35 deg away.
_POSE_RAD = math.radians(30)


def judge_pose(step: GuideStep, readings: Readings) -> str:
    """Still, and in the pose that was asked for."""
    hold = read_hold(readings, step.name)
    up = hold.acc / np.linalg.norm(hold.acc)
    angle = math.acos(min(1.0, float(up @ POSES[step.name])))
    if angle > _POSE_RAD:
        seen = max(POSES, key=lambda name: float(up @ POSES[name]))
        raise Refused(f"This is {seen}, not {step.name}: turn the sensor.", step.name)
    return f"still, {math.degrees(angle):.0f} deg from the named pose"


def judge_gyro(step: GuideStep, readings: Readings) -> str:
    """A long rest, or a turn that was counted right."""
    if not step.turns:
        read_hold(readings, step.name, _REST_S)
        return "still"
    turn = read_turn(readings, step.name, step.turns, None)
    counted = float(np.linalg.norm(turn.summed)) / (2 * math.pi)
    return f"{counted:.3f} turns by the uncorrected scale"


def judge_mag(_: GuideStep, readings: Readings) -> str:
    """Enough of the sphere shown; iron is judged by the fit."""
    if readings.mag is None:
        raise Refused("This sensor has no magnetometer.", TURN_OVER)
    middle = (readings.mag.max(axis=0) + readings.mag.min(axis=0)) / 2
    return f"{cells_filled(readings.mag - middle)} of 60 directions shown"


def judge_noise(_: GuideStep, readings: Readings) -> str:
    """Quiet from the first to the last second."""
    fit_noise(readings, datetime.now(UTC))
    return "quiet"


JUDGES = {
    ACCEL.name: judge_pose,
    ACCEL_SIX.name: judge_pose,
    VERIFY.name: judge_pose,
    GYRO.name: judge_gyro,
    MAG.name: judge_mag,
    NOISE.name: judge_noise,
}


def accel_of_trial(
    trial: Trial,
    made: datetime,
    gravity_mps2: float = STANDARD_GRAVITY,
    gravity_sd_mps2: float = 0.0,
) -> AccelFit:
    """Fit an accelerometer to every pose of a trial."""
    taken = readings_of(trial, tuple(POSES))
    names = FACES if set(taken) == set(FACES) else tuple(taken)
    holds = [read_hold(taken[name], name) for name in names]
    return fit_accel(holds, made, gravity_mps2, gravity_sd_mps2)


def gyro_of_trial(trial: Trial, made: datetime, accel: AccelFit | None) -> GyroFit:
    """Fit a gyroscope to the rests and turns of a trial."""
    names = trial.done()
    rests = [read_hold(trial.load(n), n, _REST_S) for n in names if n.startswith("rest")]
    turns = [
        read_turn(trial.load(step.name), step.name, step.turns, accel)
        for step in GYRO.steps
        if step.turns and step.name in names
    ]
    return fit_gyro(rests, turns, made)


def mag_of_trial(trial: Trial, made: datetime, field: EarthField) -> MagFit:
    """Fit a magnetometer to a trial."""
    return fit_mag(trial.load(TURN_OVER), field, made)


def noise_of_trial(trial: Trial, made: datetime) -> NoiseFit:
    """Judge the noise by a trial."""
    return fit_noise(trial.load(LONG_REST), made)


def finished(guide: Guide, trial: Trial) -> bool:
    """Whether every step that the guide needs has readings."""
    done = set(trial.done())
    return all(step.name in done or step.optional for step in guide.steps)
