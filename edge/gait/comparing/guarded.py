"""A guarded, stiff gait: which of its components grew or fell. Screening words, no score.

docs/gait.md: against the person's own other condition, at matched speed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.results import Effect

# Which way a field goes when a gait becomes guarded, and what to call it.
COMPONENTS = {
    "foot_strike_angle_deg": (-1, "flat landing"),
    "shank_swing_rate_degps": (-1, "slow shank swing"),
    "double_support_s": (1, "long double support"),
    "obliquity_range_deg": (-1, "stiff pelvis"),
    "push_off_rate_degps": (-1, "weak push-off"),
    "shank_shock_g": (-1, "soft landing"),
    "harmonic_ratio_vertical": (-1, "uneven trunk"),
}


def guarded_components(effects: Iterable[Effect], *, grew: bool) -> tuple[str, ...]:
    """Names of the components that surely grew, or surely fell, on either side."""
    sign = 1 if grew else -1
    return tuple(
        f"{COMPONENTS[e.name][1]}, {e.side}"
        for e in effects
        if e.sure and e.name in COMPONENTS and e.change * COMPONENTS[e.name][0] * sign > 0.0
    )
