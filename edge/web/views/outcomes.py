"""The view Results: leg length and comparisons of conditions, in words, with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from edge.clinic.words import leg_length_rows
from edge.gait.metrics.family import words_of
from edge.results import Record

from .figure import Figure, figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.results import Comparison, Effect, LegLength


class LegLengthView(Record):
    """One clinic protocol."""

    utc_s: float
    subject: str | None
    sentence: str
    rows: tuple[tuple[str, str], ...]


class EffectRow(Record):
    """What changed in one number."""

    label: str
    before: str
    after: str
    change: Figure
    sure: bool


class ComparisonView(Record):
    """One comparison of two conditions."""

    utc_s: float
    subject: str | None
    title: str
    verdict: str
    basis: str
    effects: tuple[EffectRow, ...] = Field(description="Those beyond chance first")
    withheld: tuple[tuple[str, str], ...]


class OutcomesView(Record):
    """The answer of `/api/results`; the newest first."""

    leg_lengths: tuple[LegLengthView, ...]
    comparisons: tuple[ComparisonView, ...]


def outcomes_view(
    leg_lengths: Sequence[tuple[float, str | None, LegLength]],
    comparisons: Sequence[tuple[float, str | None, Comparison]],
) -> OutcomesView:
    """Make the view; each result comes with its time (UTC, s) and the person's pseudonym."""
    return OutcomesView(
        leg_lengths=tuple(
            LegLengthView(
                utc_s=utc_s,
                subject=subject,
                sentence=leg_length_sentence(result),
                rows=tuple(leg_length_rows(result)),
            )
            for utc_s, subject, result in leg_lengths
        ),
        comparisons=tuple(_comparison(*known) for known in comparisons),
    )


def leg_length_sentence(result: LegLength) -> str:
    """What the protocol says, in one sentence; never a diagnosis."""
    if result.difference_mm is None or result.interval_mm is None:
        return f"No number is given: {result.refused or 'the reason is not known'}."
    low, high = result.interval_mm
    if result.longer_side in {None, "undetermined"}:
        return (
            f"Which leg is longer is not determined: right minus left lies between "
            f"{low:+.0f} and {high:+.0f} mm (95 %)."
        )
    ends = sorted(abs(end) for end in (low, high))
    return (
        f"Standing, in the shoes as worn, the {result.longer_side} leg works as the longer one, by "
        f"{abs(result.difference_mm):.0f} mm; 95 %: {ends[0]:.0f} to {ends[1]:.0f} mm."
    )


def _comparison(utc_s: float, subject: str | None, result: Comparison) -> ComparisonView:
    speed = "" if result.speed_mps is None else f", at {result.speed_mps:.2f} m/s"
    effects = sorted(result.effects, key=lambda effect: not effect.sure)
    return ComparisonView(
        utc_s=utc_s,
        subject=subject,
        title=(
            f"{result.before} ({result.n_before} strides) against "
            f"{result.after} ({result.n_after} strides){speed}"
        ),
        verdict=result.verdict,
        basis="Within one session, sensors left on: repeated fittings have not been studied yet.",
        effects=tuple(_effect(effect) for effect in effects),
        withheld=tuple((_label(*key.split()), why) for key, why in result.withheld.items()),
    )


def _effect(effect: Effect) -> EffectRow:
    unit = "" if effect.unit == "1" else effect.unit
    change = figure("Change", unit, effect.change, effect.interval, signed=True)
    return EffectRow(
        label=_label(effect.name, effect.side),
        before=f"{effect.before:.4g}",
        after=f"{effect.after:.4g}",
        change=change,
        sure=effect.sure,
    )


def _label(name: str, side: str) -> str:
    words = words_of(name).capitalize()
    return words if side == "both" else f"{words}, {side}"
