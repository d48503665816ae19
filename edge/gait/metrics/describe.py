"""All metrics of a set of strides: each family's means and differences, symmetry, variability."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np

from edge.results import BoutMetrics, Metric
from sensors import Segment, Side

from .estimate import difference_metric, estimates, five_digits, mean_metric
from .families import FAMILIES
from .family import unit_of
from .pelvis_angles import PELVIS, hip_drop
from .symmetry import coordination_metric, symmetry_metrics, weight_shift
from .variability import variability_metrics
from .windows import SHANKS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from edge.results import Stride

    from .estimate import Estimate
    from .family import Family

SYSTEM_SD = {field: sd for family in FAMILIES for field, sd in family.system_sd.items()}
FIELDS = tuple(SYSTEM_SD)
FLAGS = {PELVIS.name: hip_drop, "symmetry": weight_shift}
FIELDS_OF = attrgetter(*FIELDS)


def fields_of(strides: Sequence[Stride]) -> NDArray[np.float64]:
    """Strides by the summarised fields, (m, k); NaN: no value."""
    table = np.array([FIELDS_OF(s) for s in strides], dtype=np.float64)
    return table.reshape(-1, len(FIELDS))


def table_of(strides: Sequence[Stride]) -> dict[Side, NDArray[np.float64]]:
    """Steady strides of each side by the summarised fields, (m, k); NaN: no value."""
    return {side: fields_of([s for s in strides if s.side is side and s.steady]) for side in Side}


def describe_strides(
    bout: int, table: Mapping[Side, NDArray[np.float64]], segments: Collection[Segment]
) -> tuple[BoutMetrics, ...]:
    """All metrics of the steady strides of a bout.

    Parameters
    ----------
    bout : int
        Its number.
    table : mapping of Side to (k, l) float64
        Steady strides of each side by the summarised fields, as `table_of` gives them.
    segments : collection of Segment
        Those that carry a sensor.
    """
    found = {
        side: dict(zip(FIELDS, estimates(values), strict=True)) for side, values in table.items()
    }
    left, right = found[Side.LEFT], found[Side.RIGHT]
    both = np.concatenate(list(table.values()))
    length = both[:, FIELDS.index("stride_length_m")]
    step, stride = both[:, FIELDS.index("step_time_s")], both[:, FIELDS.index("stride_time_s")]
    (speed,) = estimates((length / stride)[:, None])
    symmetry = [
        *symmetry_metrics(left, right, SYSTEM_SD),
        coordination_metric(360.0 * step / stride),
    ]
    described = {family.name: _family_metrics(family, found, segments) for family in FAMILIES}
    described |= {"symmetry": symmetry, "variability": variability_metrics(found)}
    return tuple(
        BoutMetrics(
            bout=bout,
            family=name,
            speed_mps=None if np.isnan(speed.mean) else five_digits(speed.mean),
            metrics=tuple(metrics),
            flags=FLAGS[name](metrics) if name in FLAGS else (),
        )
        for name, metrics in described.items()
    )


def _family_metrics(
    family: Family,
    estimates_of: Mapping[Side, Mapping[str, Estimate]],
    segments: Collection[Segment],
) -> list[Metric]:
    """Means of both sides and their difference for each field of a family."""
    found: list[Metric] = []
    missing = missing_sensor(family, segments)
    for field, system_sd in family.system_sd.items():
        unit = unit_of(field)
        left, right = (estimates_of[side][field] for side in (Side.LEFT, Side.RIGHT))
        if missing and not left.n and not right.n:
            found.append(
                Metric(name=field, side="both", value=None, unit=unit, n=0, reason=missing)
            )
            continue
        found += [
            mean_metric(field, unit, Side.LEFT, left, system_sd),
            mean_metric(field, unit, Side.RIGHT, right, system_sd),
            difference_metric(field, unit, left, right, system_sd),
        ]
    return found


def missing_sensor(family: Family, segments: Collection[Segment]) -> str | None:
    """The sensor that a family would need, in words."""
    worn = {
        "other foot": {Segment.LEFT_FOOT, Segment.RIGHT_FOOT} <= set(segments),
        "shank": bool(set(SHANKS.values()) & set(segments)),
        "pelvis": Segment.PELVIS in segments,
    }
    lacking = [need for need in family.needs if not worn[need]]
    return f"no sensor on {' or '.join(lacking)}" if lacking else None
