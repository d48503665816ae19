"""The view Day: hours, days and walks of one session, with intervals, or why there is none."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from pydantic import Field

from edge.results import Record

from .figure import Figure, metric_figure, spread_figure, withheld
from .machine import duration
from .walking import bout_figures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.results import Bout, Metric, Summary
    from edge.store.reader import SessionSpan

LABELS = {
    "stride_length_m": "Stride length",
    "stance_time_s": "Stance time",
    "double_support_s": "Double support",
    "foot_strike_angle_deg": "Foot angle at contact, toe up",
    "shank_rotation_deg": "Inward rotation of the shank",
    "eversion_rotation_ratio": "Shank rotation by eversion of the foot",
    "push_off_rate_degps": "Push-off rate",
    "shank_shock_g": "Shock at the shank",
    "pelvic_drop_deg": "Drop of the other side of the pelvis",
}
# What stands for asymmetry in the table of hours.
OF_HOURS = "stance_time_s"
MOST_WALKS = 40
# Of ten people's contacts 98.2 % were found, and 1.7 % too many: docs/gait.md.
STEPS_SHARE = 0.02


class SessionChoice(Record):
    """A session that can be looked at."""

    session: str
    first_utc_s: float
    last_utc_s: float
    runs: bool


class HourRow(Record):
    """An hour of the session."""

    start_utc_s: float
    walking_min: float
    coverage_pct: float
    steps: Figure
    speed: Figure
    asymmetry: Figure


class MetricRow(Record):
    """One metric of a whole day: each side, the difference, and what became of it in the day."""

    label: str
    left: Figure
    right: Figure
    difference: Figure
    trend: Figure | None


class DayBlock(Record):
    """A day of the session, from its beginning."""

    start_utc_s: float
    walking: str
    coverage_pct: float
    n_walks: int
    steps: Figure
    speed: Figure
    metrics: tuple[MetricRow, ...]


class WalkRow(Record):
    """A walk that is over."""

    start_utc_s: float
    lasted: str
    n_strides: int
    figures: tuple[Figure, ...]
    flags: tuple[str, ...]


class DayView(Record):
    """A session's hours, days and walks: the answer of `/api/day`."""

    session: str | None
    sessions: tuple[SessionChoice, ...]
    hours: tuple[HourRow, ...] = ()
    days: tuple[DayBlock, ...] = ()
    walks: tuple[WalkRow, ...] = Field(default=(), description="The newest first")
    n_walks: int = 0
    pending: str | None = Field(default=None, description="What is not summed up yet")


def day_view(
    session: str | None,
    running: str | None,
    spans: Sequence[SessionSpan],
    hours: Sequence[Summary],
    days: Sequence[Summary],
    bouts: Sequence[tuple[float, Bout]],
) -> DayView:
    """Make the view of a session.

    Parameters
    ----------
    session, running
        The one to show, and the one that runs now.
    spans : sequence of SessionSpan
        All that can be chosen.
    hours, days
        Summaries of the session, in the order of time.
    bouts : sequence of (utc_s, Bout)
        With the moment each ended, in the order of time.
    """
    zero_utc_s = _zero(session, spans, bouts)
    return DayView(
        session=session,
        sessions=tuple(
            SessionChoice(
                session=span.session,
                first_utc_s=span.first_utc_ns * 1e-9,
                last_utc_s=span.last_utc_ns * 1e-9,
                runs=span.session == running,
            )
            for span in spans
        ),
        hours=tuple(_hour(hour, zero_utc_s) for hour in hours),
        days=tuple(_day(day, zero_utc_s) for day in days),
        walks=tuple(_walk(bout, zero_utc_s) for _, bout in reversed(bouts[-MOST_WALKS:])),
        n_walks=len(bouts),
        pending=_pending(session == running and session is not None, hours, bouts),
    )


def _zero(
    session: str | None, spans: Sequence[SessionSpan], bouts: Sequence[tuple[float, Bout]]
) -> float:
    """Second 0 of the session, UTC: by its newest walk, when the clock had most time to be set."""
    if bouts:
        ended_utc_s, bout = bouts[-1]
        return ended_utc_s - bout.end_s
    found = [span.first_utc_ns * 1e-9 for span in spans if span.session == session]
    return found[0] if found else 0.0


def _pending(
    runs: bool, hours: Sequence[Summary], bouts: Sequence[tuple[float, Bout]]
) -> str | None:
    """What has been walked since the last full hour, which is not summed up before it is over."""
    if not runs:
        return None
    since_s = hours[-1].end_s if hours else 0.0
    open_bouts = [bout for _, bout in bouts if bout.start_s >= since_s]
    if not open_bouts:
        return "The running hour is summed up some minutes after it ends; no walk in it so far."
    walked = duration(sum(bout.end_s - bout.start_s for bout in open_bouts))
    n_strides = sum(bout.n_strides for bout in open_bouts)
    n = len(open_bouts)
    walks = "1 walk" if n == 1 else f"{n} walks"
    return (
        f"Running hour, not summed up before it ends: {walks}, {walked} of walking, "
        f"{n_strides} strides."
    )


def _hour(hour: Summary, zero_utc_s: float) -> HourRow:
    asymmetry = _named(hour.metrics, OF_HOURS, "right_minus_left")
    return HourRow(
        start_utc_s=zero_utc_s + hour.start_s,
        walking_min=hour.walking_s / 60.0,
        coverage_pct=100.0 * hour.coverage,
        steps=_steps(hour),
        speed=_speed(hour),
        asymmetry=metric_figure("Stance, right minus left", asymmetry),
    )


def _day(day: Summary, zero_utc_s: float) -> DayBlock:
    trends = {trend.name.removesuffix("_in_8_h"): trend for trend in day.trends}
    names = dict.fromkeys(metric.name for metric in day.metrics)
    return DayBlock(
        start_utc_s=zero_utc_s + day.start_s,
        walking=duration(day.walking_s),
        coverage_pct=100.0 * day.coverage,
        n_walks=day.n_bouts,
        steps=_steps(day),
        speed=_speed(day),
        metrics=tuple(
            MetricRow(
                label=LABELS.get(name, name),
                left=metric_figure("Left", _named(day.metrics, name, "left")),
                right=metric_figure("Right", _named(day.metrics, name, "right")),
                difference=metric_figure(
                    "Right minus left", _named(day.metrics, name, "right_minus_left")
                ),
                trend=_trend(trends.get(name)),
            )
            for name in names
        ),
    )


def _trend(metric: Metric | None) -> Figure | None:
    return None if metric is None else metric_figure("Change in 8 h", metric, is_change=True)


def _named(metrics: Sequence[Metric], name: str, side: str) -> Metric:
    return next(found for found in metrics if found.name == name and found.side == side)


def _steps(summary: Summary) -> Figure:
    n = summary.n_steps
    half = ceil(STEPS_SHARE * n)
    return Figure(
        label="Steps",
        shown=f"{n:,}".replace(",", " "),
        unit="",
        spread=f"± {half}",
        value=n,
        interval=(n - half, n + half),
    )


def _speed(summary: Summary) -> Figure:
    if summary.n_bouts < 2:
        return withheld("Speed", "m/s", "one walk: see it below" if summary.n_bouts else "no walk")
    return spread_figure("Speed", "m/s", summary.speed_mps, summary.speed_sd_mps)


def _walk(bout: Bout, zero_utc_s: float) -> WalkRow:
    return WalkRow(
        start_utc_s=zero_utc_s + bout.start_s,
        lasted=duration(bout.end_s - bout.start_s),
        n_strides=bout.n_strides,
        figures=bout_figures(bout),
        flags=bout.flags,
    )
