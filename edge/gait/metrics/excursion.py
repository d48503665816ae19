"""How far the pelvis moves over to each foot: docs/gait.md, a proxy of weight shift."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cext.runs import values_at
from sensors import Segment

from .family import Family
from .pelvis_way import velocity_and_way
from .windows import OUTWARD, windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge.gait.strides import Body, Strides

SAMPLES = 64


def excursion_columns(strides: Strides, body: Body) -> Mapping[str, NDArray[np.float64]]:
    """Greatest way of the pelvis toward this foot from its mean place in the stride (m,), m.

    Sideways acceleration, integrated twice over one stride that ends as it began: at the same
    velocity and, on a straight way, on the same line.
    """
    pelvis = body.motions.get(Segment.PELVIS)
    if pelvis is None:
        return {}
    known = windows(pelvis, strides.begin_s, strides.end_s).known
    (_, velocity), (_, way) = velocity_and_way(pelvis)
    lasts = (strides.end_s - strides.begin_s)[known, None]
    passed = lasts * np.linspace(0.0, 1.0, SAMPLES)
    places = pelvis.place(strides.begin_s[known, None] + passed)
    gained = values_at(velocity, places)
    drift = (gained[:, -1:] - gained[:, :1]) / lasts
    place = values_at(way, places) - drift * passed**2 / 2.0
    place -= place[:, :1] + (place[:, -1:] - place[:, :1]) * passed / lasts
    place = OUTWARD[strides.side] * (place - place[:, :-1].mean(axis=1, keepdims=True))
    greatest = np.full(len(strides), np.nan)
    greatest[known] = place.max(axis=1)
    return {"pelvic_excursion_m": greatest}


EXCURSION = Family("excursion", excursion_columns, {"pelvic_excursion_m": 0.004}, needs=("pelvis",))
