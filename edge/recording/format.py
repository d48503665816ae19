"""How blocks become rows of a recording, and rows become the same blocks again.

One row is one sample of one sensor. Readings stay what the device sent; what turns them into SI
units (`kinds`) stands at the head of each file. `block` numbers the blocks in the order they came,
so that replaying a recording feeds the pipeline exactly what it was fed live.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from sensors import Block

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

FORMAT = "recording/1.0"
# Of the metadata of a file, in which `describe_kinds` stands.
KEY = b"evenstride"
# Joining more samples into one block saves no time any more, and holds more memory.
LONGEST_RUN = 4_000
CHANNELS = tuple(f"{kind}_{axis}" for kind in ("gyr", "acc", "mag") for axis in "xyz")
FIXED: Mapping[str, type[np.generic]] = {
    "kind": np.int16,
    "block": np.int64,
    "epoch": np.int32,
    "seq": np.int64,
    "tick": np.int64,
    "host_ns": np.int64,
    "time_sd_s": np.float64,
    "saturated": np.bool_,
}


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


def describe_kinds(kinds: Sequence[Kind]) -> dict[str, Any]:
    """What stands at the head of a file that holds these kinds."""
    return {
        "format": FORMAT,
        "units": {"gyr": "rad/s", "acc": "m/s2", "mag": "uT"},
        "kinds": [
            {"sensor": kind.sensor, "scale": kind.scale, "integers": kind.integers}
            for kind in kinds
        ],
    }


def read_kinds(described: Any) -> tuple[Kind, ...]:
    """Kinds out of the head of a file.

    Raises
    ------
    ValueError
        If it is no recording of a version we read.
    """
    if not isinstance(described, dict) or described.get("format") != FORMAT:
        raise ValueError(f"expected a segment of format {FORMAT}")
    return tuple(
        Kind(kind["sensor"], tuple(kind["scale"]), kind["integers"]) for kind in described["kinds"]
    )


def column_types(kinds: Sequence[Kind]) -> dict[str, np.dtype[Any]]:
    """Types of all columns by name, in their order; one float makes all readings floats."""
    reading = np.int16 if all(kind.integers for kind in kinds) else np.float64
    types = {**FIXED, **dict.fromkeys(CHANNELS, reading)}
    return {name: np.dtype(kind) for name, kind in types.items()}


def rows_of(blocks: Sequence[tuple[int, Block]], kinds: Sequence[Kind]) -> dict[str, NDArray[Any]]:
    """Columns of numbered blocks, sorted by sensor: neighbours differ little and pack well."""
    numbered = sorted(blocks, key=lambda item: (kinds.index(Kind.of(item[1])), item[0]))
    parts = [_columns(number, block, kinds) for number, block in numbered]
    return {
        name: np.concatenate([part[name] for part in parts]).astype(kind)
        for name, kind in column_types(kinds).items()
    }


def _columns(number: int, block: Block, kinds: Sequence[Kind]) -> dict[str, NDArray[Any]]:
    n, n_channels = block.readings.shape
    columns: dict[str, NDArray[Any]] = {
        "kind": np.full(n, kinds.index(Kind.of(block))),
        "block": np.full(n, number),
        "epoch": np.full(n, block.epoch),
        "seq": block.first_seq + np.arange(n),
        "tick": block.ticks,
        "host_ns": block.host_ns,
        "time_sd_s": np.full(n, block.time_sd_s),
        "saturated": block.saturated,
    }
    # Zeros stand for the magnetometer that a sensor does not have.
    zeros = np.zeros(n, dtype=block.readings.dtype)
    for i, name in enumerate(CHANNELS):
        columns[name] = block.readings[:, i] if i < n_channels else zeros
    return columns


def blocks_of(rows: Mapping[str, NDArray[Any]], kinds: Sequence[Kind]) -> Iterator[Block]:
    """Blocks of rows, in the order they came."""
    starts = np.flatnonzero(np.diff(rows["block"], prepend=-1) != 0)
    stops = np.append(starts[1:], len(rows["block"]))
    for i in np.argsort(rows["block"][starts], kind="stable"):
        yield _block(rows, kinds, slice(int(starts[i]), int(stops[i])))


def runs_of(rows: Mapping[str, NDArray[Any]], kinds: Sequence[Kind]) -> Iterator[Block]:
    """Samples of each sensor that follow each other, in however many blocks they came.

    Up to `LONGEST_RUN` samples a block, in the order in which the first of them came.
    """
    ends = np.diff(rows["kind"]) != 0
    ends |= np.diff(rows["epoch"]) != 0
    ends |= np.diff(rows["seq"]) != 1
    # A clock that was set anew between two blocks.
    ends |= np.diff(rows["host_ns"]) <= 0
    bounds = [0, *(np.flatnonzero(ends) + 1).tolist(), len(rows["seq"])]
    parts = [
        slice(at, min(at + LONGEST_RUN, stop))
        for start, stop in pairwise(bounds)
        for at in range(start, stop, LONGEST_RUN)
    ]
    for part in sorted(parts, key=lambda part: int(rows["block"][part.start])):
        yield _block(rows, kinds, part)


def _block(rows: Mapping[str, NDArray[Any]], kinds: Sequence[Kind], part: slice) -> Block:
    kind = kinds[int(rows["kind"][part.start])]
    channels = [rows[name][part] for name in CHANNELS[: len(kind.scale)]]
    readings: Any = np.array(channels).astype(np.int16 if kind.integers else np.float64)
    return Block(
        sensor=kind.sensor,
        epoch=int(rows["epoch"][part.start]),
        first_seq=int(rows["seq"][part.start]),
        ticks=rows["tick"][part],
        host_ns=rows["host_ns"][part],
        readings=readings.T,
        scale=np.array(kind.scale),
        saturated=rows["saturated"][part],
        time_sd_s=float(rows["time_sd_s"][part].max()),
    )


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
