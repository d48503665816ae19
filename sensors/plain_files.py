"""The two file formats of plain recordings: arrays in pieces, by name."""

from __future__ import annotations

import io
import tokenize
import zipfile
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

SUFFIXES = ("gyr", "acc", "mag", "measured")
# What numpy, zipfile and pyarrow raise over a file that is not what its name says: two of it over
# one packed with a method, or encrypted, that zipfile does not know, two over an array's header.
DAMAGE = (
    *(OSError, EOFError, ValueError, TypeError, LookupError, OverflowError, MemoryError),
    *(zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError),
    *(SyntaxError, tokenize.TokenError),
)


class RecordingError(ValueError):
    """A recording that cannot be read; the text is one sentence for the person who named it."""


@contextmanager
def _named(path: Path, kind: str) -> Iterator[None]:
    try:
        yield
    except RecordingError:
        raise
    except DAMAGE as error:
        raise RecordingError(f"{path}: not a readable {kind} ({error})") from error


def describe(path: Path) -> tuple[dict[str, tuple[int, ...]], dict[str, Any]]:
    """Shapes of the arrays, and the scalars `fs`, `t0`, `info`, `protocol`."""
    if not path.is_file():
        raise RecordingError(f"{path}: no such file; expected a recording (.npz, .csv or a folder)")
    if path.suffix == ".csv":
        return _describe_csv(path)
    with _named(path, ".npz file"):
        with np.load(path, allow_pickle=False) as arrays:
            # A member that is no array comes as its bytes.
            given = [key for key in ("info", "protocol") if key in arrays]
            texts = {key: np.asarray(arrays[key]).item() for key in given}
            if "fs" in arrays:
                texts["fs"] = float(np.asarray(arrays["fs"]).item())
        with zipfile.ZipFile(path) as archive:
            shapes = {n[:-4]: _Member(archive, n).shape for n in _wanted(archive)}
            if shapes.get("t", (0,))[0] > 0:
                texts["t0"] = float(_Member(archive, "t.npy").read(1)[0])
    return shapes, texts


def pieces(path: Path, n_rows: int) -> Iterator[dict[str, NDArray[Any]]]:
    """All arrays of the samples, about `n_rows` rows at a time."""
    if path.suffix == ".csv":
        yield from _csv_pieces(path)
        return
    with _named(path, ".npz file"), zipfile.ZipFile(path) as archive:
        members = {name[:-4]: _Member(archive, name) for name in _wanted(archive)}
        while piece := {name: rows for name, m in members.items() if len(rows := m.read(n_rows))}:
            yield piece


def _wanted(archive: zipfile.ZipFile) -> list[str]:
    return [
        name
        for name in archive.namelist()
        if name == "t.npy" or name.removesuffix(".npy").rpartition("_")[2] in SUFFIXES
    ]


class _Member:
    """One array of an `.npz`, read row by row; held whole only where it is stored by columns."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._file: IO[bytes] = archive.open(name)
        version = np.lib.format.read_magic(self._file)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        self.shape, fortran, self._dtype = read_header(self._file)
        if self._dtype.kind not in "biuf":
            raise ValueError(f"{name} holds {self._dtype}; only numbers are read")
        if fortran and len(self.shape) > 1:
            # Stored column by column: the rows are there only when all of it has been read.
            columns = np.frombuffer(self._file.read(), self._dtype).reshape(self.shape[::-1])
            self._file = io.BytesIO(np.ascontiguousarray(columns.T).tobytes())

    def read(self, n_rows: int) -> NDArray[Any]:
        """Next rows, fewer at the end."""
        row_bytes = self._dtype.itemsize * int(np.prod(self.shape[1:]))
        data = self._file.read(n_rows * row_bytes)
        return np.frombuffer(data, self._dtype).reshape(-1, *self.shape[1:])


def _describe_csv(path: Path) -> tuple[dict[str, tuple[int, ...]], dict[str, Any]]:
    n = 0
    shapes: dict[str, tuple[int, ...]] = {}
    first_s = last_s = np.nan
    for piece in _csv_pieces(path):
        if "t" not in piece:
            raise RecordingError(f"{path}: no column t; expected the time of each row in seconds")
        if not n:
            first_s = float(piece["t"][0])
        n += len(piece["t"])
        last_s = float(piece["t"][-1])
        shapes = {name: (n, *rows.shape[1:]) for name, rows in piece.items()}
    # A text file has no place for a rate: it is what the times say.
    rate_hz = round((n - 1) / (last_s - first_s), 3) if n > 1 and last_s > first_s else np.nan
    return shapes, {"fs": rate_hz, "t0": first_s}


def _csv_pieces(path: Path) -> Iterator[dict[str, NDArray[Any]]]:
    from pyarrow import csv  # noqa: PLC0415 (0.2 s and 50 MB that an .npz does not need)

    options = csv.ReadOptions(block_size=8 << 20)
    with _named(path, "table of numbers"), csv.open_csv(path, options) as reader:
        for batch in reader:
            yield _columns(batch.schema.names, batch)


def _columns(names: list[str], batch: Any) -> dict[str, NDArray[Any]]:
    axes = {n[:-2] for n in names if n.endswith(("_x", "_y", "_z"))}
    vectors = {
        name: np.stack([_numbers(batch, f"{name}_{axis}") for axis in "xyz"], axis=1)
        for name in axes
        if all(f"{name}_{axis}" in names for axis in "xyz")
    }
    singles = {n: _numbers(batch, n) for n in names if n == "t" or n.endswith("_measured")}
    return {**vectors, **singles}


def _numbers(batch: Any, name: str) -> NDArray[np.float64]:
    return np.asarray(batch.column(name).to_numpy(zero_copy_only=False), dtype=np.float64)
