"""How the person walks just now: figures of the last strides, and points of the charts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from edge.gait.metrics.describe import SYSTEM_SD
from edge.gait.metrics.estimate import LEAST_FOR_MEAN, Z_95, estimates
from edge.results import Record
from sensors import Side

from .figure import Figure, figure, spread_figure, withheld
from .machine import duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.results import Bout, Stride

    from .facts import Facts, LiveStride

# Means of so long: enough strides for an interval, young enough to follow what changes.
WINDOW_S = 20.0
# A live stride closes at most half a second late, and the slowest takes two and a half.
STILL_WALKS_S = 3.5
# The live analysis sees the end of its window as the edge of the walk.
HARMLESS = {"edge", "no_bout", "event_conflict"}
# Of the stance of one straight stride: docs/gait.md, "Fields of a stride".
STANCE_SD_S = 0.018
# Of a contact among all kinds of strides: docs/gait.md, "Swings and contacts".
CONTACT_SD_S = 0.022

State = Literal["walking", "standing", "waiting"]


class StridePoint(Record):
    """A stride on the charts; `sd` are standard deviations of this one stride."""

    id: str
    utc_s: float
    side: Side
    stride_time_s: float | None
    stride_time_sd_s: float | None
    stride_length_m: float | None
    stride_length_sd_m: float | None
    stance_pct: float | None
    stance_sd_pct: float | None


class SideView(Record):
    """Means of one side's last strides."""

    side: Side
    figures: tuple[Figure, ...]


class LastWalk(Record):
    """The newest bout that is over."""

    text: str
    figures: tuple[Figure, ...]


class WalkingView(Record):
    """What the strides of the last seconds say."""

    state: State
    text: str
    figures: tuple[Figure, ...]
    sides: tuple[SideView, ...]
    last_walk: LastWalk | None = None


def walking_view(facts: Facts) -> WalkingView:
    """Figures of the last strides, turning ones left out, and of the last bout."""
    window: list[Stride] = []
    if facts.strides:
        newest_ns = facts.strides[-1].mono_ns
        recent = [live for live in facts.strides if newest_ns - live.mono_ns <= WINDOW_S * 1e9]
        window = [live.stride for live in recent if HARMLESS.issuperset(live.stride.flags)]
    state, text = _state(facts)
    return WalkingView(
        state=state,
        text=text,
        figures=_of_both(window),
        sides=tuple(_of_side(side, [s for s in window if s.side is side]) for side in Side),
        last_walk=None if facts.bout is None else _last_walk(*facts.bout, facts.utc_s),
    )


def _state(facts: Facts) -> tuple[State, str]:
    if not facts.strides:
        return "waiting", "Waiting for the first strides."
    age_s = (facts.mono_ns - facts.strides[-1].mono_ns) * 1e-9
    means = f"Means of the last {WINDOW_S:.0f} s of walking, turns left out."
    if facts.told is None:
        return "waiting", f"Not live: the last stride was {_ago(age_s)}. {means}"
    if age_s < STILL_WALKS_S:
        return "walking", f"Walks. {means}"
    return "standing", f"Stands; the last stride was {_ago(age_s)}. {means}"


def stride_point(live: LiveStride) -> StridePoint | None:
    """A stride's place on the charts; None where it has no side."""
    stride = live.stride
    if stride.side is None:
        return None
    share = _stance_pct(stride)
    known = stride.stride_time_s is not None and share is not None
    return StridePoint(
        id=live.id,
        utc_s=live.utc_s,
        side=stride.side,
        stride_time_s=stride.stride_time_s,
        stride_time_sd_s=stride.stride_time_sd_s,
        stride_length_m=stride.stride_length_m,
        stride_length_sd_m=stride.stride_length_sd_m,
        stance_pct=share,
        stance_sd_pct=100.0 * STANCE_SD_S / (stride.stride_time_s or 1.0) if known else None,
    )


def _of_both(window: Sequence[Stride]) -> tuple[Figure, ...]:
    times = [stride.stride_time_s for stride in window]
    time_s = float(np.mean([t for t in times if t is not None])) if any(times) else np.nan
    cadence_sd = 120.0 / time_s**2 * SYSTEM_SD["stride_time_s"]
    speeds = [
        length / time if length is not None and time else None
        for length, time in ((s.stride_length_m, s.stride_time_s) for s in window)
    ]
    return (
        _mean("Cadence", "steps/min", [120.0 / t if t else None for t in times], cadence_sd),
        _mean("Speed", "m/s", speeds, SYSTEM_SD["stride_length_m"] / time_s),
    )


def _of_side(side: Side, strides: Sequence[Stride]) -> SideView:
    times = [stride.stride_time_s for stride in strides]
    time_s = float(np.mean([t for t in times if t is not None])) if any(times) else np.nan
    stance_sd = 100.0 * SYSTEM_SD["stance_time_s"] / time_s
    return SideView(
        side=side,
        figures=(
            _mean("Stride time", "s", times, SYSTEM_SD["stride_time_s"]),
            _mean(
                "Stride length",
                "m",
                [stride.stride_length_m for stride in strides],
                SYSTEM_SD["stride_length_m"],
            ),
            _mean("Stance share", "%", [_stance_pct(s) for s in strides], stance_sd),
        ),
    )


def _mean(label: str, unit: str, values: Sequence[float | None], system_sd: float) -> Figure:
    """Mean of what is known, with the interval that all metrics have (docs/gait.md)."""
    column = np.array([np.nan if v is None else v for v in values], dtype=np.float64)[:, None]
    (found,) = estimates(column)
    if found.n < LEAST_FOR_MEAN:
        return withheld(label, unit, f"{found.n} strides, {LEAST_FOR_MEAN} needed")
    half = float(np.hypot(found.half, Z_95 * system_sd))
    return figure(label, unit, found.mean, (found.mean - half, found.mean + half))


def _stance_pct(stride: Stride) -> float | None:
    if stride.stance_time_s is None or not stride.stride_time_s:
        return None
    return 100.0 * stride.stance_time_s / stride.stride_time_s


def _last_walk(ended_utc_s: float, bout: Bout, utc_s: float) -> LastWalk:
    lasted = duration(bout.end_s - bout.start_s)
    ended = _ago(utc_s - ended_utc_s)
    return LastWalk(
        text=f"{bout.n_strides} strides in {lasted}, ended {ended}",
        figures=bout_figures(bout),
    )


def bout_figures(bout: Bout) -> tuple[Figure, ...]:
    """Speed, stride length and cadence of a walk that is over."""
    return (
        spread_figure("Speed", "m/s", bout.speed_mps, bout.speed_sd_mps),
        spread_figure("Stride length", "m", bout.stride_length_m, bout.stride_length_sd_m),
        _cadence(bout),
    )


def _cadence(bout: Bout) -> Figure:
    """Steps by time: what is unsure is when the first and the last foot landed."""
    if bout.cadence_spm is None:
        return withheld("Cadence", "steps/min", "not known")
    share = Z_95 * CONTACT_SD_S * 2.0**0.5 / max(bout.end_s - bout.start_s, 1.0)
    half = bout.cadence_spm * share
    interval = bout.cadence_spm - half, bout.cadence_spm + half
    return figure("Cadence", "steps/min", bout.cadence_spm, interval)


def _ago(seconds: float) -> str:
    return f"{duration(seconds)} ago"
