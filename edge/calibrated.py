"""Corrections of the nodes of one session: blocks as read in, blocks as they really were out.

The recording keeps raw blocks and, in its header, the whole calibrations: replaying it corrects the
same way, whatever stands in the store by then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from calibration import CalibrationStore, SensorCalibration, StoreError, apply

from .errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from sensors import Block


@dataclass(frozen=True, slots=True)
class Corrections:
    """Calibrations by node; a node without one passes unchanged, and its results say so."""

    by_node: dict[str, SensorCalibration] = field(default_factory=dict)

    def apply(self, block: Block) -> Block:
        """Correct a block of any node."""
        known = self.by_node.get(block.sensor)
        return block if known is None else apply(block, known)

    @property
    def ids(self) -> tuple[str, ...]:
        """`NODE/CALIBRATION_ID` of each calibrated node: `calib` of every result."""
        return tuple(f"{node}/{known.calibration_id}" for node, known in self.by_node.items())

    @property
    def records(self) -> dict[str, dict[str, Any]]:
        """The whole calibrations, for the header of a recording."""
        return {node: known.as_written() for node, known in self.by_node.items()}

    def flags(
        self, nodes: Iterable[str], now: datetime, hardware: Mapping[str, str]
    ) -> tuple[str, ...]:
        """`FLAG:NODE` of everything that does not hold: flags of every result.

        Parameters
        ----------
        nodes : iterable of str
            Those that the results come from.
        now : datetime
            Of the measurement, aware.
        hardware : mapping of node to str
            What each calls itself, as far as it has told.
        """
        bare = SensorCalibration(sensor="none")
        return tuple(
            f"{flag}:{node}"
            for node in nodes
            for flag in self.by_node.get(node, bare).flags(now, hardware.get(node, ""))
        )

    def days_left(self, nodes: Iterable[str], now: datetime) -> dict[str, float]:
        """Days until the first fit of each calibrated node is no longer trusted."""
        return {
            node: (min(fit.valid_until for fit in fits.values()) - now) / timedelta(days=1)
            for node in nodes
            if node in self.by_node and (fits := self.by_node[node].fits)
        }


NO_CORRECTIONS = Corrections()


def load_corrections(folder: Path, nodes: Iterable[str]) -> Corrections:
    """Newest calibrations of the nodes that have one.

    Raises
    ------
    UserError
        If a calibration cannot be read: measuring with a damaged one would be worse than without.
    """
    store = CalibrationStore(folder)
    try:
        found = {node: store.load(node) for node in nodes}
    except StoreError as error:
        raise UserError(str(error)) from error
    return Corrections({node: known for node, known in found.items() if known is not None})


def read_corrections(records: Mapping[str, Mapping[str, Any]]) -> Corrections:
    """Calibrations out of the header of a recording.

    Raises
    ------
    UserError
        If one is of a schema that is not known here.
    """
    try:
        return Corrections(
            {node: SensorCalibration.model_validate(r) for node, r in records.items()}
        )
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise UserError(f"calibration in the recording: {key}: {first['msg']}") from error
