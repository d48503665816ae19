"""Attitude of the segments that never stand still in walking: shanks and pelvis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cext import integrate_rates, lowpass, moving_mean, squared_length
from cext.quaternion import levelling, multiply, rotate

from .mounting import mean_up, pelvis_axes, shank_axes
from .segment import SegmentMotion, Worn, in_segment_frame
from .stance import rest_bias

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge.timegrid import Span

# Standing: over this long, the rate stays below this.
REST_S = 1.0
REST_RADPS = 0.1
# Gravity changes more slowly than this in a frame carried by the rates, movement faster.
GRAVITY_HZ = 0.05
EDGE_S = 2.0
PADDING_S = 1.0
# A sensor whose swing has another axis than before has slipped: what was seen in standing is void.
COS_SLIPPED = np.cos(np.radians(20.0))


@dataclass(frozen=True, slots=True, eq=False)
class Levelled:
    """Rate without bias (n, 3), specific force (n, 3) and attitude (n, 4) of one sensor."""

    gyr: NDArray[np.float64]
    acc: NDArray[np.float64]
    attitude: NDArray[np.float64]
    gyr_bias: NDArray[np.float64]


def shank_motion(
    span: Span, k: int, swings: NDArray[np.int64] | None = None, standing: Worn | None = None
) -> SegmentMotion | None:
    """Follow the shank that is the k-th segment of a span; None where it did not swing.

    Parameters
    ----------
    span : Span
        Of n ticks.
    k : int
        Place of the shank in it.
    swings : (m,) int64 or None
        Ticks at which the foot of this side swings forward.
    standing : Worn or None
        Of an earlier part of the walk, in which the person stood.
    """
    readings = levelled(span, k, standing)
    up, known = _upright(readings, span.rate_hz)
    axes = shank_axes(readings.gyr, span.rate_hz, up, swings)
    return None if axes is None else _followed(span, k, readings, axes, known, standing)


def pelvis_motion(span: Span, k: int, standing: Worn | None = None) -> SegmentMotion | None:
    """Follow the pelvis, k-th segment of a span; None where it shows no way forward."""
    readings = levelled(span, k, standing)
    up, known = _upright(readings, span.rate_hz)
    axes = pelvis_axes(readings.acc, span.rate_hz, up)
    return None if axes is None else _followed(span, k, readings, axes, known, standing)


def _followed(
    span: Span,
    k: int,
    readings: Levelled,
    axes: NDArray[np.float64],
    known: bool,
    standing: Worn | None,
) -> SegmentMotion:
    if standing is not None and not known and axes[1] @ standing.axes[1] > COS_SLIPPED:
        axes, known = standing.axes, True
    return in_segment_frame(
        Worn(axes, readings.gyr_bias),
        span.rate_hz,
        span.time_s,
        readings.gyr,
        readings.acc,
        readings.attitude,
        span.valid[:, k],
        upright_known=known,
    )


def levelled(span: Span, k: int, standing: Worn | None = None) -> Levelled:
    """Readings of the k-th segment with its attitude; `standing` as in `shank_motion`."""
    gyr = np.ascontiguousarray(span.gyr[:, k])
    acc = np.ascontiguousarray(span.acc[:, k])
    bias = rest_bias(gyr, span.rate_hz)
    # Exactly zero where nobody rested.
    if standing is not None and not bias.any():
        bias = standing.gyr_bias
    gyr = gyr - bias
    return Levelled(gyr, acc, _level_attitude(gyr, acc, span.rate_hz), bias)


def _level_attitude(
    gyr: NDArray[np.float64], acc: NDArray[np.float64], rate_hz: float
) -> NDArray[np.float64]:
    """Attitude (n, 4) in a level frame, two-sided.

    Notes
    -----
    The rates alone give the attitude in a frame that tilts slowly. Over several strides the
    specific force in that frame is gravity, since walking speeds up as much as it slows down; the
    shortest turn that brings its low-passed direction upright levels the frame. Against the truth
    of the virtual person 0.3 to 0.8 deg RMS, at a tenth of the cost of a filter.
    """
    free = integrate_rates(rate_hz, gyr)
    force = rotate(free, acc)
    edge = round(EDGE_S * rate_hz)
    # Beyond both ends gravity is what it was there on average, not in the last instant.
    padding = round(PADDING_S * rate_hz)
    before = np.tile(force[:edge].mean(axis=0), (padding, 1))
    after = np.tile(force[-edge:].mean(axis=0), (padding, 1))
    gravity = lowpass(np.concatenate([before, force, after]), rate_hz, GRAVITY_HZ)
    return multiply(levelling(gravity[padding : padding + len(force)]), free)


def _upright(readings: Levelled, rate_hz: float) -> tuple[NDArray[np.float64], bool]:
    """Up in the sensor frame, and whether it was seen in standing."""
    gyr = readings.gyr
    power = moving_mean(squared_length(gyr), round(REST_S * rate_hz))
    rest = power < REST_RADPS**2
    if np.count_nonzero(rest) < REST_S * rate_hz:
        return mean_up(readings.attitude), False
    # At rest the force is gravity, without the delay with which the attitude follows a first step.
    up = readings.acc[rest].mean(axis=0)
    # A dead accelerometer has no direction; its zeros stay zeros.
    return np.asarray(up / max(float(np.sqrt(up @ up)), 1e-9)), True
