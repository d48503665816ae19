"""Stretches of uninterrupted walking, and which of their strides are steady."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from edge.results import Bout

from .bout_rows import BoutSpeed
from .pelvis import pelvis_speed
from .stance import median
from .strides import LEVEL_M
from .timing import impossible
from .way_error import SCALE_SD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .bout_rows import BoutRows
    from .strides import Strides

# A pause between two landings of either foot that ends a bout.
LONGEST_PAUSE_S = 2.5
# Fewer strides are shifting about, not walking; one foot sees half of the strides.
LEAST_STRIDES = 5
LEAST_STRIDES_ONE_FOOT = 3
# The first and last strides of a foot in a bout speed up and slow down.
EDGE_STRIDES = 2
# Where fewer of its strides have a length, those that are left do not stand for the bout.
LEAST_KNOWN = 0.5
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
        | impossible(strides),
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
    middle = median(known)
    # 1.48 x the median deviation is the SD of a normal distribution; below 10 ms it is resolution.
    spread = max(1.4826 * float(median(np.abs(known - middle))), 0.010)
    return np.asarray(np.abs(lasts_s - middle) > 3.0 * spread)


def _near_turns(
    time_s: NDArray[np.float64], turns: NDArray[np.bool_], lasts_s: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Strides that turn or are within `TURN_REACH` strides of one that does."""
    if not turns.any():
        return turns
    known = lasts_s[np.isfinite(lasts_s)]
    usual_s = float(median(known)) if len(known) else 1.0
    distance = np.abs(time_s[:, None] - time_s[None, turns]).min(axis=1)
    return np.asarray(distance <= TURN_REACH * usual_s)


def describe_bout(number: int, rows: BoutRows, flags: tuple[str, ...] = ()) -> Bout:
    """Summary of the strides of one bout."""
    times = rows.every["stride_time_s"]
    known = np.isfinite(times)
    speed = pelvis_speed(rows) if rows.pelvis_only else _speed(rows)
    own = ("pelvis_only",) * rows.pelvis_only + ("no_length",) * (speed is None)
    return Bout(
        bout=number,
        start_s=float(rows.every["initial_contact_s"].min()),
        end_s=float(rows.every["next_initial_contact_s"].max()),
        n_strides=len(rows),
        cadence_spm=120.0 / float(times[known].mean()) if known.any() else None,
        flags=(*own, *flags),
        **({} if speed is None else asdict(speed)),
    )


def _speed(rows: BoutRows) -> BoutSpeed | None:
    """Speed and length by the ways of the feet."""
    length, times = rows.every["stride_length_m"], rows.every["stride_time_s"]
    # A slow foot rests long: between its still moments lies less than a stride.
    between = rows.every["length_to_s"] - rows.every["length_from_s"]
    lasts = np.where(np.isnan(times), between, times)
    known = np.isfinite(length) & np.isfinite(lasts)
    if np.count_nonzero(known) < max(LEAST_KNOWN * len(rows), 1):
        return None
    way_m = float(length[known].sum())
    sd = np.nan_to_num(rows.every["stride_length_sd_m"][known])
    # The errors of single strides average out, that of the scale does not.
    share = float(np.hypot(SCALE_SD, np.sqrt(np.sum(sd**2)) / way_m))
    speed, mean = way_m / float(lasts[known].sum()), way_m / int(known.sum())
    return BoutSpeed(speed, share * speed, mean, share * mean)
