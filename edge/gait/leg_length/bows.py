"""Hip-hinge bows: the line through both hip centres, in the sensor frame.

With both feet still and the knees straight the pelvis can only turn about that line, so the
gyroscope's principal axis is the line, wherever the sensor sits and however it is turned:
the zero of the measurement, without gravity and without palpation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .level import level_axes, unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Slower than this the rate is mostly sway and bias, and says nothing of the axis.
LEAST_RATE = np.radians(15.0)
LEAST_DEPTH_RAD = np.radians(20.0)
SHORTEST_S, LONGEST_S = 1.5, 10.0
# A movement shallower than this is no attempt at a bow.
ATTEMPT_RAD = np.radians(5.0)
# Rate across the axis over rate about it: more, and the bow turned about no single line.
MOST_WOBBLE = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Bow:
    """One bow down and up again.

    Attributes
    ----------
    start, stop : int
        Ticks within the phase, half-open.
    axis : (3,) float64
        Unit vector to the left along the axis of rotation, sensor frame.
    depth_rad : float
        Greatest forward tilt against standing.
    fault : str or None
        Why it does not count.
    """

    start: int
    stop: int
    axis: NDArray[np.float64]
    depth_rad: float
    fault: str | None


@dataclass(frozen=True, slots=True, eq=False)
class HipLine:
    """Mean axis of the bows that count.

    Attributes
    ----------
    axes : (n, 3) float64
        Unit vectors to the left of the single bows, sensor frame.
    axis : (3,) float64
        Their mean: from the right to the left hip centre.
    spread_rad : float
        SD of the single axes, in one direction.
    """

    axes: NDArray[np.float64]
    axis: NDArray[np.float64]
    spread_rad: float

    def __len__(self) -> int:
        return len(self.axes)


@dataclass(frozen=True, slots=True, eq=False)
class _Turning:
    """One phase: unbiased rate, and the forward `tilt` against standing about the axis `about`."""

    rate_hz: float
    rate: NDArray[np.float64]
    valid: NDArray[np.bool_]
    tilt: NDArray[np.float64]
    about: NDArray[np.float64]


def find_bows(
    rate_hz: float,
    gyr: NDArray[np.float64],
    acc: NDArray[np.float64],
    valid: NDArray[np.bool_],
    up: NDArray[np.float64],
) -> list[Bow]:
    """Every bow of one phase, good ones and bad ones.

    Parameters
    ----------
    rate_hz : float
        Samples a second.
    gyr, acc : (n, 3) float64
        Pelvis angular rate without bias, rad/s, and specific force, m/s2; sensor frame.
    valid : (n,) bool
        False where a sample was not measured, or stood at the end of its range.
    up : (3,) float64
        Up direction while standing, sensor frame: what a bow is held against.

    Returns
    -------
    list of Bow
        In order of time; empty where the person did not bow.
    """
    if len(gyr) < 2 * SHORTEST_S * rate_hz:
        return []
    axis = principal_axis(gyr)
    leaning = _leaning(axis, acc, up)
    # Bowing goes forward, and forward is positive about the axis that points left. Gravity tells,
    # not the first sample: somebody may already be bent when the phase begins.
    if np.median(leaning) < 0:
        axis, leaning = -axis, -leaning
    tilt = np.cumsum(gyr @ axis) / rate_hz
    tilt += np.median(leaning - tilt)
    phase = _Turning(rate_hz, gyr, valid, tilt, axis)
    return [_bow(phase, start, stop) for start, stop in _stretches(tilt)]


def _leaning(
    axis: NDArray[np.float64], acc: NDArray[np.float64], up: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Forward tilt about an axis that points left by the direction of the specific force."""
    _, forward = level_axes(up, axis)
    angle: NDArray[np.float64] = np.arctan2(-acc @ forward, acc @ up)
    return angle


def hip_line(bows: list[Bow]) -> HipLine | None:
    """Mean of the bows that count, with their spread; None where there are fewer than two."""
    axes = np.array([bow.axis for bow in bows if bow.fault is None])
    if len(axes) < 2:
        return None
    mean = unit(axes.mean(axis=0))
    # Two directions across the axis share the squared deviations.
    spread = np.sqrt(np.sum((axes - mean) ** 2) / (2 * (len(axes) - 1)))
    return HipLine(axes, mean, float(spread))


def principal_axis(rate: NDArray[np.float64]) -> NDArray[np.float64]:
    """First right singular vector of (n, 3) rates: the line they turn about, either way round."""
    axis: NDArray[np.float64] = np.linalg.eigh(rate.T @ rate)[1][:, -1]
    return axis


def _stretches(tilt: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Ticks [start, stop) of each excursion, cut where the person is most upright between."""
    deep = tilt > max(0.5 * float(np.percentile(tilt, 95)), ATTEMPT_RAD)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], deep, [False]]).astype(np.int8)))
    rises, falls = edges[::2], edges[1::2]
    if not len(rises):
        return []
    cuts = [f + int(np.argmin(tilt[f:r])) for f, r in zip(falls[:-1], rises[1:], strict=True)]
    starts = [int(np.argmin(tilt[: rises[0] + 1])), *cuts]
    stops = [*cuts, int(falls[-1]) + int(np.argmin(tilt[falls[-1] - 1 :]))]
    return list(zip(starts, stops, strict=True))


def _bow(phase: _Turning, start: int, stop: int) -> Bow:
    tilt = phase.tilt[start:stop]
    depth = float(tilt.max())
    moving = phase.rate[start:stop]
    moving = moving[np.linalg.norm(moving, axis=1) > LEAST_RATE]
    if depth < LEAST_DEPTH_RAD:
        shallow = f"it went down by {np.degrees(depth):.0f} deg only"
        return Bow(start, stop, phase.about, depth, shallow)
    if len(moving) < 3:
        return Bow(start, stop, phase.about, depth, "it was too slow")
    axis = principal_axis(moving)
    axis = axis if axis @ phase.about > 0 else -axis
    along = moving @ axis
    wobble = float(np.sqrt(max(np.sum(moving**2) / np.sum(along**2) - 1.0, 0.0)))
    duration_s = (stop - start) / phase.rate_hz
    fault = None
    if max(tilt[0], tilt[-1]) > depth / 2:
        fault = "its beginning or its end is missing"
    elif not SHORTEST_S <= duration_s <= LONGEST_S:
        fault = f"it took {duration_s:.1f} s"
    elif wobble > MOST_WOBBLE:
        fault = "the pelvis twisted or leaned sideways on the way"
    elif not phase.valid[start:stop].all():
        fault = "samples are missing"
    return Bow(start, stop, axis, depth, fault)
