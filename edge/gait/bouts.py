"""Stretches of uninterrupted walking, and which of their strides are steady."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge.results import Bout

from .spatial import SCALE_SD
from .strides import LEVEL_M

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.results import Stride

    from .strides import Strides

# A pause between two landings of either foot that ends a bout.
LONGEST_PAUSE_S = 2.5
# Fewer strides are shifting about, not walking; one foot sees half of the strides.
LEAST_STRIDES = 5
LEAST_STRIDES_ONE_FOOT = 3
# The first and last strides of a foot in a bout speed up and slow down.
EDGE_STRIDES = 2
# Limits of a straight, level stride of walking.
TURN_RAD = np.radians(20.0)
RUNNING_STANCE = 0.5
LOST_SHARE = 0.05
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


def stride_flags(
    strides: Strides, bout: NDArray[np.int64]
) -> tuple[list[tuple[str, ...]], NDArray[np.bool_]]:
    """What is to be said of each stride of one foot, and whether it is steady.

    Parameters
    ----------
    strides : Strides
        The m strides of the foot.
    bout : (m,) int64
        Number of the bout of each, 0 in none.
    """
    lasts = strides.end_s - strides.begin_s
    stance = strides.final_contact_s - strides.begin_s
    lost = np.append(0, np.cumsum(~strides.motion.valid))
    before, after = strides.still_before, strides.still_after
    table = {
        "from_standing": np.isnan(strides.begin_s),
        "edge": _at_edges(bout),
        "turn": _near_turns(strides.end_s, np.abs(strides.turn_rad) > TURN_RAD, lasts),
        "level_change": np.abs(strides.way_m[:, 2]) > LEVEL_M,
        "running": stance < RUNNING_STANCE * lasts,
        "unusual_time": _unusual(lasts),
        "lost_samples": (lost[after] - lost[before]) > LOST_SHARE * (after - before),
        "event_order": (strides.motion.time_s[strides.flat_from] < strides.begin_s)
        | (strides.final_contact_s >= strides.end_s),
        "no_bout": bout == 0,
    }
    steady = ~np.any(list(table.values()), axis=0)
    flags = [tuple(name for name, hit in table.items() if hit[i]) for i in range(len(strides))]
    return flags, steady


def _at_edges(bout: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The first and last strides of each bout."""
    edge = np.ones(len(bout), dtype=bool)
    inner = bout[EDGE_STRIDES:-EDGE_STRIDES]
    edge[EDGE_STRIDES:-EDGE_STRIDES] = (inner != bout[: -2 * EDGE_STRIDES]) | (
        inner != bout[2 * EDGE_STRIDES :]
    )
    return edge


def _unusual(lasts_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Strides whose duration is further than 3 robust standard deviations from the median."""
    known = lasts_s[np.isfinite(lasts_s)]
    if not len(known):
        return np.zeros(len(lasts_s), dtype=bool)
    middle = np.median(known)
    # 1.48 x the median deviation is the SD of a normal distribution; below 10 ms it is resolution.
    spread = max(1.4826 * np.median(np.abs(known - middle)), 0.010)
    return np.asarray(np.abs(lasts_s - middle) > 3.0 * spread)


def _near_turns(
    time_s: NDArray[np.float64], turns: NDArray[np.bool_], lasts_s: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Strides that turn or are within `TURN_REACH` strides of one that does."""
    if not turns.any():
        return turns
    known = lasts_s[np.isfinite(lasts_s)]
    usual_s = float(np.median(known)) if len(known) else 1.0
    distance = np.abs(time_s[:, None] - time_s[None, turns]).min(axis=1)
    return np.asarray(distance <= TURN_REACH * usual_s)


def describe_bout(number: int, strides: Sequence[Stride]) -> Bout:
    """Summary of the strides of one bout, which are in the order of time."""
    times = [s.stride_time_s for s in strides if s.stride_time_s is not None]
    rows = [
        (
            s.stride_length_m,
            s.stride_length_sd_m or 0.0,
            # A slow foot rests long: between its still moments lies less than a stride.
            s.stride_time_s or s.length_to_s - s.length_from_s,
        )
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
