"""Before and after: what changed between two conditions of one person, at matched speed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edge.gait.metrics.describe import FIELDS, SYSTEM_SD, table_of
from edge.gait.metrics.estimate import LEAST_FOR_SPREAD, five_digits
from edge.gait.metrics.family import unit_of, words_of
from edge.gait.metrics.symmetry import INDEXED
from edge.results import Comparison, Effect
from sensors import Side

from .bootstrap import resampled_means
from .guarded import guarded_components
from .matching import matching_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.results import Stride

# What a clinician reads first (docs/gait.md), the chain, and what a guarded gait is told by.
HEADLINES = (
    "stride_length_m",
    "stance_time_s",
    "double_support_s",
    "foot_strike_angle_deg",
    "landing_inversion_deg",
    "eversion_rate_degps",
    "shank_rotation_deg",
    "eversion_rotation_ratio",
    "shank_swing_rate_degps",
    "push_off_rate_degps",
    "shank_shock_g",
    "obliquity_range_deg",
    "pelvic_drop_deg",
    "harmonic_ratio_vertical",
)
# Less in common than this, and the two walks are of different speeds.
LEAST_SHARED = 0.3
SEED = 7
# Each recording finds the segments' axes anew; what that changes, as a share of the error of the
# method (pairs of walks of one fitting of the virtual walker: 0.1 or less for the headlines).
REFIT_SHARE = 0.1
REFIT_SD = REFIT_SHARE * np.array(list(SYSTEM_SD.values()))
SENTENCES = 5


def compare(
    before: Sequence[Stride],
    after: Sequence[Stride],
    names: tuple[str, str] = ("before", "after"),
) -> Comparison:
    """Compare the steady strides of two conditions.

    Parameters
    ----------
    before, after : sequence of Stride
        In the order of time; sensors left on between them, or left and right errors of the new
        fitting are taken for effects.
    names : tuple
        What to call the conditions.

    Returns
    -------
    Comparison
        Effects on both sides and on the asymmetries, or why there are none.

    Notes
    -----
    Difference of means weighted to the common speeds, percentile interval of a bootstrap of blocks
    of ten strides (docs/gait.md). With many effects some leave their interval by chance: `sure` is
    what exceeds the greatest deviation that chance alone makes of any of them in 95 % of resamples.
    """
    tables = table_of(before), table_of(after)
    counts = [sum(len(values) for values in table.values()) for table in tables]
    told: dict[str, Any] = {
        "before": names[0],
        "after": names[1],
        "n_before": counts[0],
        "n_after": counts[1],
    }
    speeds = [np.concatenate([_speeds(v) for v in table.values()]) for table in tables]
    *weights, shared = matching_weights(*speeds)
    if min(counts) < 2 * LEAST_FOR_SPREAD:
        return _refused(told, f"{min(counts)} steady strides, {2 * LEAST_FOR_SPREAD} needed")
    if shared < LEAST_SHARED:
        means = " and ".join(f"{np.nanmean(s):.2f}" for s in speeds)
        return _refused(told, f"speeds of {means} m/s have too little in common")
    rng = np.random.default_rng(SEED)
    drawn = [_draw(table, w, rng) for table, w in zip(tables, weights, strict=True)]
    effects, withheld = _effects(*drawn)
    matched = [np.nansum(s * w) / w.sum() for s, w in zip(speeds, weights, strict=True)]
    return Comparison(
        **told,
        speed_mps=five_digits(float(np.mean(matched))),
        shared_share=five_digits(shared),
        effects=effects,
        withheld=withheld,
        guarded_more=guarded_components(effects, grew=True),
        guarded_less=guarded_components(effects, grew=False),
        verdict=_verdict(effects),
    )


def early_and_late(strides: Sequence[Stride]) -> tuple[list[Stride], list[Stride]]:
    """First and last third of the time that some strides took (docs/gait.md)."""
    if not strides:
        return [], []
    first, last = strides[0].initial_contact_s, strides[-1].next_initial_contact_s
    third = (last - first) / 3.0
    return (
        [s for s in strides if s.next_initial_contact_s <= first + third],
        [s for s in strides if s.initial_contact_s >= last - third],
    )


def _speeds(values: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths, times = (values[:, FIELDS.index(f)] for f in ("stride_length_m", "stride_time_s"))
    return np.asarray(lengths / times)


def _refused(told: dict[str, Any], reason: str) -> Comparison:
    return Comparison(**told, refused=reason, verdict=f"Not compared: {reason}.")


Draws = dict[tuple[str, str], tuple[float, "NDArray[np.float64]", int]]


def _draw(
    table: dict[Side, NDArray[np.float64]], weights: NDArray[np.float64], rng: np.random.Generator
) -> Draws:
    """Mean, resamples and number of strides of each headline and each index of symmetry."""
    draws: Draws = {}
    sides: dict[Side, tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]] = {}
    for side, w in zip(table, np.split(weights, [len(table[Side.LEFT])]), strict=True):
        mean, resamples = resampled_means(table[side], w, rng)
        resamples = resamples + rng.normal(0.0, REFIT_SD, resamples.shape)
        n = (np.isfinite(table[side]) & (w > 0.0)[:, None]).sum(axis=0)
        sides[side] = mean, resamples, n
        for field in HEADLINES:
            k = FIELDS.index(field)
            draws[field, side.value] = float(mean[k]), resamples[:, k], int(n[k])
    for name, field in INDEXED.items():
        k = FIELDS.index(field)
        (a, many_a, n_a), (b, many_b, n_b) = sides[Side.LEFT], sides[Side.RIGHT]
        index = 200.0 * np.abs(many_b[:, k] - many_a[:, k]) / (many_b[:, k] + many_a[:, k])
        mean_index = 200.0 * abs(b[k] - a[k]) / (b[k] + a[k])
        draws[f"{name}_asymmetry", "both"] = float(mean_index), index, int(min(n_a[k], n_b[k]))
    return draws


def _effects(before: Draws, after: Draws) -> tuple[tuple[Effect, ...], dict[str, str]]:
    withheld, changes = {}, {}
    for key, (mean, resamples, n) in before.items():
        after_mean, after_resamples, after_n = after[key]
        fewer = min(n, after_n)
        if fewer < LEAST_FOR_SPREAD:
            withheld[" ".join(key)] = f"{fewer} strides, {LEAST_FOR_SPREAD} needed"
            continue
        changes[key] = mean, after_mean, after_resamples - resamples
    if not changes:
        return (), withheld
    deviations = np.stack([d - (after - b) for b, after, d in changes.values()], axis=1)
    spread = np.maximum(deviations.std(axis=0), 1e-12)
    bound = float(np.percentile(np.abs(deviations / spread).max(axis=1), 95.0)) * spread
    effects = tuple(
        _effect(key, mean, after_mean, drawn, float(limit))
        for (key, (mean, after_mean, drawn)), limit in zip(changes.items(), bound, strict=True)
    )
    return effects, withheld


def _effect(
    key: tuple[str, str], before: float, after: float, drawn: NDArray[np.float64], bound: float
) -> Effect:
    name, side = key
    change = after - before
    low, high = np.percentile(drawn, [2.5, 97.5]).tolist()
    return Effect.model_validate(
        {
            "name": name,
            "side": side,
            "unit": "%" if name.endswith("_asymmetry") else unit_of(name),
            "before": five_digits(before),
            "after": five_digits(after),
            "change": five_digits(change),
            "interval": (five_digits(low), five_digits(high)),
            "detectable_change": five_digits((high - low) / 2.0),
            "sure": abs(change) > bound and not low <= 0.0 <= high,
        }
    )


def _verdict(effects: Sequence[Effect]) -> str:
    """The surest changes in plain words."""
    sure = [e for e in effects if e.sure]
    if not sure:
        return "No change beyond chance at matched speed."
    sure.sort(key=lambda e: -abs(e.change) / e.detectable_change)
    more = len(sure) - SENTENCES
    told = " ".join(_sentence(e) for e in sure[:SENTENCES])
    return f"{told} And {more} more." if more > 0 else told


def _sentence(effect: Effect) -> str:
    unit = "points" if effect.name.endswith("_asymmetry") else effect.unit.replace("1", "")
    words = words_of(effect.name).capitalize()
    side = "" if effect.side == "both" else f", {effect.side},"
    low, high = sorted(abs(x) for x in effect.interval)
    went = "rose" if effect.change > 0 else "fell"
    amount = f"{abs(effect.change):.3g} {unit}".strip()
    return f"{words}{side} {went} by {amount} (95 % {low:.3g} to {high:.3g})."
