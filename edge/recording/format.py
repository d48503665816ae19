"""How blocks become rows of a recording, and rows become the same blocks again.

One row is one sample of one sensor. Readings stay what the device sent; what turns them into SI
units (`kinds`) stands in the file's own metadata. `block` numbers the blocks in the order they
came, so that replaying a recording feeds the pipeline exactly what it was fed live.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from sensors import Block

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FORMAT = "recording/1.0"
KEY = b"evenstride"
CHANNELS = tuple(f"{kind}_{axis}" for kind in ("gyr", "acc", "mag") for axis in "xyz")
FIXED = (
    ("kind", pa.int16()),
    ("block", pa.int64()),
    ("epoch", pa.int32()),
    ("seq", pa.int64()),
    ("tick", pa.int64()),
    ("host_ns", pa.int64()),
    ("time_sd_s", pa.float64()),
    ("saturated", pa.bool_()),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """What all samples of one sensor have in common.

    Attributes
    ----------
    sensor : str
        Its name.
    scale : tuple of float
        SI units a reading, for each channel: 6, or 9 with a magnetometer.
    integers : bool
        Whether readings are the device's own integers.
    """

    sensor: str
    scale: tuple[float, ...]
    integers: bool

    @classmethod
    def of(cls, block: Block) -> Kind:
        """Kind of a block."""
        return cls(block.sensor, tuple(block.scale.tolist()), block.readings.dtype == np.int16)


def schema_of(kinds: Sequence[Kind]) -> pa.Schema:
    """Columns and metadata of a file that holds these kinds."""
    reading = pa.int16() if all(kind.integers for kind in kinds) else pa.float64()
    described = {
        "format": FORMAT,
        "units": {"gyr": "rad/s", "acc": "m/s2", "mag": "uT"},
        "kinds": [
            {"sensor": kind.sensor, "scale": kind.scale, "integers": kind.integers}
            for kind in kinds
        ],
    }
    columns = [*FIXED, *((name, reading) for name in CHANNELS)]
    return pa.schema(columns, metadata={KEY: json.dumps(described).encode()})


def kinds_of(schema: pa.Schema) -> tuple[Kind, ...]:
    """Kinds that a file's metadata names.

    Raises
    ------
    ValueError
        If it is no recording of a version we read.
    """
    described = json.loads((schema.metadata or {}).get(KEY, b"null"))
    if not isinstance(described, dict) or described.get("format") != FORMAT:
        raise ValueError(f"expected a segment of format {FORMAT}")
    return tuple(
        Kind(kind["sensor"], tuple(kind["scale"]), kind["integers"]) for kind in described["kinds"]
    )


def pack(
    blocks: Sequence[tuple[int, Block]], kinds: Sequence[Kind], schema: pa.Schema
) -> pa.RecordBatch:
    """Rows of numbered blocks, sorted by sensor: neighbours then differ little and pack well."""
    numbered = sorted(blocks, key=lambda item: (kinds.index(Kind.of(item[1])), item[0]))
    parts = [_columns(number, block, kinds) for number, block in numbered]
    arrays = []
    for field in schema:
        values = np.concatenate([part[field.name] for part in parts])
        absent = None
        if field.name.startswith("mag"):
            absent = np.concatenate([part["no_mag"] for part in parts])
        arrays.append(pa.array(values, type=field.type, mask=absent))
    return pa.record_batch(arrays, schema=schema)


def _columns(number: int, block: Block, kinds: Sequence[Kind]) -> dict[str, Any]:
    n, n_channels = block.readings.shape
    columns: dict[str, Any] = {
        "kind": np.full(n, kinds.index(Kind.of(block)), dtype=np.int16),
        "block": np.full(n, number, dtype=np.int64),
        "epoch": np.full(n, block.epoch, dtype=np.int32),
        "seq": block.first_seq + np.arange(n),
        "tick": block.ticks,
        "host_ns": block.host_ns,
        "time_sd_s": np.full(n, block.time_sd_s),
        "saturated": block.saturated,
        "no_mag": np.full(n, n_channels < len(CHANNELS)),
    }
    zeros = np.zeros(n, dtype=block.readings.dtype)
    for i, name in enumerate(CHANNELS):
        columns[name] = block.readings[:, i] if i < n_channels else zeros
    return columns


def unpack(rows: pa.RecordBatch | pa.Table, kinds: Sequence[Kind]) -> Iterator[Block]:
    """Blocks of rows, in the order they came."""
    names = [name for name, _ in FIXED]
    fixed = {name: _numpy(rows.column(name)) for name in names}
    # The default fill stands for the magnetometer that a sensor does not have.
    readings = np.stack([_numpy(rows.column(name)) for name in CHANNELS], axis=1)
    new_block = np.diff(fixed["block"], prepend=-1) != 0
    starts = np.flatnonzero(new_block)
    stops = np.append(starts[1:], len(new_block))
    for i in np.argsort(fixed["block"][starts], kind="stable"):
        part = slice(int(starts[i]), int(stops[i]))
        kind = kinds[int(fixed["kind"][starts[i]])]
        values: Any = readings[part, : len(kind.scale)]
        yield Block(
            sensor=kind.sensor,
            epoch=int(fixed["epoch"][part.start]),
            first_seq=int(fixed["seq"][part.start]),
            ticks=fixed["tick"][part],
            host_ns=fixed["host_ns"][part],
            readings=values.astype(np.int16 if kind.integers else np.float64),
            scale=np.array(kind.scale),
            saturated=fixed["saturated"][part],
            time_sd_s=float(fixed["time_sd_s"][part.start]),
        )


def checksum(batch: pa.RecordBatch) -> str:
    """CRC-32 of all values and what they mean: Arrow would not notice a torn or zeroed sector."""
    crc = zlib.crc32(batch.schema.metadata[KEY])
    for name in (*(name for name, _ in FIXED), *CHANNELS):
        crc = zlib.crc32(np.ascontiguousarray(_numpy(batch.column(name))).tobytes(), crc)
    return f"{crc:08x}"


def _numpy(column: pa.Array | pa.ChunkedArray) -> Any:
    if column.null_count:
        column = column.fill_null(0)
    if isinstance(column, pa.ChunkedArray):
        return column.to_numpy()
    return column.to_numpy(zero_copy_only=False)


class Tally:
    """Counts samples of each sensor, and those that are missing between its blocks.

    Attributes
    ----------
    n, n_lost : dict of sensor to int
        Counted so far.
    """

    def __init__(self) -> None:
        self.n: dict[str, int] = {}
        self.n_lost: dict[str, int] = {}
        self._expected: dict[str, tuple[int, int]] = {}

    def add(self, block: Block) -> None:
        """Count a block."""
        name = block.sensor
        epoch, seq = self._expected.get(name, (block.epoch, block.first_seq))
        lost = max(block.first_seq - seq, 0) if block.epoch == epoch else 0
        self.n[name] = self.n.get(name, 0) + len(block)
        self.n_lost[name] = self.n_lost.get(name, 0) + lost
        self._expected[name] = (block.epoch, block.first_seq + len(block))
