"""The segment that is being written: an Arrow stream, a batch of rows at a time.

Written by nanoarrow, 2 MB in the memory of a service that runs for weeks, where pyarrow would be
36 (docs/decisions/0007); read by pyarrow, which checks what it reads. A power cut can only shorten
such a file. Every batch has a CRC-32 of its values: Arrow would not notice a sector of zeros.
"""

from __future__ import annotations

import errno
import io
import json
import os
import zlib
from typing import TYPE_CHECKING, Any

import nanoarrow as na
import numpy as np
from nanoarrow.ipc import StreamWriter

from .format import CHANNELS, KEY, Kind, column_types, describe_kinds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Rows = dict[str, NDArray[Any]]

SUFFIX = ".arrows"
CRC = "crc32"
TYPES = {
    "bool": na.bool_,
    "int16": na.int16,
    "int32": na.int32,
    "int64": na.int64,
    "uint32": na.uint32,
    "float64": na.float64,
}


class LiveSegment:
    """Writes batches; what is written is the kernel's and outlives a kill.

    Parameters
    ----------
    path : Path
        It must not exist.
    kinds : sequence of Kind
        All that the rows may be.

    Raises
    ------
    OSError
        Where the disk fails or is full.
    """

    def __init__(self, path: Path, kinds: Sequence[Kind]) -> None:
        self.path = path
        self._file = path.open("xb", buffering=0)
        self._has_mag = np.array([len(kind.scale) == len(CHANNELS) for kind in kinds])
        self._described = json.dumps(describe_kinds(kinds)).encode()
        types = {**column_types(kinds), CRC: np.dtype(np.uint32)}
        fields = {name: TYPES[kind.name]() for name, kind in types.items()}
        self._schema = na.Schema(na.struct(fields), metadata={KEY: self._described})
        # The stream writes here, we to the file: one whole write for each batch.
        self._bytes = io.BytesIO()
        self._stream = StreamWriter.from_writable(self._bytes)

    def write(self, rows: Mapping[str, NDArray[Any]]) -> None:
        """Append a batch."""
        n = len(rows["kind"])
        checksum = np.full(n, crc_of(self._described, rows), dtype=np.uint32)
        columns = [
            _column(values, self._has_mag[rows["kind"]] if name.startswith("mag") else None)
            for name, values in (*rows.items(), (CRC, checksum))
        ]
        self._stream.write_array(
            na.c_array_from_buffers(self._schema, n, buffers=[None], children=columns)
        )
        self._put(self._bytes.getvalue())
        self._bytes.seek(0)
        self._bytes.truncate()

    def duplicate(self) -> int:
        """Descriptor of its own, for a thread that syncs it."""
        return os.dup(self._file.fileno())

    def close(self) -> None:
        """Let go of the file; the stream needs no end to be whole."""
        self._stream.release()
        self._file.close()

    def _put(self, data: bytes) -> None:
        # A full disk takes a part and says nothing.
        if self._file.write(data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))


def _column(values: NDArray[Any], known: NDArray[np.bool_] | None) -> na.CArray:
    bits = values.dtype == np.bool_
    data = np.packbits(values, bitorder="little") if bits else np.ascontiguousarray(values)
    valid = None if known is None or known.all() else np.packbits(known, bitorder="little")
    kind = TYPES[values.dtype.name]()
    return na.c_array_from_buffers(kind, len(values), [valid, data.view(np.uint8)])


def read_live(path: Path) -> Iterator[tuple[tuple[Kind, ...], Rows]]:
    """Whole batches of a live segment, up to the first that is torn or altered."""
    # Late: the service imports this file to write, and must do without pyarrow.
    import pyarrow as pa  # noqa: PLC0415

    from .parquet import rows_of_table  # noqa: PLC0415

    try:
        with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
            described = (stream.schema.metadata or {})[KEY]
            for batch in stream:
                batch.validate(full=True)
                kinds, rows = rows_of_table(pa.Table.from_batches([batch]))
                told = batch.column(CRC).to_numpy()
                if not np.all(told == crc_of(described, rows)):
                    return
                yield kinds, rows
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, RecursionError):
        return


def crc_of(described: bytes, rows: Mapping[str, NDArray[Any]]) -> int:
    """CRC-32 of all values and of what they mean."""
    crc = zlib.crc32(described)
    for values in rows.values():
        crc = zlib.crc32(values.tobytes(), crc)
    return crc
