"""How alike the two steps of a stride, and a stride and the next, move the pelvis: docs/gait.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cext.runs import values_at
from sensors import Segment

from .family import Family
from .pelvis_way import acceleration_on_way
from .windows import windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge.gait.strides import Body, Strides

# Harmonics of the stride that count, and moments of a stride that show them.
HARMONICS = 20
SAMPLES = 64
DIRECTIONS = ("forward", "lateral", "vertical")


def evenness_columns(strides: Strides, body: Body) -> Mapping[str, NDArray[np.float64]]:
    """Harmonic ratios, their improved form, per cent, step and stride regularity, each (m,).

    Notes
    -----
    Two like steps give even harmonics of the stride forward and upward, odd ones sideways. The
    ratio is the sum of their amplitudes by that of the others (Bellanca et al. 2013, J Biomech
    46:828); the improved one their share of the power (Pasciuto et al. 2017, J Biomech 53:84).
    Regularity is the correlation of upward acceleration between the two steps of a stride, and
    between this stride and the one before.
    """
    pelvis = body.motions.get(Segment.PELVIS)
    if pelvis is None:
        return {}
    known = windows(pelvis, strides.begin_s, strides.end_s).known
    curves = np.full((3, len(strides), SAMPLES), np.nan)
    lasts = strides.end_s - strides.begin_s
    times = strides.begin_s[:, None] + lasts[:, None] * np.arange(SAMPLES) / SAMPLES
    places = pelvis.place(times[known])
    acceleration = acceleration_on_way(pelvis)
    for axis in range(3):
        curves[axis, known] = values_at(acceleration[:, axis], places)
    size = np.abs(np.fft.rfft(curves)[:, :, 1 : HARMONICS + 1])
    columns = {}
    for axis, name in enumerate(DIRECTIONS):
        odd, even = size[axis, :, 0::2], size[axis, :, 1::2]
        own, others = (odd, even) if name == "lateral" else (even, odd)
        power = (own**2).sum(axis=1), (others**2).sum(axis=1)
        columns[f"harmonic_ratio_{name}"] = own.sum(axis=1) / np.maximum(others.sum(axis=1), 1e-9)
        columns[f"harmonic_share_{name}_pct"] = 100.0 * power[0] / np.maximum(sum(power), 1e-9)
    upward = curves[2]
    half = SAMPLES // 2
    columns["step_regularity"] = _correlation(upward[:, :half], upward[:, half:])
    columns["stride_regularity"] = np.append(np.nan, _correlation(upward[:-1], upward[1:]))
    return columns


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlation of each row of `a` with that of `b` (m,)."""
    a = a - a.mean(axis=1, keepdims=True)
    b = b - b.mean(axis=1, keepdims=True)
    size = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return np.asarray((a * b).sum(axis=1) / np.maximum(size, 1e-12))


EVENNESS = Family(
    "evenness",
    evenness_columns,
    {
        "harmonic_ratio_forward": 0.3,
        "harmonic_ratio_lateral": 0.3,
        "harmonic_ratio_vertical": 0.2,
        "harmonic_share_forward_pct": 2.0,
        "harmonic_share_lateral_pct": 4.5,
        "harmonic_share_vertical_pct": 2.0,
        "step_regularity": 0.02,
        "stride_regularity": 0.02,
    },
    needs=("pelvis",),
)
