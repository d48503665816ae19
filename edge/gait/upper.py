"""Attitude of the segments that never stand still in walking: shanks and pelvis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cext import integrate_rates, lowpass, moving_mean
from cext.quaternion import multiply, normalise, rotate

from .mounting import mean_up, pelvis_axes, shank_axes
from .segment import SegmentMotion, in_segment_frame
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


def shank_motion(
    span: Span, k: int, swings: NDArray[np.int64] | None = None
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
    """
    gyr, acc, attitude = levelled(span, k)
    up, known = _upright(gyr, attitude, span.rate_hz)
    axes = shank_axes(gyr, span.rate_hz, up, swings)
    if axes is None:
        return None
    return in_segment_frame(
        axes, span.rate_hz, span.time_s, gyr, acc, attitude, span.valid[:, k], upright_known=known
    )


def pelvis_motion(span: Span, k: int) -> SegmentMotion | None:
    """Follow the pelvis, k-th segment of a span; None where it shows no way forward."""
    gyr, acc, attitude = levelled(span, k)
    up, known = _upright(gyr, attitude, span.rate_hz)
    axes = pelvis_axes(acc, span.rate_hz, up)
    if axes is None:
        return None
    return in_segment_frame(
        axes, span.rate_hz, span.time_s, gyr, acc, attitude, span.valid[:, k], upright_known=known
    )


def levelled(
    span: Span, k: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Rate without bias, specific force, (n, 3), and attitude, (n, 4), of the k-th segment."""
    gyr = np.ascontiguousarray(span.gyr[:, k])
    acc = np.ascontiguousarray(span.acc[:, k])
    gyr = gyr - rest_bias(gyr, span.rate_hz)
    return gyr, acc, _level_attitude(gyr, acc, span.rate_hz)


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
    x, y, z = _unit(gravity[padding : padding + len(force)]).T
    return multiply(normalise(np.stack([1.0 + z, y, -x, 0.0 * z], axis=1)), free)


def _upright(
    gyr: NDArray[np.float64], attitude: NDArray[np.float64], rate_hz: float
) -> tuple[NDArray[np.float64], bool]:
    """Up in the sensor frame, and whether it was seen in standing."""
    power = moving_mean(np.einsum("ij,ij->i", gyr, gyr), round(REST_S * rate_hz))
    rest = power < REST_RADPS**2
    known = bool(np.count_nonzero(rest) >= REST_S * rate_hz)
    return mean_up(attitude[rest] if known else attitude), known


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    # A dead accelerometer has no direction; its zeros stay zeros.
    size = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return np.asarray(vectors / size)
