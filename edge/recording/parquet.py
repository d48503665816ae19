"""Rows of a recording as tables of Arrow, and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from .format import CHANNELS, FIXED, KEY, Kind, column_types, describe_kinds, read_kinds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


def table_of(rows: Mapping[str, NDArray[Any]], kinds: Sequence[Kind]) -> pa.Table:
    """Table of rows; null where a sensor has no magnetometer, and its name beside every sample."""
    has_mag = np.array([len(kind.scale) == len(CHANNELS) for kind in kinds])[rows["kind"]]
    fields = [(name, pa.from_numpy_dtype(kind)) for name, kind in column_types(kinds).items()]
    metadata = {KEY: json.dumps(describe_kinds(kinds)).encode()}
    arrays = [
        pa.array(rows[name], kind, mask=~has_mag if name.startswith("mag") else None)
        for name, kind in fields
    ]
    # For readers that know nothing of our metadata.
    names = pa.array([kind.sensor for kind in kinds]).take(pa.array(rows["kind"]))
    schema = pa.schema([("sensor", pa.string()), *fields], metadata=metadata)
    return pa.Table.from_arrays([names, *arrays], schema=schema)


def rows_of_table(table: pa.Table) -> tuple[tuple[Kind, ...], dict[str, NDArray[Any]]]:
    """Kinds and columns of a table.

    Raises
    ------
    ValueError, KeyError
        If it is no recording of a version we read.
    """
    kinds = read_kinds(json.loads((table.schema.metadata or {}).get(KEY, b"null")))
    return kinds, {name: _numpy(table.column(name)) for name in (*FIXED, *CHANNELS)}


def _numpy(column: pa.ChunkedArray) -> NDArray[Any]:
    values: NDArray[Any] = (column.fill_null(0) if column.null_count else column).to_numpy()
    return values
