"""Stretches of uninterrupted walking, and which of their strides are steady."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge.results import Bout

from .spatial import SCALE_SD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.results import Stride

# A pause between two landings of either foot that ends a bout.
LONGEST_PAUSE_S = 2.5
# Fewer strides are shifting about, not walking; one foot sees half of the strides.
LEAST_STRIDES = 5
LEAST_STRIDES_ONE_FOOT = 3
# The first and last strides of a foot in a bout speed up and slow down.
EDGE_STRIDES = 2
# Flags of strides that are no part of straight, level, undisturbed walking.
UNSTEADY = frozenset(
    {"from_standing", "turn", "level_change", "running", "lost_samples", "unusual_time", "edge"}
)
# Strides this close to a turn, in strides, belong to it.
TURN_REACH = 1.5


def bout_numbers(landed_s: NDArray[np.float64], n_feet: int) -> NDArray[np.int64]:
    """Number of the bout of each landing (m,), in the order of time; 0 in none."""
    if not len(landed_s):
        return np.zeros(0, dtype=np.int64)
    group = np.cumsum(np.diff(landed_s, prepend=landed_s[0]) > LONGEST_PAUSE_S)
    least = LEAST_STRIDES if n_feet > 1 else LEAST_STRIDES_ONE_FOOT
    walked = np.bincount(group) >= least
    return np.where(walked, np.cumsum(walked), 0)[group]


def unusual_times(stride_time_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Strides whose duration is further than 3 robust standard deviations from the median."""
    known = stride_time_s[np.isfinite(stride_time_s)]
    if not len(known):
        return np.zeros(len(stride_time_s), dtype=bool)
    middle = np.median(known)
    # 1.48 x the median deviation is the SD of a normal distribution; below 10 ms it is resolution.
    spread = max(1.4826 * np.median(np.abs(known - middle)), 0.010)
    return np.asarray(np.abs(stride_time_s - middle) > 3.0 * spread)


def near_turns(
    time_s: NDArray[np.float64], turns: NDArray[np.bool_], stride_time_s: float
) -> NDArray[np.bool_]:
    """Strides that turn or are within `TURN_REACH` strides of one that does."""
    if not turns.any():
        return turns
    distance = np.abs(time_s[:, None] - time_s[None, turns]).min(axis=1)
    return np.asarray(distance <= TURN_REACH * stride_time_s)


def describe_bout(number: int, strides: Sequence[Stride]) -> Bout:
    """Summary of the strides of one bout, which are in the order of time."""
    times = [s.stride_time_s for s in strides if s.stride_time_s is not None]
    rows = [
        (s.stride_length_m, s.stride_length_sd_m or 0.0, s.length_to_s - s.length_from_s)
        for s in strides
        if s.stride_length_m is not None
        and s.length_to_s is not None
        and s.length_from_s is not None
    ]
    bout = Bout(
        bout=number,
        start_s=min(s.initial_contact_s for s in strides),
        end_s=max(s.next_initial_contact_s for s in strides),
        n_strides=len(strides),
        cadence_spm=120.0 / float(np.mean(times)) if times else None,
        flags=() if rows else ("no_length",),
    )
    if not rows:
        return bout
    length, sd, lasts = np.array(rows).T
    # The errors of single strides average out, that of the scale does not.
    share = float(np.hypot(SCALE_SD, np.sqrt(np.sum(sd**2)) / length.sum()))
    speed = float(length.sum() / lasts.sum())
    mean = float(length.mean())
    return bout.model_copy(
        update={
            "speed_mps": speed,
            "speed_sd_mps": share * speed,
            "stride_length_m": mean,
            "stride_length_sd_m": share * mean,
        }
    )
