"""One procedure of the bench from trial to stored calibration, live or from a recorded trial."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib.metadata import version
from itertools import count
from typing import TYPE_CHECKING

from rich.console import Console

from calibration.errors import CalibrationError, Refused
from calibration.fits import bench
from calibration.fits.accel import ANYWHERE_SD_MPS2
from calibration.fits.holds import read_hold
from calibration.fits.taps import fit_timing, judge_taps
from calibration.fits.verify import verify
from calibration.fitting.person import judge_fitting
from calibration.fitting.tapping import judge_tap
from calibration.guide import (
    ACCEL,
    ACCEL_SIX,
    FITTING,
    GYRO,
    MAG,
    NOISE,
    TAPPING,
    TAPS,
    VERIFY,
    GuideWalk,
)
from calibration.limits import MILLI_G, STANDARD_GRAVITY
from calibration.model import SensorCalibration, now_utc
from calibration.trial import GroupTrial, Trial

from .source import collect, collect_group
from .terminal import walk_guide

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from calibration import CalibrationStore
    from calibration.fits.mag import EarthField
    from calibration.guide import Guide
    from calibration.model import Fit

    from .source import SampleSource

GUIDES = {
    "accel": ACCEL,
    "accel-six": ACCEL_SIX,
    "gyro": GYRO,
    "mag": MAG,
    "noise": NOISE,
    "verify": VERIFY,
}
GROUP_JUDGES = {
    FITTING.name: judge_fitting,
    TAPS.name: judge_taps,
    TAPPING.name: judge_tap,
}


@dataclass(frozen=True)
class Bench:
    """What a procedure works with.

    Attributes
    ----------
    sensor : str
        Name of the sensor.
    store : CalibrationStore
        Where its calibration stands.
    trial : Path or None
        Folder of the raw readings; None is a folder beside the calibrations, the last one if it is
        not finished.
    source : SampleSource or None
        None fits from the trial as it is.
    gravity_mps2, gravity_sd_mps2 : float
        Of the place, and how sure.
    field : EarthField or None
        Of the place; the magnetometer needs it.
    console : Console or None
        Of the terminal walk.
    ask : callable or None
        Of the terminal walk.
    sleep : callable
        Of the countdowns.
    """

    sensor: str
    store: CalibrationStore
    trial: Path | None = None
    source: SampleSource | None = None
    gravity_mps2: float = STANDARD_GRAVITY
    gravity_sd_mps2: float = ANYWHERE_SD_MPS2
    field: EarthField | None = None
    console: Console | None = None
    ask: Callable[[str], str] | None = None
    sleep: Callable[[float], None] = time.sleep


def run_procedure(name: str, bench_: Bench) -> SensorCalibration | None:
    """Walk the guide where a sensor is connected, fit, and store.

    Returns
    -------
    SensorCalibration or None
        As it stands in the store now; None where the person stopped half-way.

    Raises
    ------
    CalibrationError
        With the step to repeat, where the readings cannot be used.
    """
    known = bench_.store.load(bench_.sensor) or SensorCalibration(sensor=bench_.sensor)
    trial = Trial(bench_.trial or _trial_folder(name, bench_))
    if bench_.source is None:
        fit: Fit | None = _fit(name, trial, bench_, known)
    else:
        fit = _walk(name, trial, bench_, known)
    if fit is None:
        return None
    field = {"accel-six": "accel", "verify": "verification"}.get(name, name)
    source = bench_.source
    made = known.model_copy(
        update={
            field: fit,
            "chip": (source.chip if source else "") or known.chip,
            "hardware_id": (source.hardware_id if source else "") or known.hardware_id,
            "software": f"evenstride {version('evenstride')}",
        }
    )
    bench_.store.save(made)
    return made


def fit_taps(trial: GroupTrial, reference: str, store: CalibrationStore) -> list[SensorCalibration]:
    """Time offsets of all sensors of a trial against one of them, stored."""
    readings = trial.load("taps")
    if reference not in readings:
        raise CalibrationError(
            f"{reference} is not in the trial; it holds {', '.join(readings) or 'no sensor'}"
        )
    taken = trial.taken
    made = []
    for name, fit in fit_timing(readings, reference, taken).items():
        known = store.load(name) or SensorCalibration(sensor=name)
        made.append(known.model_copy(update={"timing": fit}))
        store.save(made[-1])
    return made


def walk_group(
    guide: Guide, sources: Mapping[str, SampleSource], folder: Path
) -> GroupTrial | None:
    """Walk a guide with several sensors at once, into a new folder; None where it was stopped."""
    trial = GroupTrial(folder / f"{guide.name}-{now_utc():%Y%m%dT%H%M%SZ}", list(sources))
    finished = walk_guide(
        GuideWalk(guide, trial, GROUP_JUDGES[guide.name]),
        lambda step, tell: collect_group(sources, step.seconds, tell),
    )
    return trial if finished else None


def _walk(name: str, trial: Trial, bench_: Bench, known: SensorCalibration) -> Fit | None:
    """Walk until the fit accepts what was taken: a step that it refuses is taken again."""
    guide, source = GUIDES[name], bench_.source
    assert source is not None  # noqa: S101 (asked by the caller)
    console = bench_.console or Console(stderr=True)
    walk = GuideWalk(guide, trial, bench.JUDGES[guide.name])
    while walk_guide(
        walk,
        lambda step, tell: collect(source, step.seconds, tell),
        so_far=lambda: _accel_so_far(guide, trial, bench_.gravity_mps2),
        console=console,
        ask=bench_.ask,
        sleep=bench_.sleep,
    ):
        try:
            return _fit(name, trial, bench_, known)
        except Refused as refused:
            if refused.step not in walk.done:
                raise
            console.print(str(refused), style="red", markup=False)
            walk.repeat(refused.step)
    return None


def _trial_folder(name: str, bench_: Bench) -> Path:
    """The last trial of this procedure if it is not finished, else a new one."""
    for number in count(1):
        folder = bench_.store.folder / "trials" / f"{bench_.sensor}-{name}-{number}"
        if not folder.exists() or not bench.finished(GUIDES[name], Trial(folder)):
            return folder
    raise AssertionError("count never ends")


def _accel_so_far(guide: Guide, trial: Trial, gravity_mps2: float) -> str:
    """What the poses held so far say: the live residual, empty before it means anything."""
    if guide is not ACCEL:
        return ""
    try:
        fit = bench.accel_of_trial(trial, trial.taken, gravity_mps2)
    except CalibrationError:
        return ""
    return (
        f"{fit.n_poses} poses: off by {fit.pose_rms_mps2 / MILLI_G:.2f} mg RMS,"
        f" 95 % error {fit.error_u95_mps2 / MILLI_G:.1f} mg."
    )


def _fit(name: str, trial: Trial, bench_: Bench, known: SensorCalibration) -> Fit:
    taken = trial.taken
    match name:
        case "accel" | "accel-six":
            return bench.accel_of_trial(trial, taken, bench_.gravity_mps2, bench_.gravity_sd_mps2)
        case "gyro":
            return bench.gyro_of_trial(trial, taken, known.accel)
        case "mag" if bench_.field is not None:
            return bench.mag_of_trial(trial, taken, bench_.field)
        case "noise":
            return bench.noise_of_trial(trial, taken)
        case "verify":
            names = [step.name for step in VERIFY.steps if step.name in trial.done()]
            holds = [read_hold(trial.load(n), n) for n in names]
            hardware_id = bench_.source.hardware_id if bench_.source else ""
            return verify(known, holds, taken, hardware_id)
    raise CalibrationError("the magnetometer needs the place: give --latitude and --longitude")
