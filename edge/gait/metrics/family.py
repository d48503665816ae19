"""What a family of metrics is: columns over the strides of a foot, and how far to trust them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from edge.gait.strides import Body, Strides

Need = Literal["other foot", "shank", "pelvis"]
# The unit of a field is the end of its name; a name without one has no unit.
UNITS = {
    "deg": "deg",
    "degps": "deg/s",
    "s": "s",
    "m": "m",
    "mps": "m/s",
    "g": "g",
    "db": "dB",
    "pct": "%",
    "spm": "steps/min",
}


@dataclass(frozen=True, slots=True)
class Family:
    """Metrics that are computed together.

    Attributes
    ----------
    name : str
        One word; the address of its results.
    columns : callable
        Strides of one foot and the whole body to columns (m,), named after fields of `Stride`.
        A value that cannot be given is NaN; a column that cannot be given is left out.
    system_sd : mapping
        For each field that is summarised, the standard deviation of the error that all strides of
        one fitting of the sensors share: it does not average out, and widens every interval. From
        the virtual walker (docs/validation.md), or from the paper that docs/gait.md names.
    needs : tuple
        Sensors beside the foot's own.
    """

    name: str
    columns: Callable[[Strides, Body], Mapping[str, NDArray[np.float64]]]
    system_sd: Mapping[str, float]
    needs: tuple[Need, ...] = ()


def unit_of(field: str) -> str:
    """Unit of a field, from the end of its name."""
    return UNITS.get(field.rpartition("_")[2], "1")


def words_of(field: str) -> str:
    """A field's name in words, without its unit."""
    stem, _, end = field.rpartition("_")
    return (stem if end in UNITS else field).replace("_", " ")
