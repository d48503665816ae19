"""Readings of one step of a calibration, and the trial on disk that they are kept in.

The trial holds the raw readings of every step, so that any fit can be made again from it. Each step
is one file that appears whole or not at all: when the power goes, the steps done are there, and the
walk goes on behind them. A step that was repeated keeps its earlier readings under a number.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from .errors import StoreError
from .model import now_utc

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sensors import Block

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """What one sensor said during one step, in SI but not corrected.

    Attributes
    ----------
    sensor : str
        Name of the sensor.
    time_s : (n,) float64
        Host time of each sample, seconds.
    gyr, acc : (n, 3) float64
        rad/s and m/s2, sensor frame.
    mag : (n, 3) float64 or None
        uT.
    saturated : (n,) bool
        True where a channel stood at the end of its range.
    temperature_c : float or None
        Of the chip during the step.
    """

    sensor: str
    time_s: Array
    gyr: Array
    acc: Array
    mag: Array | None
    saturated: NDArray[np.bool_]
    temperature_c: float | None = None

    def __len__(self) -> int:
        return len(self.gyr)

    @property
    def rate_hz(self) -> float:
        """Mean rate of the samples."""
        return (len(self) - 1) / float(self.time_s[-1] - self.time_s[0])

    @property
    def duration_s(self) -> float:
        """From the first sample to the end of the last one's interval."""
        return len(self) / self.rate_hz

    def part(self, start_s: float, stop_s: float) -> Readings:
        """Samples of `[start_s, stop_s)` after the first one."""
        since = self.time_s - self.time_s[0]
        keep = (since >= start_s) & (since < stop_s)
        return Readings(
            self.sensor,
            self.time_s[keep],
            self.gyr[keep],
            self.acc[keep],
            None if self.mag is None else self.mag[keep],
            self.saturated[keep],
            self.temperature_c,
        )


def from_blocks(blocks: Sequence[Block], temperature_c: float | None = None) -> Readings:
    """Join the blocks of one sensor.

    Raises
    ------
    ValueError
        If there is no block, or blocks of several sensors.
    """
    if len({block.sensor for block in blocks}) != 1:
        raise ValueError("expected blocks of exactly one sensor")
    fields = [block.mag for block in blocks]
    return Readings(
        sensor=blocks[0].sensor,
        time_s=np.concatenate([block.host_ns for block in blocks]) * 1e-9,
        gyr=np.concatenate([block.gyr for block in blocks]),
        acc=np.concatenate([block.acc for block in blocks]),
        mag=np.concatenate([f for f in fields if f is not None]) if fields[0] is not None else None,
        saturated=np.concatenate([block.saturated for block in blocks]),
        temperature_c=temperature_c,
    )


class Trial:
    """A folder with the readings of the steps done so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def done(self) -> tuple[str, ...]:
        """Names of the steps whose readings are complete, in the order they were taken."""
        files = [f for f in self.folder.glob("*.npz") if ".earlier-" not in f.name]
        return tuple(f.stem for f in sorted(files, key=lambda f: (f.stat().st_mtime_ns, f.name)))

    def save(self, step: str, readings: Readings) -> None:
        """Write the readings of a step; those of an earlier try stay under another name."""
        target = self.folder / f"{step}.npz"
        unfinished = target.with_suffix(".unfinished")
        with unfinished.open("wb") as file:
            np.savez_compressed(
                file,
                sensor=np.array(readings.sensor),
                taken=np.array(now_utc().isoformat()),
                time_s=readings.time_s,
                gyr=readings.gyr,
                acc=readings.acc,
                mag=np.empty((0, 3)) if readings.mag is None else readings.mag,
                saturated=readings.saturated,
                temperature_c=np.array(
                    np.nan if readings.temperature_c is None else readings.temperature_c
                ),
            )
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            tries = len(list(self.folder.glob(f"{step}.earlier-*.npz")))
            target.replace(self.folder / f"{step}.earlier-{tries + 1}.npz")
        unfinished.replace(target)

    @property
    def taken(self) -> datetime:
        """When the latest step was taken.

        Raises
        ------
        StoreError
            If no step was.
        """
        done = self.done()
        if not done:
            raise StoreError(f"{self.folder}: holds no step of a trial yet")
        with np.load(self.folder / f"{done[-1]}.npz") as file:
            return datetime.fromisoformat(str(file["taken"]))

    def load(self, step: str) -> Readings:
        """Read the readings of a step.

        Raises
        ------
        StoreError
            If the step was never taken, or its file is damaged.
        """
        path = self.folder / f"{step}.npz"
        try:
            with np.load(path) as file:
                mag = file["mag"]
                temperature_c = float(file["temperature_c"])
                return Readings(
                    sensor=str(file["sensor"]),
                    time_s=file["time_s"],
                    gyr=file["gyr"],
                    acc=file["acc"],
                    mag=mag if len(mag) else None,
                    saturated=file["saturated"],
                    temperature_c=None if np.isnan(temperature_c) else temperature_c,
                )
        except (OSError, KeyError, ValueError) as error:
            raise StoreError(
                f"{path}: expected the readings of step {step}; take that step again"
            ) from error


class GroupTrial:
    """A trial of all sensors that a person wears: one folder, within it a `Trial` for each.

    Parameters
    ----------
    folder : Path
        Made if it is missing.
    sensors : sequence of str, optional
        Without them, those whose folders are there.
    """

    def __init__(self, folder: Path, sensors: Sequence[str] = ()) -> None:
        names = sensors or sorted(path.name for path in folder.glob("*/") if path.is_dir())
        self._trials = {name: Trial(folder / name) for name in names}

    @property
    def sensors(self) -> tuple[str, ...]:
        """Names of the sensors."""
        return tuple(self._trials)

    def done(self) -> tuple[str, ...]:
        """Steps whose readings are complete for every sensor."""
        each = [trial.done() for trial in self._trials.values()]
        return tuple(s for s in each[0] if all(s in done for done in each)) if each else ()

    @property
    def taken(self) -> datetime:
        """When the latest step was taken."""
        return max(trial.taken for trial in self._trials.values())

    def save(self, step: str, readings: Mapping[str, Readings]) -> None:
        """Write the readings of a step, those of one sensor after the other."""
        for name, trial in self._trials.items():
            trial.save(step, readings[name])

    def load(self, step: str) -> dict[str, Readings]:
        """Read the readings of a step.

        Raises
        ------
        StoreError
            If the step was never taken, or a file is damaged.
        """
        return {name: trial.load(step) for name, trial in self._trials.items()}


def on_one_grid(
    readings: Mapping[str, Readings],
) -> tuple[float, dict[str, tuple[Array, Array]]]:
    """Bring sensors with clocks of their own onto common ticks.

    Returns
    -------
    rate_hz : float
        Of the slowest sensor.
    readings : dict of sensor to (gyr, acc)
        Each (n, 3), interpolated between samples, over the time that all sensors share.
    """
    rate_hz = min(r.rate_hz for r in readings.values())
    start_s = max(float(r.time_s[0]) for r in readings.values())
    stop_s = min(float(r.time_s[-1]) for r in readings.values())
    ticks_s = np.arange(start_s, stop_s, 1 / rate_hz)

    def at_ticks(r: Readings, values: Array) -> Array:
        return np.stack([np.interp(ticks_s, r.time_s, values[:, k]) for k in range(3)], axis=1)

    return rate_hz, {name: (at_ticks(r, r.gyr), at_ticks(r, r.acc)) for name, r in readings.items()}
