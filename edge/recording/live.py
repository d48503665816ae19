"""The segment that is being written: pieces of rows, each with a checksum of its own.

The first line is JSON and tells what the rows mean (`format.py`). Each piece after it has a head of
three little-endian uint32 (rows, bytes, CRC-32 of the first line and the piece) and its columns one
behind the other, deflated. A power cut can only shorten such a file.

Not Arrow: its library is 30 MB in the memory of a service that otherwise holds 60
(docs/decisions/0007).
"""

from __future__ import annotations

import errno
import json
import os
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from .format import Kind, column_types, describe_kinds, read_kinds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

SUFFIX = ".live"
HEAD = struct.Struct("<III")
# Integers that differ little: a higher level takes thrice the time for a twentieth of the size.
LEVEL = 1
# A second of a thousand samples is 70 kB: what claims more is damage, and must not fill the memory.
MOST_BYTES = 1 << 28


class LiveSegment:
    """Writes pieces; what is written is the kernel's and outlives a kill.

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
        self._first_line = json.dumps(describe_kinds(kinds)).encode() + b"\n"
        self._put(self._first_line)

    def write(self, rows: Mapping[str, NDArray[Any]]) -> None:
        """Append a piece."""
        packed = zlib.compress(b"".join(column.tobytes() for column in rows.values()), LEVEL)
        n = len(rows["kind"])
        self._put(HEAD.pack(n, len(packed), _checksum(self._first_line, n, packed)) + packed)

    def duplicate(self) -> int:
        """Descriptor of its own, for a thread that syncs it."""
        return os.dup(self._file.fileno())

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _put(self, data: bytes) -> None:
        # A full disk takes a part and says nothing.
        if self._file.write(data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))


def read_live(path: Path) -> Iterator[tuple[tuple[Kind, ...], dict[str, NDArray[Any]]]]:
    """Whole pieces of a live segment, up to the first that is torn or altered."""
    try:
        with path.open("rb") as file:
            first_line = file.readline()
            kinds = read_kinds(json.loads(first_line))
            types = column_types(kinds)
            while len(head := file.read(HEAD.size)) == HEAD.size:
                n, size, checksum = HEAD.unpack(head)
                packed = file.read(min(size, MOST_BYTES))
                if _checksum(first_line, n, packed) != checksum:
                    return
                yield kinds, _columns(zlib.decompress(packed), n, types)
    except (OSError, ValueError, KeyError, TypeError, RecursionError, zlib.error):
        return


def _checksum(first_line: bytes, n: int, packed: bytes) -> int:
    return zlib.crc32(packed, zlib.crc32(n.to_bytes(4, "little"), zlib.crc32(first_line)))


def _columns(data: bytes, n: int, types: Mapping[str, np.dtype[Any]]) -> dict[str, NDArray[Any]]:
    columns, at = {}, 0
    for name, kind in types.items():
        columns[name] = np.frombuffer(data, kind, n, at)
        at += n * kind.itemsize
    return columns
