"""Plain recordings (.npz, .csv) as a source of blocks, read in pieces so that a day fits in memory.

An `.npz` holds `SEGMENT_gyr` (rad/s) and `SEGMENT_acc` (m/s2), each (n, 3), for any of the five
segments, or for `foot` where the side does not matter; perhaps `SEGMENT_mag` (uT) and
`SEGMENT_measured` (False where a sample was lost); `fs` (Hz) and perhaps `t` (s). `info` and
`protocol` are JSON texts. A `.csv` has the same names with `_x`, `_y`, `_z` as columns, and `t`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .plain_files import SUFFIXES, RecordingError, describe, pieces
from .sample import Block, Segment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["PlainRecording", "RecordingError", "open_plain"]

# Read at a time: small enough that a day of recording needs no more memory than a minute.
PIECE_S = 30.0
# Two time stamps further apart than this many sample intervals have lost samples between them.
LOST_INTERVALS = 2.5
# Nanoseconds of later times do not fit into 64 bits; seconds since 1970 do until the year 2255.
LATEST_S = 9e9
MOTION = ("gyr", "acc", "mag")
# At rest and in walking the force is that of gravity on average: one if somebody wrote it in g.
ONE_G = (0.8, 1.2)
# No gyroscope for wearing reaches further (4000 deg/s are 70 rad/s).
GREATEST_RADPS = 80.0


@dataclass(frozen=True)
class PlainRecording:
    """One plain recording, opened and checked; samples are read when asked for.

    Attributes
    ----------
    path : Path
        The file.
    rate_hz : float
        Nominal sample rate, the same for all segments.
    segments : tuple of Segment
        Those that have angular rate and specific force.
    n_samples : int
        Samples of every segment.
    start_s : float
        Time of the first sample on the recording's own axis.
    info : dict
        What the recording says of the person; perhaps empty.
    phases : tuple of dict
        The labelled phases of a clinic protocol; perhaps empty.
    """

    path: Path
    rate_hz: float
    segments: tuple[Segment, ...]
    n_samples: int
    start_s: float
    info: dict[str, Any] = field(default_factory=dict)
    phases: tuple[dict[str, Any], ...] = ()

    @property
    def duration_s(self) -> float:
        """Recorded time, seconds."""
        return self.n_samples / self.rate_hz

    @property
    def origin_ns(self) -> int:
        """`host_ns` of a sample at `start_s`."""
        return round(self.start_s * 1e9)

    def blocks(self) -> Iterator[tuple[Segment, Block]]:
        """Yield the gap-free blocks of all segments, piece by piece in the order of time.

        Raises
        ------
        RecordingError
            At the first sample that is not a number, or the first time that goes back.
        """
        first = 0
        last_s = -np.inf
        for columns in pieces(self.path, max(round(PIECE_S * self.rate_hz), 1)):
            time_s = columns.get("t")
            n = len(next(iter(columns.values())))
            if time_s is None:
                time_s = self.start_s + (first + np.arange(n)) / self.rate_hz
            self._check_time(time_s, first, last_s)
            time_s = _spread_equal(time_s)
            for segment in self.segments:
                yield from self._segment_blocks(segment, columns, time_s, first)
            first += n
            last_s = float(time_s[-1])

    def _check_time(self, time_s: NDArray[np.float64], first: int, last_s: float) -> None:
        steps = np.diff(time_s, prepend=last_s)
        good = (steps >= 0) & (np.abs(time_s) < LATEST_S)
        if not good.all():
            at = int(np.argmin(good))
            raise RecordingError(
                f"{self.path}: t at sample {first + at} is {time_s[at]}; "
                "times must be numbers that never go back"
            )

    def _segment_blocks(
        self,
        segment: Segment,
        columns: dict[str, NDArray[Any]],
        time_s: NDArray[np.float64],
        first: int,
    ) -> Iterator[tuple[Segment, Block]]:
        prefix = _prefix(segment, columns)
        motion = [columns[f"{prefix}_{kind}"] for kind in MOTION if f"{prefix}_{kind}" in columns]
        readings = np.concatenate(motion, axis=1).astype(np.float64)
        measured = columns.get(f"{prefix}_measured", np.ones(len(readings))).astype(bool)
        broken = measured & ~np.isfinite(readings).all(axis=1)
        if broken.any():
            at = int(np.argmax(broken))
            raise RecordingError(
                f"{self.path}: {prefix} at sample {first + at} (t = {time_s[at]:.3f} s) is not a "
                f"number; mark a lost sample by False in {prefix}_measured"
            )
        if first == 0:
            self._check_units(prefix, readings[measured])
        lost_before = np.diff(time_s, prepend=time_s[0]) > LOST_INTERVALS / self.rate_hz
        host_ns = np.rint(time_s * 1e9).astype(np.int64)
        for part in _runs(measured, lost_before):
            yield (
                segment,
                Block(
                    sensor=segment,
                    epoch=0,
                    first_seq=self._sequence(first + part.start, float(time_s[part.start])),
                    ticks=np.arange(first + part.start, first + part.stop),
                    host_ns=host_ns[part],
                    readings=readings[part],
                    scale=np.ones(readings.shape[1]),
                    saturated=np.zeros(part.stop - part.start, dtype=bool),
                    time_sd_s=0.0,
                ),
            )

    def _check_units(self, prefix: str | None, readings: NDArray[np.float64]) -> None:
        if not len(readings):
            return
        rate, force = np.abs(readings[:, :3]).max(), np.linalg.norm(readings[:, 3:6], axis=1)
        if rate > GREATEST_RADPS:
            raise RecordingError(
                f"{self.path}: {prefix}_gyr reaches {rate:.0f}; expected rad/s, which no sensor "
                f"takes beyond {GREATEST_RADPS:.0f}; divide by 57.3 if it is in deg/s"
            )
        # The middle one of all: `np.median` would load masked arrays, 16 ms at every start.
        usual = np.partition(force, len(force) // 2)[len(force) // 2]
        if ONE_G[0] < usual < ONE_G[1]:
            raise RecordingError(
                f"{self.path}: {prefix}_acc is {usual:.2f} on average; expected about "
                "9.81 m/s2 with gravity in it; multiply by 9.81 if it is in g"
            )

    def _sequence(self, row: int, time_s: float) -> int:
        """Number of a sample; samples lost between two rows have had numbers of their own."""
        return max(row, round((time_s - self.start_s) * self.rate_hz))


def open_plain(path: Path) -> PlainRecording:
    """Open a plain recording and check everything that can be checked without reading it all.

    Raises
    ------
    RecordingError
        Where the file is missing, damaged, or lacks what a recording needs.
    """
    shapes, texts = describe(path)
    segments = tuple(s for s in Segment if _prefix(s, shapes) is not None)
    if not segments:
        raise RecordingError(
            f"{path}: no sensor found; expected arrays such as left_foot_gyr and left_foot_acc, "
            f"found {', '.join(sorted(shapes)[:8]) or 'nothing'}"
        )
    rate_hz = float(texts.get("fs", np.nan))
    if not (np.isfinite(rate_hz) and 10 <= rate_hz <= 10_000):
        raise RecordingError(f"{path}: fs is {rate_hz}; expected the sample rate, 10 to 10000 Hz")
    n_samples = _check_shapes(path, segments, shapes)
    return PlainRecording(
        path,
        rate_hz,
        segments,
        n_samples,
        float(texts.get("t0", 0.0)),
        _json(path, "info", texts.get("info"), {}),
        tuple(_json(path, "protocol", texts.get("protocol"), [])),
    )


def _check_shapes(
    path: Path, segments: tuple[Segment, ...], shapes: dict[str, tuple[int, ...]]
) -> int:
    wanted = [
        f"{_prefix(s, shapes)}_{suffix}"
        for s in segments
        for suffix in SUFFIXES
        if f"{_prefix(s, shapes)}_{suffix}" in shapes
    ]
    n_samples = shapes[wanted[0]][0] if shapes[wanted[0]] else 0
    if n_samples < 2:
        raise RecordingError(f"{path}: {wanted[0]} holds {n_samples} samples; expected 2 or more")
    for name in [*wanted, *(["t"] if "t" in shapes else [])]:
        single = name == "t" or name.endswith("_measured")
        expected = (n_samples,) if single else (n_samples, 3)
        if shapes[name] != expected:
            raise RecordingError(f"{path}: {name} has shape {shapes[name]}; expected {expected}")
    return n_samples


def _prefix(segment: Segment, names: dict[str, Any]) -> str | None:
    """Name under which a segment's arrays stand: its own, or `foot` where no side is told."""
    for prefix in (str(segment), *(["foot"] if segment == Segment.RIGHT_FOOT else [])):
        if f"{prefix}_gyr" in names and f"{prefix}_acc" in names:
            return prefix
    return None


def _spread_equal(time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put samples that share one time stamp in between: the last of them came at that time."""
    lasts = np.flatnonzero(np.diff(time_s, append=np.inf) > 0)
    if len(lasts) in (1, len(time_s)):
        return time_s
    return np.interp(np.arange(len(time_s)), lasts, time_s[lasts])


def _runs(measured: NDArray[np.bool_], lost_before: NDArray[np.bool_]) -> list[slice]:
    """Slices of measured samples with no loss inside."""
    begins = measured & (lost_before | ~np.concatenate([[False], measured[:-1]]))
    starts = np.flatnonzero(begins)
    ends = np.flatnonzero(~measured)
    stops = [
        min(
            starts[i + 1] if i + 1 < len(starts) else len(measured),
            ends[np.searchsorted(ends, start)] if len(ends) and ends[-1] > start else len(measured),
        )
        for i, start in enumerate(starts)
    ]
    return [slice(int(a), int(b)) for a, b in zip(starts, stops, strict=True)]


def _json(path: Path, name: str, text: str | None, default: Any) -> Any:
    if not text:
        return default
    try:
        value = json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise RecordingError(f"{path}: {name} is not JSON ({error})") from error
    if not isinstance(value, type(default)):
        kind = "an object" if isinstance(default, dict) else "a list"
        raise RecordingError(f"{path}: {name} is {str(text)[:40]!r}; expected {kind} in JSON")
    return value
