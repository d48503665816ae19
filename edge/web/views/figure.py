"""A number as the page shows it: with its unit and how sure it is, or with the reason for none."""

from __future__ import annotations

from math import floor, log10
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from edge.results import Record

if TYPE_CHECKING:
    from edge.results import Metric

Light = Literal["good", "look", "mend", "none"]
# The first is the worst.
LIGHTS: tuple[Light, ...] = ("mend", "look", "none", "good")
MOST_DECIMALS = 3
# Differences between the sides are small: people read them in thousandths.
OF_DIFFERENCES = {"s": (1000.0, "ms"), "m": (1000.0, "mm")}


class Figure(Record):
    """A number for people."""

    label: str
    shown: str | None = Field(description="Rounded to what the interval allows")
    unit: str = Field(description="Empty where it has none")
    spread: str | None = Field(
        default=None, description="Half the 95 % interval as `± 0.03`, or an SD that says so"
    )
    value: float | None = Field(default=None, description="Not rounded, in the same unit")
    interval: tuple[float, float] | None = Field(default=None, description="95 %")
    reason: str | None = Field(default=None, description="Why there is no number")


def worst(lights: list[Light]) -> Light:
    """The light that deserves attention most; none at all is good."""
    return min(lights, key=LIGHTS.index, default="good")


def decimals(spread: float) -> int:
    """Places after the point that a number with this uncertainty deserves."""
    if spread <= 0.0:
        return MOST_DECIMALS
    place = floor(log10(spread))
    # Two digits of an uncertainty that begins with 1, else one.
    more = 1 if spread < 2.0 * 10.0**place else 0
    return min(max(more - place, 0), MOST_DECIMALS)


def figure(
    label: str,
    unit: str,
    value: float,
    interval: tuple[float, float],
    *,
    signed: bool = False,
) -> Figure:
    """A number with its 95 % interval."""
    half = (interval[1] - interval[0]) / 2.0
    places = decimals(half)
    sign = "+" if signed else ""
    # An interval that was cut at a limit is not even: then both ends are told.
    even = abs((interval[0] + interval[1]) / 2.0 - value) <= 0.1 * half
    low, high = (f"{end:{sign}.{places}f}" for end in interval)
    return Figure(
        label=label,
        shown=f"{value:{sign}.{places}f}",
        unit=unit,
        spread=f"± {half:.{places}f}" if even else f"{low} to {high}",
        value=value,
        interval=interval,
    )


def spread_figure(label: str, unit: str, value: float | None, sd: float | None) -> Figure:
    """A number of which only a standard deviation is known; withheld where not even that is."""
    if value is None or sd is None:
        return withheld(label, unit, "not known" if value is None else "too few for a spread")
    places = decimals(sd)
    return Figure(
        label=label,
        shown=f"{value:.{places}f}",
        unit=unit,
        spread=f"SD {sd:.{places}f}",
        value=value,
    )


def withheld(label: str, unit: str, reason: str) -> Figure:
    """No number, and why."""
    return Figure(label=label, shown=None, unit=unit, reason=reason)


def metric_figure(label: str, metric: Metric, *, is_change: bool = False) -> Figure:
    """A metric of the results; differences and changes of times and lengths in thousandths."""
    is_difference = is_change or metric.side == "right_minus_left"
    unit = "" if metric.unit == "1" else metric.unit
    factor, unit = OF_DIFFERENCES.get(unit, (1.0, unit)) if is_difference else (1.0, unit)
    if metric.value is None or metric.interval is None:
        return withheld(label, unit, metric.reason or "not known")
    low, high = metric.interval
    return figure(
        label, unit, factor * metric.value, (factor * low, factor * high), signed=is_difference
    )
