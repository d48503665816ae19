"""Hours and days of a session: spans and walks in, summaries out. No clock, no file.

Both count from the beginning of the session, so that no step of a wall clock cuts them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from sensors import Segment, Side

from .gait.bouts import describe_bout
from .gait.fatigue import BoutPoint, trend_metric
from .gait.metrics.describe import FIELDS, SYSTEM_SD
from .gait.metrics.estimate import (
    LEAST_FOR_MEAN,
    Sums,
    difference_metric,
    estimates,
    five_digits,
    mean_metric,
)
from .gait.metrics.family import unit_of
from .results import Metric, Summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .gait import Walk
    from .results import Bout
    from .timegrid import Span

Period = Literal["hour", "day"]
HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
# A walk is analysed when it is over, in parts of up to five minutes: so long an hour
# stays open.
SETTLED_S = 330.0
SUMMARISED = (
    "stride_length_m",
    "stance_time_s",
    "double_support_s",
    "foot_strike_angle_deg",
    "shank_rotation_deg",
    "eversion_rotation_ratio",
    "push_off_rate_degps",
    "shank_shock_g",
    "pelvic_drop_deg",
)
COLUMNS = [FIELDS.index(name) for name in SUMMARISED]

NOTHING = Sums.of(np.empty((0, len(SUMMARISED))))


@dataclass(slots=True)
class _Hour:
    """What one hour gathered so far."""

    covered_s: float = 0.0
    n_landings: int = 0
    n_bouts: int = 0
    parts: list[Bout] = field(default_factory=list)
    points: list[BoutPoint] = field(default_factory=list)
    n_steady: int = 0
    sums: dict[Side, Sums] = field(default_factory=lambda: dict.fromkeys(Side, NOTHING))


class Summaries:
    """Gathers a session's hours and days.

    Parameters
    ----------
    segments : tuple of Segment
        Those that carry a sensor.
    """

    def __init__(self, segments: tuple[Segment, ...]) -> None:
        feet = {Segment.LEFT_FOOT, Segment.RIGHT_FOOT} & set(segments)
        # Of one foot, every second landing is seen; the pelvis sees both.
        self._steps_a_landing = 2 if len(feet) == 1 else 1
        self._hours: dict[int, _Hour] = {}
        self._closed_hours = 0
        self._closed_days = 0
        self._newest_s = 0.0
        self._last_bout = 0

    def take(self, span: Span, walks: Sequence[Walk]) -> list[tuple[Period, Summary]]:
        """Take in what came and what was found; gives the hours and days that are over."""
        self._cover(span)
        for walk in walks:
            self._add(walk)
        return self._close(self._newest_s - SETTLED_S)

    def finish(self, walks: Sequence[Walk]) -> list[tuple[Period, Summary]]:
        """Take in the last walks; gives what is still open."""
        for walk in walks:
            self._add(walk)
        last_h = int(self._newest_s // HOUR_S) + 1
        closed = self._close(last_h * HOUR_S)
        if self._hours:
            closed.append(("day", self._day()))
            self._hours.clear()
        return closed

    def _hour(self, time_s: float) -> _Hour:
        # Walks that were found too late still count for the day's last open hour.
        number = max(int(time_s // HOUR_S), self._closed_hours)
        return self._hours.setdefault(number, _Hour())

    def _cover(self, span: Span) -> None:
        if not len(span):
            return
        self._newest_s = span.start_s + len(span) / span.rate_hz
        share = span.valid.any(axis=1).mean()
        self._hour(span.start_s).covered_s += share * len(span) / span.rate_hz

    def _add(self, walk: Walk) -> None:
        """Take in the strides of a walk; a long bout comes in parts, each counted where it is."""
        for number, rows in walk.rows.items():
            part = describe_bout(number, rows)
            hour = self._hour(part.start_s)
            hour.n_bouts += number != self._last_bout
            self._last_bout = number
            hour.parts.append(part)
            hour.n_landings += len(rows)
            table = {side: values[:, COLUMNS] for side, values in rows.steady.items()}
            for side, values in table.items():
                hour.n_steady += len(values)
                hour.sums[side] += Sums.of(values)
            if (point := _point(part, np.concatenate(list(table.values())))) is not None:
                hour.points.append(point)

    def _close(self, before_s: float) -> list[tuple[Period, Summary]]:
        closed: list[tuple[Period, Summary]] = []
        while (self._closed_hours + 1) * HOUR_S <= before_s:
            number = self._closed_hours
            self._closed_hours += 1
            if number in self._hours:
                start_s = number * HOUR_S
                closed.append(("hour", self._summary([self._hours[number]], start_s, HOUR_S)))
            if self._closed_hours * HOUR_S >= (self._closed_days + 1) * DAY_S and self._hours:
                closed.append(("day", self._day()))
                self._hours.clear()
                self._closed_days += 1
        return closed

    def _day(self) -> Summary:
        start_s = self._closed_days * DAY_S
        hours = [self._hours[number] for number in sorted(self._hours)]
        points = [point for hour in hours for point in hour.points]
        trends = tuple(trend_metric(name, points) for name in SUMMARISED)
        return self._summary(hours, start_s, DAY_S).model_copy(update={"trends": trends})

    def _summary(self, hours: Sequence[_Hour], start_s: float, lasts_s: float) -> Summary:
        parts = [part for hour in hours for part in hour.parts]
        lasts = np.array([part.end_s - part.start_s for part in parts])
        speed, spread = _weighted([part.speed_mps for part in parts], lasts)
        cadence, _ = _weighted([part.cadence_spm for part in parts], lasts)
        left, right = (
            sum((hour.sums[side] for hour in hours), NOTHING) for side in (Side.LEFT, Side.RIGHT)
        )
        return Summary(
            start_s=start_s,
            end_s=start_s + lasts_s,
            coverage=min(sum(hour.covered_s for hour in hours) / lasts_s, 1.0),
            walking_s=five_digits(float(lasts.sum())),
            n_bouts=sum(hour.n_bouts for hour in hours),
            n_steps=self._steps_a_landing * sum(hour.n_landings for hour in hours),
            n_strides_steady=sum(hour.n_steady for hour in hours),
            speed_mps=speed,
            speed_sd_mps=spread,
            cadence_spm=cadence,
            metrics=_metrics(left, right),
        )


def _metrics(left: Sums, right: Sums) -> tuple[Metric, ...]:
    found: list[Metric] = []
    for name, a, b in zip(SUMMARISED, left.estimates(), right.estimates(), strict=True):
        unit, system_sd = unit_of(name), SYSTEM_SD[name]
        found += [
            mean_metric(name, unit, Side.LEFT, a, system_sd),
            mean_metric(name, unit, Side.RIGHT, b, system_sd),
            difference_metric(name, unit, a, b, system_sd),
        ]
    return tuple(found)


def _point(part: Bout, rows: NDArray[np.float64]) -> BoutPoint | None:
    """A bout's place in the day, where it has enough steady strides."""
    if part.speed_mps is None or len(rows) < LEAST_FOR_MEAN:
        return None
    means = [found.mean for found in estimates(rows)]
    return BoutPoint(
        part.start_s % DAY_S / HOUR_S, part.speed_mps, dict(zip(SUMMARISED, means, strict=True))
    )


def _weighted(
    values: Sequence[float | None], weights: NDArray[np.float64]
) -> tuple[float | None, float | None]:
    """Mean and standard deviation of what is known, by weight."""
    given = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    known = np.isfinite(given) & (weights > 0.0)
    if not known.any():
        return None, None
    mean = float(np.average(given[known], weights=weights[known]))
    about = float(np.average((given[known] - mean) ** 2, weights=weights[known]))
    return five_digits(mean), five_digits(about**0.5) if known.sum() > 1 else None
