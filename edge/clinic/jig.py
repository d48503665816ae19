"""The technician's jig: a bar of known length on gauge blocks, measured as if it were a pelvis.

Two posts stand as far apart as the hip centres, a bar lies on them with a pelvis sensor clamped to
it at any roll, and gauge blocks go under the right-hand post. Rocking the bar about its length
stands for the bows. What the method makes of it must be the block, to a millimetre.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from calibration.errors import Refused
from calibration.fits.holds import read_hold
from calibration.guide import Guide, GuideStep
from edge.gait.leg_length.bows import HipLine, find_bows, hip_line
from edge.gait.leg_length.checks import FEWEST_BOWS, MOST_BOW_SPREAD_DEG
from edge.gait.leg_length.level import obliquity, unit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from calibration.trial import Readings

BAR_M = 0.172
BLOCKS_MM = (5, 10, 15, 20)
MOST_ERROR_MM = 1.0
HOLD_S = 5.0
LEVEL, TURNED, ROCK, AGAIN = "level", "turned", "rock", "level_again"
# The clamp holds if the bar lies at the end as it lay at first.
MOST_SLIP_MM = 0.3


def _block(height_mm: int) -> GuideStep:
    do = f"Put the block of {height_mm} mm under the right-hand post; hands off."
    return GuideStep(f"block_{height_mm}", do, HOLD_S)


JIG = Guide(
    "jig",
    "Leg length on the jig",
    "Two posts on a flat board, the bar over them, gauge blocks of 5, 10, 15 and 20 mm. The pelvis"
    " sensor calibrated, 10 min warm, clamped to the bar at any angle.",
    3.0,
    (
        GuideStep(LEVEL, "Lay the bar on both posts without a block; hands off.", HOLD_S),
        GuideStep(
            TURNED,
            "Turn the board with posts and bar by half a turn on the same spot; hands off.",
            HOLD_S,
        ),
        GuideStep(
            ROCK,
            "Turn the board back. Rock the bar about its length, the top away from you by 30 to 45"
            " degrees and upright again, six times, slowly, both ends on their posts.",
            30.0,
            settle_s=3.0,
        ),
        *(_block(height_mm) for height_mm in BLOCKS_MM),
        GuideStep(AGAIN, "Take the block away; hands off.", HOLD_S),
    ),
)


@dataclass(frozen=True, slots=True)
class JigRow:
    """One height: what lay under the post, and what the method made of it, mm."""

    block_mm: float
    measured_mm: float

    @property
    def error_mm(self) -> float:
        """Measured minus true."""
        return self.measured_mm - self.block_mm


@dataclass(frozen=True, slots=True)
class JigReport:
    """All heights, and the verdict.

    Attributes
    ----------
    rows : tuple of JigRow
        The bar without a block comes first: it tells how right the zero is.
    slip_mm : float
        Without a block at the end minus at the beginning.
    bench_slope_deg : float
        Lateral slope, taken out by the half-turn.
    """

    rows: tuple[JigRow, ...]
    slip_mm: float
    bench_slope_deg: float

    @property
    def worst_mm(self) -> float:
        """Greatest error, without sign."""
        return max(abs(row.error_mm) for row in self.rows)

    @property
    def passed(self) -> bool:
        """Every height within a millimetre, and the clamp held."""
        return self.worst_mm <= MOST_ERROR_MM and abs(self.slip_mm) <= MOST_SLIP_MM

    @property
    def sentence(self) -> str:
        """The verdict for the technician."""
        if abs(self.slip_mm) > MOST_SLIP_MM:
            return f"The bar moved by {self.slip_mm:+.1f} mm: fasten the clamp and begin again."
        if not self.passed:
            return (
                f"Not passed: {self.worst_mm:.1f} mm off, {MOST_ERROR_MM:.0f} mm is allowed."
                " Calibrate accelerometer and gyroscope of this sensor anew."
            )
        return f"Passed: every height within {self.worst_mm:.2f} mm."


def judge_jig(step: GuideStep, readings: Readings) -> str:
    """Whether one step may count; `Refused` where it must be repeated."""
    if step.name != ROCK:
        read_hold(readings, step.name, HOLD_S)
        return "still"
    line = _axis(readings, np.zeros(3), readings.acc[0])
    return f"{len(line)} rockings, axes within {np.degrees(line.spread_rad):.1f} deg"


def check_jig(readings: Mapping[str, Readings], bar_m: float = BAR_M) -> JigReport:
    """Measure every height of a jig.

    Parameters
    ----------
    readings : mapping of step name to Readings
        Of all steps of `JIG`, corrected by the sensor's calibration.
    bar_m : float
        Between the posts.

    Raises
    ------
    Refused
        Where a step is missing or must be repeated.
    """
    missing = next((step.name for step in JIG.steps if step.name not in readings), None)
    if missing is not None:
        raise Refused(f"{missing} has not been done.", missing)
    holds = {name: read_hold(readings[name], name, HOLD_S) for name in readings if name != ROCK}
    bias = np.mean([hold.gyr for hold in holds.values()], axis=0)
    line = _axis(readings[ROCK], bias, holds[LEVEL].acc)
    angle = {name: float(obliquity(line.axis, unit(hold.acc))) for name, hold in holds.items()}
    slope = (angle[LEVEL] - angle[TURNED]) / 2
    height_mm = {name: 1e3 * bar_m * float(np.sin(a - slope)) for name, a in angle.items()}
    blocks = [JigRow(mm, height_mm[f"block_{mm}"]) for mm in BLOCKS_MM]
    return JigReport(
        rows=(JigRow(0.0, height_mm[LEVEL]), *blocks),
        slip_mm=height_mm[AGAIN] - height_mm[LEVEL],
        bench_slope_deg=float(np.degrees(slope)),
    )


def _axis(readings: Readings, bias: NDArray[np.float64], upright: NDArray[np.float64]) -> HipLine:
    line = hip_line(
        find_bows(
            readings.rate_hz,
            readings.gyr - bias,
            readings.acc,
            ~readings.saturated,
            unit(upright),
        )
    )
    n = 0 if line is None else len(line)
    if line is None or n < FEWEST_BOWS:
        raise Refused(f"{n} rockings count, {FEWEST_BOWS} are needed: repeat {ROCK}.", ROCK)
    spread = float(np.degrees(line.spread_rad))
    if spread > MOST_BOW_SPREAD_DEG:
        raise Refused(f"The bar wandered on its posts ({spread:.1f} deg): repeat {ROCK}.", ROCK)
    return line
