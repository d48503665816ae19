"""Sway of the pelvis in quiet standing: docs/gait.md. Weight distribution is not measured.

Only where the person is known to stand: in sitting, shanks and pelvis are as still and as upright.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cext import lowpass, smooth_orientation
from cext.quaternion import rotate
from edge.results import Metric
from sensors import Segment

from .metrics.estimate import Z_95, five_digits
from .stance import rest_bias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.timegrid import Span

BAND_HZ = (0.1, 3.5)
# So long a standing is needed, and the filter settles over this long at either end.
LEAST_S = 30.0
SETTLING_S = 2.0
# The interval comes from pieces of the standing of this length.
PIECE_S = 5.0
UNITS = {"sway_rms": "mm/s2", "sway_path": "mm/s2/s"}


def standing_sway(span: Span, stands_s: Sequence[tuple[float, float]]) -> tuple[Metric, ...]:
    """Sway over the longest standing of a recording.

    Parameters
    ----------
    span : Span
        With a pelvis sensor, mounted in any way.
    stands_s : sequence of (start, end)
        When the person stood still, on the span's axis.

    Returns
    -------
    tuple of Metric
        `sway_rms`: root mean square of the horizontal acceleration, 0.1 to 3.5 Hz; `sway_path`: way
        of its end on the floor plane in a second. Horizontal against gravity as it is felt, so
        leaning and moving are one: 1 deg of lean is 171 mm/s2.
    """
    k = span.index(Segment.PELVIS)
    longest = max(stands_s, key=lambda stand: stand[1] - stand[0], default=(0.0, 0.0))
    lasts = longest[1] - longest[0]
    if k is None:
        return _withheld("no sensor on pelvis")
    if lasts < LEAST_S:
        return _withheld(f"{lasts:.0f} s of standing, {LEAST_S:.0f} needed")
    inside = (span.time_s >= longest[0]) & (span.time_s < longest[1])
    if not span.valid[inside, k].all():
        return _withheld("samples of the standing are lost")
    level = _horizontal(span.gyr[inside, k], span.acc[inside, k], span.rate_hz)
    edge = round(SETTLING_S * span.rate_hz)
    level = level[edge:-edge]
    steps = np.hypot(*np.diff(level, axis=0).T) * span.rate_hz
    n = int(len(steps) / (PIECE_S * span.rate_hz))
    squares = np.array([(part**2).sum(axis=1).mean() for part in np.array_split(level, n)])
    paths = np.array([part.mean() for part in np.array_split(steps, n)])
    power = squares.mean()
    rms = float(np.sqrt(power))
    # Of a root, half the relative error of what is under it.
    rms_sd = float(squares.std(ddof=1) / np.sqrt(n) / (2.0 * rms))
    path, path_sd = float(paths.mean()), float(paths.std(ddof=1) / np.sqrt(n))
    return (
        _metric("sway_rms", 1000.0 * rms, 1000.0 * rms_sd, n),
        _metric("sway_path", 1000.0 * path, 1000.0 * path_sd, n),
    )


def _horizontal(
    gyr: NDArray[np.float64], acc: NDArray[np.float64], rate_hz: float
) -> NDArray[np.float64]:
    """Specific force along two level axes of the mean posture (n, 2), band of sway."""
    gyr = np.ascontiguousarray(gyr - rest_bias(gyr, rate_hz))
    attitude = smooth_orientation(rate_hz, gyr, np.ascontiguousarray(acc))
    middle = attitude[len(attitude) // 2]
    level = rotate(middle, acc)[:, :2]
    smooth = lowpass(np.ascontiguousarray(level), rate_hz, BAND_HZ[1])
    return np.asarray(smooth - lowpass(smooth, rate_hz, BAND_HZ[0]))


def _metric(name: str, value: float, sd: float, n: int) -> Metric:
    low, high = max(value - Z_95 * sd, 0.0), value + Z_95 * sd
    return Metric(
        name=name,
        side="both",
        value=five_digits(value),
        unit=UNITS[name],
        interval=(five_digits(low), five_digits(high)),
        n=n,
    )


def _withheld(reason: str) -> tuple[Metric, ...]:
    return tuple(
        Metric(name=name, side="both", value=None, unit=unit, n=0, reason=reason)
        for name, unit in UNITS.items()
    )
