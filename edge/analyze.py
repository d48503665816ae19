"""A recording in, its `Analysis` out: the pipeline run over a file instead of live sensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from .errors import UserError
from .gait.sway import standing_sway
from .pipeline import Pipeline
from .results import Analysis, Person, RecordingSummary, Trajectory
from .summaries import Summaries
from .timegrid import Span, TimeGrid, join

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sensors import Block, Segment

    from .gait.leg_length import Phase
    from .gait.walk import Walk
    from .results import Metric, Record, Summary
    from .summaries import Period

# Paths of the feet are given for recordings up to this long; a day of them is no use in a result.
LONGEST_PATHS_S = 600.0
# A foot does not need more points a second than this to be drawn.
PATHS_HZ = 50.0
# A recording hands out its segments one after the other, some seconds of each at a time.
PATIENCE_S = 120.0
# A cut costs about as much for one tick as for a thousand.
SAMPLES_A_CUT = 20_000


class Recording(Protocol):
    """What a plain recording and one of our own have in common."""

    @property
    def rate_hz(self) -> float:
        """Ticks a second of the time grid."""

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Those that carry a sensor."""

    @property
    def start_s(self) -> float:
        """Time of its beginning on its own axis."""

    @property
    def origin_ns(self) -> int:
        """Host time of its beginning."""

    @property
    def duration_s(self) -> float:
        """Recorded time."""

    @property
    def info(self) -> dict[str, Any]:
        """What it says of the person."""

    @property
    def phases(self) -> tuple[dict[str, Any], ...]:
        """Labelled phases of a clinic protocol."""

    def blocks(self) -> Iterator[tuple[Segment, Block]]:
        """Gap-free blocks of all segments, about in the order of time."""


class Take(Protocol):
    """Takes in records of one list of an `Analysis`, as they are found."""

    def __call__(self, field: str, records: Sequence[Record], /) -> None:
        """Append them."""


def analyse_recording(
    recording: Recording, progress: Callable[[float], None] = lambda _: None
) -> Analysis:
    """All results of a recording in memory; `analyse_into` says what is raised."""
    lists: dict[str, list[Record]] = {}
    rest = analyse_into(
        recording, lambda name, new: lists.setdefault(name, []).extend(new), progress
    )
    return rest.model_copy(update={name: tuple(found) for name, found in lists.items()})


def analyse_into(
    recording: Recording, take: Take, progress: Callable[[float], None] = lambda _: None
) -> Analysis:
    """Run the pipeline over a recording; memory does not grow with its length.

    Parameters
    ----------
    recording : Recording
        Opened and checked.
    take : callable
        Takes what is found while the recording is read.
    progress : callable
        Called with the share that is done, 0 to 1.

    Returns
    -------
    Analysis
        What is known at the end only; its lists of what was found on the way are empty.

    Raises
    ------
    RecordingError
        Where a sample turns out to be unreadable.
    UserError
        Where a phase of the protocol, or the intake, makes no sense.
    """
    person = person_of(recording.info)
    phases: tuple[Phase, ...] = ()
    if recording.phases:
        # Late, here and below: few recordings are of a clinic's protocol.
        from .gait.leg_length import read_phases  # noqa: PLC0415

        phases = read_phases(recording.phases)
    pipeline = Pipeline(person)
    summaries = Summaries(recording.segments)
    paths = Paths() if recording.duration_s <= LONGEST_PATHS_S else None
    protocol: list[Span] = []
    n_ticks = 0
    n_valid = np.zeros(len(recording.segments))

    def found(walks: Sequence[Walk], closed: Sequence[tuple[Period, Summary]]) -> None:
        for walk in walks:
            take("contacts", walk.contacts)
            take("strides", walk.strides)
            take("bouts", walk.bouts)
            take("metrics", walk.metrics)
            if paths is not None:
                paths.add(walk)
        take("hours", [summary for period, summary in closed if period == "hour"])
        take("days", [summary for period, summary in closed if period == "day"])

    for span in spans_of(recording):
        walks = pipeline.push(span)
        found(walks, summaries.take(span, walks))
        if phases:
            protocol.append(span)
        n_ticks += len(span)
        n_valid += span.valid.sum(axis=0)
        progress(min(n_ticks / recording.rate_hz / recording.duration_s, 1.0))
    walks = pipeline.finish()
    found(walks, summaries.finish(walks))
    summary = RecordingSummary(
        duration_s=n_ticks / recording.rate_hz,
        rate_hz=recording.rate_hz,
        segments=recording.segments,
        valid_share=dict(zip(recording.segments, n_valid / max(n_ticks, 1), strict=True)),
    )
    return Analysis(
        recording=summary,
        trajectory={} if paths is None else paths.trajectories(),
        **(_of_protocol(join(protocol), phases, person) if protocol else {}),
    )


def _of_protocol(span: Span, phases: Sequence[Phase], person: Person) -> dict[str, Any]:
    from .gait.leg_length import estimate_leg_length  # noqa: PLC0415

    return {
        "standing": _sway(span, phases),
        "leg_length": estimate_leg_length(span, phases, person),
    }


def _sway(span: Span, phases: Sequence[Phase]) -> tuple[Metric, ...]:
    stands = [p for p in phases if p.phase == "stand" and not p.board_mm]
    return standing_sway(span, [(p.start_s, p.end_s) for p in stands])


def spans_of(recording: Recording) -> Iterator[Span]:
    """All blocks of a recording, on one time grid."""
    grid = TimeGrid(
        recording.rate_hz,
        recording.segments,
        recording.origin_ns,
        recording.start_s,
        patience_s=PATIENCE_S,
    )
    n_waiting = 0
    for segment, block in recording.blocks():
        grid.add(segment, block)
        n_waiting += len(block)
        if n_waiting >= SAMPLES_A_CUT:
            n_waiting = 0
            if (span := grid.take()) is not None:
                yield span
    if (span := grid.finish()) is not None:
        yield span


def person_of(info: dict[str, Any]) -> Person:
    """What `info` says of the person, in SI units; numbers that are none are left out."""

    def number(name: str, unit: float) -> float | None:
        value = info.get(name)
        if not isinstance(value, int | float) or not np.isfinite(value):
            return None
        return float(value) * unit

    return Person(
        height_m=number("Height", 0.01),
        weight_kg=number("Weight", 1.0),
        sensor_height_m=number("SensorHeight", 0.01),
        hip_width_m=number("hip_width_mm", 0.001),
        hip_width_sd_m=number("hip_width_sd_mm", 0.001),
        caliper_obliquity_rad=number("caliper_obliquity_deg", np.pi / 180.0),
        **_intake_of(info),
    )


def _intake_of(info: dict[str, Any]) -> dict[str, Any]:
    """What the clinic ticked before a protocol."""
    ticked = {"high_bmi_accepted", "walking_aid", "shoe_insert"} & info.keys()
    intake: dict[str, Any] = {key: info[key] is True for key in ticked}
    given = info.get("conditions", ())
    if not given:
        return intake
    from .gait.leg_length import CONDITIONS  # noqa: PLC0415

    unknown = [c for c in given if c not in CONDITIONS] if isinstance(given, list) else [given]
    if unknown:
        raise UserError(
            f"info, conditions: {unknown[0]!r} is not known; expected a list of "
            + ", ".join(CONDITIONS)
        )
    return intake | {"conditions": tuple(given)}


class Paths:
    """Ways of the feet of one stretch after the other; each begins where the one before ended."""

    def __init__(self) -> None:
        self._pieces: dict[Segment, list[tuple[Any, Any]]] = {}

    def add(self, walk: Walk) -> None:
        """Append the ways of a walk."""
        for segment, path in walk.paths.items():
            known = self._pieces.setdefault(segment, [])
            shift = known[-1][1][-1] - path.position_m[0] if known else -path.position_m[0]
            every = slice(None, None, round(path.time_s.size / np.ptp(path.time_s) / PATHS_HZ) or 1)
            known.append((path.time_s[every], path.position_m[every] + shift))

    def trajectories(self) -> dict[Segment, Trajectory]:
        """All that was appended."""
        return {
            segment: Trajectory(
                time_s=np.concatenate([p[0] for p in known]).round(4).tolist(),
                position_m=np.concatenate([p[1] for p in known]).round(4).tolist(),
            )
            for segment, known in self._pieces.items()
        }
