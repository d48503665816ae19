"""Who wears the demo's virtual nodes: the virtual walker, or a person of a plain recording."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge.errors import UserError
from sensors import Segment
from sensors.plain import open_plain
from sensors.virtual import Imperfections, Stand, Turn, VirtualPerson, Walk, Walker
from sensors.virtual.crystal import Crystal
from sensors.virtual.node import VirtualNode
from sensors.virtual.sampler import Board

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from sensors.virtual.sampler import Signal

# The service needs some seconds to know the clocks; and the last stride some to close.
STANDING_S = 4.0
STEPS_A_WAY = 20
# A clock error of each board, parts per million: within what crystals of such boards show.
DRIFTS_PPM = (-18.0, 9.0, 31.0, -27.0, 4.0)


@dataclass(frozen=True)
class Wearer:
    """Nodes to plug in, and for how long there is something to measure."""

    nodes: dict[Segment, VirtualNode]
    rate_hz: float
    duration_s: float


def corridor_walk(duration_s: float, seed: int) -> Walker:
    """Somebody who stands, walks up and down a corridor for about the time, and stands."""
    person, way, back = VirtualPerson(), Walk(STEPS_A_WAY), (Turn(), Walk(STEPS_A_WAY))
    once_s = Walker(person, [Stand(STANDING_S), way, Stand(STANDING_S)], seed).end_s
    turn_s = Walker(person, back, seed).end_s
    turns = max(round((duration_s - once_s) / turn_s), 0)
    return Walker(person, [Stand(STANDING_S), way, *back * turns, Stand(STANDING_S)], seed)


def virtual_wearer(duration_s: float, seed: int, rate_hz: float = 200.0) -> Wearer:
    """The nodes of a virtual person on a corridor walk, worn a little askew on all segments."""
    walker = corridor_walk(duration_s, seed)
    nodes = {
        segment: _node(segment, _worn(walker, segment, seed), rate_hz, drift_ppm)
        for segment, drift_ppm in zip(Segment, DRIFTS_PPM, strict=True)
    }
    return Wearer(nodes, rate_hz, walker.end_s + STANDING_S)


def recorded_wearer(path: Path) -> Wearer:
    """The person of a plain recording; each node samples what was recorded at its own moments.

    Raises
    ------
    RecordingError
        Where the recording cannot be read.
    UserError
        Where it is not a plain one.
    """
    if path.is_dir():
        raise UserError(f"{path}: a recording folder; the demo plays plain ones (.npz, .csv)")
    recording = open_plain(path)
    parts: dict[Segment, list[NDArray[np.float64]]] = {}
    for segment, block in recording.blocks():
        time_s = (block.host_ns - recording.origin_ns) * 1e-9
        parts.setdefault(segment, []).append(np.column_stack([time_s, block.gyr, block.acc]))
    rate_hz, until_s = recording.rate_hz, recording.duration_s
    nodes = {
        segment: _node(segment, _played(np.concatenate(rows)), rate_hz, until_s=until_s)
        for segment, rows in parts.items()
    }
    return Wearer(nodes, rate_hz, until_s + STANDING_S)


def _worn(walker: Walker, segment: Segment, seed: int) -> Signal:
    """What a sensor on the segment reads: strapped on somehow, with the noise of its kind."""
    dice = np.random.default_rng((seed, list(Segment).index(segment)))
    turn = dice.normal(size=4) * 0.1 + (1.0, 0.0, 0.0, 0.0)
    imperfections = Imperfections(
        q_sensor_to_segment=tuple(turn / np.linalg.norm(turn)),
        gyr_bias=tuple(dice.normal(size=3) * 0.005),
        gyr_noise=0.0012,
        acc_noise=0.02,
        seed=int(dice.integers(1 << 31)),
    )
    signal: Signal = walker.sensor(segment, imperfections)
    return signal


def _played(rows: NDArray[np.float64]) -> Signal:
    """The recorded samples themselves: the node has their rate, and meets each of them once."""
    numbers = np.arange(len(rows))

    def signal(
        time_s: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], None]:
        at = rows[np.rint(np.interp(time_s, rows[:, 0], numbers)).astype(np.int64)]
        return at[:, 1:4], at[:, 4:7], None

    return signal


def _node(
    segment: Segment,
    signal: Signal,
    rate_hz: float,
    drift_ppm: float = 0.0,
    until_s: float = np.inf,
) -> VirtualNode:
    board = Board(rate_hz=rate_hz, crystal=Crystal(drift_ppm))
    name = segment.value.replace("_", "-")
    return VirtualNode(name, signal, board=board, segment=segment.value, until_s=until_s)
