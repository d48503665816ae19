"""How the pelvis drops, tilts and turns in a stride: docs/gait.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cext.quaternion import headings
from edge.gait.segment import LEFT, once
from sensors import Segment

from .family import Family
from .windows import OUTWARD, windows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edge.gait.segment import SegmentMotion
    from edge.gait.strides import Body, Strides
    from edge.results import Metric

# Share of the stride over which the drop is averaged.
DROP_FROM, DROP_TO = 0.15, 0.25
HIP_DROP_DEG = 3.0


def pelvis_columns(strides: Strides, body: Body) -> Mapping[str, NDArray[np.float64]]:
    """Ranges of obliquity, tilt and rotation, and drop of the other side, each (m,), deg.

    The drop is how much lower the other side is early in this side's stance than over the
    stride on average, so that mounting and leg length do not enter.
    """
    pelvis = body.motions.get(Segment.PELVIS)
    if pelvis is None:
        return {}
    obliquity, tilt, rotation = pelvis_angles_deg(pelvis)
    begin, lasts = strides.begin_s, strides.end_s - strides.begin_s
    whole = windows(pelvis, begin, strides.end_s)
    loaded = windows(pelvis, begin + DROP_FROM * lasts, begin + DROP_TO * lasts)
    raised = obliquity * -OUTWARD[strides.side]
    return {
        "obliquity_range_deg": whole.range(obliquity),
        "pelvic_tilt_range_deg": whole.range(tilt),
        "pelvic_rotation_range_deg": whole.range(rotation),
        "pelvic_drop_deg": loaded.mean(raised) - whole.mean(raised),
    }


@once
def pelvis_angles_deg(
    pelvis: SegmentMotion,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Obliquity (right higher), tilt (front down) and rotation (to the left), each (n,), deg.

    Rotation, obliquity, tilt in this order (Baker 2001, J Biomech 34:1357): docs/frames.md.
    """
    up = pelvis.up
    return (
        np.degrees(-pelvis.roll_rad),
        np.degrees(np.arctan2(-up[:, 0], up[:, 2])),
        # The left axis points a quarter of a turn further.
        np.degrees(headings(pelvis.q_segment_to_level, LEFT)) - 90.0,
    )


def hip_drop(found: Sequence[Metric]) -> tuple[str, ...]:
    """Name the side whose stance lets the pelvis drop further, where that is beyond doubt.

    By more than 3 deg, and beyond the interval of the difference (docs/gait.md).
    """
    for metric in found:
        if (metric.name, metric.side) == ("pelvic_drop_deg", "right_minus_left"):
            low, high = metric.interval or (0.0, 0.0)
            if metric.value is not None and abs(metric.value) > HIP_DROP_DEG and low * high > 0.0:
                return (f"hip drop in {'right' if metric.value > 0.0 else 'left'} stance",)
    return ()


PELVIS = Family(
    "pelvis",
    pelvis_columns,
    {
        "obliquity_range_deg": 1.0,
        "pelvic_tilt_range_deg": 1.0,
        "pelvic_rotation_range_deg": 1.0,
        "pelvic_drop_deg": 0.5,
    },
    needs=("pelvis",),
)
