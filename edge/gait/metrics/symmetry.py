"""Left against right: symmetry indices, and the weight shift that they suggest.

docs/gait.md. Differences in the units of a metric stand with the metric itself.
"""

from __future__ import annotations

from math import atan2, degrees, log, sqrt
from typing import TYPE_CHECKING

import numpy as np

from .estimate import LEAST_FOR_SPREAD, Z_95, difference_half, estimates, metric, withheld

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge.results import Metric

    from .estimate import Estimate

# Positive quantities for which a relative difference means something.
INDEXED = {
    "stance": "stance_time_s",
    "swing": "swing_time_s",
    "single_support": "single_support_s",
    "step": "step_time_s",
    "shock": "shank_shock_g",
    "push_off": "push_off_rate_degps",
}
# A leg that is spared is stood on shorter, alone for shorter, and put down more softly.
LOAD_SIGNS = ("stance_symmetry_index", "single_support_symmetry_index", "shock_symmetry_index")


def symmetry_metrics(
    left: Mapping[str, Estimate], right: Mapping[str, Estimate], system_sd: Mapping[str, float]
) -> list[Metric]:
    """Symmetry index and angle of `INDEXED`, and swing asymmetry; all in per cent.

    Notes
    -----
    Index: 100 (R - L) / ((R + L) / 2) (Robinson et al. 1987, JMPT 10:172). Angle: 100 (45 deg -
    atan2(L, R)) / 90 deg (Zifchock et al. 2008, Gait Posture 27:622). Gait asymmetry: 100
    |ln(shorter / longer swing)| (Plotnik et al. 2005, Ann Neurol 57:656).
    """
    found: list[Metric] = []
    for name, field in INDEXED.items():
        a, b = left[field], right[field]
        n, total = min(a.n, b.n), a.mean + b.mean
        names = f"{name}_symmetry_index", f"{name}_symmetry_angle"
        if n < LEAST_FOR_SPREAD:
            found += [withheld(x, "%", "right_minus_left", n, LEAST_FOR_SPREAD) for x in names]
            continue
        half = difference_half(a, b, system_sd[field])
        index = 200.0 * (b.mean - a.mean) / total
        angle = 100.0 * (45.0 - degrees(atan2(a.mean, b.mean))) / 90.0
        # Change of the angle with the difference, at this ratio of the sides.
        slope = degrees(total / 2.0 / (a.mean**2 + b.mean**2)) / 0.9
        found.append(metric(names[0], "%", "right_minus_left", index, 200.0 * half / total, n))
        found.append(metric(names[1], "%", "right_minus_left", angle, slope * half, n))
    return [*found, _swing_asymmetry(left, right, system_sd)]


def weight_shift(found: list[Metric]) -> tuple[str, ...]:
    """The inferred weight shift, where three proxies agree beyond their intervals; else nothing.

    No sensor here measures a force.
    """
    intervals = [m.interval for m in found if m.name in LOAD_SIGNS and m.interval is not None]
    if len(intervals) == len(LOAD_SIGNS):
        if all(high < 0.0 for _, high in intervals):
            return ("loads right less than left (inferred)",)
        if all(low > 0.0 for low, _ in intervals):
            return ("loads left less than right (inferred)",)
    return ()


def coordination_metric(phases: NDArray[np.float64]) -> Metric:
    """Phase coordination index of steps in strides: `phases` (m,), 360 deg x step by stride time.

    The sum of their variation and of their distance from half a stride (Plotnik et al. 2007, Exp
    Brain Res), per cent.
    """
    name = "phase_coordination_index"
    (found,) = estimates(phases[:, None])
    if found.n < LEAST_FOR_SPREAD:
        return withheld(name, "%", "both", found.n, LEAST_FOR_SPREAD)
    accuracy = float(np.nanmean(np.abs(phases - 180.0))) / 1.8
    spread = 100.0 * found.sd / found.mean
    half = Z_95 * spread / sqrt(2.0 * found.n) + found.half / 1.8
    return metric(name, "%", "both", spread + accuracy, half, found.n)


def _swing_asymmetry(
    left: Mapping[str, Estimate], right: Mapping[str, Estimate], system_sd: Mapping[str, float]
) -> Metric:
    a, b = left["swing_time_s"], right["swing_time_s"]
    n = min(a.n, b.n)
    if n < LEAST_FOR_SPREAD:
        return withheld("swing_asymmetry", "%", "both", n, LEAST_FOR_SPREAD)
    half = 200.0 * difference_half(a, b, system_sd["swing_time_s"]) / (a.mean + b.mean)
    found = metric("swing_asymmetry", "%", "both", 100.0 * abs(log(a.mean / b.mean)), half, n)
    # It is no less than nothing, whatever the error.
    low, high = found.interval or (0.0, 0.0)
    return found.model_copy(update={"interval": (max(low, 0.0), high)})
