"""Boards under one foot: the change each one makes, and what the posture takes back.

A board raises one leg by a known height and leaves the sensor where it is. So the change needs
no zero reference, and a series of boards tells how faithfully the pelvis follows: somebody who
hides a board by bending a knee may hide the difference of the legs as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sensors import Side

from .level import obliquity
from .standing import Trial, pair_facings
from .zero import SPREADS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

MOST_HIDDEN = 0.25
LEAST_R2 = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Board:
    """Standing with one height under one foot.

    Attributes
    ----------
    lift_mm : float
        Under the right foot positive, under the left one negative.
    side : Side
        The foot it lay under.
    change_m, sd_m : float
        Hip height right minus left, with the board minus without.
    obliquity_rad : float
        Standing on it.
    """

    lift_mm: float
    side: Side
    change_m: float
    sd_m: float
    obliquity_rad: float


@dataclass(frozen=True, slots=True)
class Lifts:
    """Straight line through the standing obliquity over the lift.

    Attributes
    ----------
    slope_rad_per_m, slope_sd : float
        Obliquity for every metre under the right foot; one over the hip width when nothing hides.
    r2 : float
        Share of the variance that the line explains.
    """

    slope_rad_per_m: float
    slope_sd: float
    r2: float

    def hidden_share(self, hip_width_m: float) -> float:
        """Share of a lift that does not reach the hips."""
        return 1.0 - hip_width_m * self.slope_rad_per_m


def board_changes(
    trials: Iterable[Trial],
    up: NDArray[np.float64],
    n_without: int,
    hip_line: NDArray[np.float64],
    hip_width_m: float,
) -> list[Board]:
    """Change for every board that was stood on in both facings.

    Parameters
    ----------
    trials : iterable of Trial
        Standing trials with a board.
    up : (3,) float64
        Mean up direction without one.
    n_without : int
        Trials behind it.
    hip_line : (3,) float64
        Unit vector from the right to the left hip centre, sensor frame. An error of a few
        degrees is no matter here: only differences count.
    hip_width_m : float
        Between the hip centres.
    """
    by_lift: dict[float, list[Trial]] = {}
    for trial in trials:
        by_lift.setdefault(trial.phase.lift_mm, []).append(trial)
    found = {lift: pair_facings(group) for lift, group in by_lift.items()}
    base = np.sin(obliquity(hip_line, up))
    return [
        Board(
            lift,
            Side.RIGHT if lift > 0 else Side.LEFT,
            float(hip_width_m * (np.sin(obliquity(hip_line, pair.up)) - base)),
            float(hip_width_m * SPREADS.posture * np.sqrt(1 / pair.n_trials + 1 / n_without)),
            float(obliquity(hip_line, pair.up)),
        )
        for lift, pair in sorted(found.items())
        if pair is not None
    ]


def fit_lifts(boards: list[Board], standing_rad: float) -> Lifts | None:
    """Line through all boards and no board; None without any."""
    if not boards:
        return None
    lift = np.array([0.0, *(b.lift_mm for b in boards)]) / 1e3
    angle = np.array([standing_rad, *(b.obliquity_rad for b in boards)])
    slope, start = np.polyfit(lift, angle, 1)
    left = np.sum((angle - start - slope * lift) ** 2)
    r2 = 1.0 - left / max(np.sum((angle - angle.mean()) ** 2), 1e-12)
    # Every point is a pair of trials.
    slope_sd = SPREADS.posture / np.sqrt(2 * np.sum((lift - lift.mean()) ** 2))
    return Lifts(float(slope), float(slope_sd), float(r2))
