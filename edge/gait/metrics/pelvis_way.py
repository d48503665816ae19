"""How the pelvis travels in a step: its advance and what the push-off adds, docs/gait.md.

Step length itself is not observable: where the two feet are against each other, no sensor tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cext import lowpass
from cext.quaternion import headings, rotate
from cext.runs import values_at
from edge.gait.segment import FORWARD, once
from edge.gait.stance import GRAVITY_MPS2
from sensors import Segment

from .family import Family
from .support import LONGEST_STEP_S, OTHER
from .windows import windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge.gait.segment import SegmentMotion
    from edge.gait.strides import Body, Strides

# Slower changes of the pelvis' heading are the way's, faster ones its rotation in the stride.
WAY_HZ = 0.3


def pelvis_way_columns(strides: Strides, body: Body) -> Mapping[str, NDArray[np.float64]]:
    """Advance of the pelvis in the step before the stride, m, and its gain by push-off, m/s.

    Notes
    -----
    The speed of the stride comes from the feet; about it, the pelvis' forward acceleration is
    integrated over one stride, at whose ends the velocity is taken to be the same (direct and
    reverse integration: Kose et al. 2012, JNER 9:9). `pelvic_step_advance_m` is the way from the
    other foot's contact to this stride's initial contact. `pelvic_push_off_mps` is the forward
    velocity gained from the middle of this foot's single support to the other foot's contact.
    """
    pelvis, other = body.motions.get(Segment.PELVIS), body.strides.get(OTHER[strides.side])
    if pelvis is None or other is None:
        return {}
    lands = strides.begin_s
    lead = _stride_over(other, lands)
    speed = (other.length_m / (other.end_s - other.begin_s))[lead]
    _, ahead = _about_mean(pelvis, other.begin_s[lead], other.end_s[lead], lands)
    lasts = lands - other.begin_s[lead]
    stepped = (lasts > 0.0) & (lasts <= LONGEST_STEP_S)
    follow = _stride_over(strides, other.end_s)
    # Halfway through the other foot's swing: the middle of single support.
    middle_s = (other.final_contact_s + other.end_s) / 2.0
    bounds = strides.begin_s[follow], strides.end_s[follow]
    at_middle, _ = _about_mean(pelvis, *bounds, middle_s)
    at_landing, _ = _about_mean(pelvis, *bounds, other.end_s)
    gain = np.full(len(strides), np.nan)
    gain[follow] = at_landing - at_middle
    return {
        "pelvic_step_advance_m": np.where(stepped, speed * lasts + ahead, np.nan),
        "pelvic_push_off_mps": gain,
    }


@once
def acceleration_on_way(pelvis: SegmentMotion) -> NDArray[np.float64]:
    """Acceleration without gravity (n, 3), m/s2: along the way, to its left, up."""
    level = rotate(pelvis.q_segment_to_level, pelvis.acc)
    heading = lowpass(headings(pelvis.q_segment_to_level, FORWARD), pelvis.rate_hz, WAY_HZ)
    c, s = np.cos(heading), np.sin(heading)
    x, y, z = level.T
    return np.stack([c * x + s * y, c * y - s * x, z - GRAVITY_MPS2], axis=1)


@once
def velocity_and_way(pelvis: SegmentMotion) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Velocity and way since the first tick, drifting, each (2, n): along the way, to its left."""
    level = np.ascontiguousarray(acceleration_on_way(pelvis)[:, :2].T)
    velocity = np.cumsum(level, axis=1) / pelvis.rate_hz
    return velocity, np.cumsum(velocity, axis=1) / pelvis.rate_hz


def _about_mean(
    pelvis: SegmentMotion,
    from_s: NDArray[np.float64],
    to_s: NDArray[np.float64],
    at_s: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Forward velocity at a moment about the mean of its stride, and way ahead of that mean.

    With V and X the integrals since the stride began, T its length and a = V(T) / T the drift:
    v(t) = V(t) - a t and x(t) = X(t) - a t^2 / 2, each less its mean over the stride.
    """
    known = windows(pelvis, from_s, to_s).known
    (velocity, _), (way, _) = velocity_and_way(pelvis)

    def since_start(moment_s: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        places = [pelvis.place(moment) for moment in (moment_s, from_s)]
        v = [values_at(velocity, place) for place in places]
        x = [values_at(way, place) for place in places]
        lasts = moment_s - from_s
        return v[0] - v[1], x[0] - x[1] - v[1] * lasts, lasts

    v_end, x_end, whole = since_start(to_s)
    v_at, x_at, lasts = since_start(at_s)
    drift = v_end / whole
    mean = (x_end - drift * whole**2 / 2.0) / whole
    inside = known & (at_s >= from_s) & (at_s <= to_s)
    return (
        np.where(inside, v_at - drift * lasts - mean, np.nan),
        np.where(inside, x_at - drift * lasts**2 / 2.0 - mean * lasts, np.nan),
    )


def _stride_over(strides: Strides, at_s: NDArray[np.float64]) -> NDArray[np.int64]:
    """Number of the stride that is under way at each moment, or the last one."""
    place = np.searchsorted(strides.end_s, at_s, side="right")
    return np.asarray(np.minimum(place, len(strides) - 1))


PELVIS_WAY = Family(
    "advance",
    pelvis_way_columns,
    {"pelvic_step_advance_m": 0.02, "pelvic_push_off_mps": 0.03},
    needs=("other foot", "pelvis"),
)
