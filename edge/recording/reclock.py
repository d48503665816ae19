"""Blocks of a recording with their clocks fitted afterwards, from the exchanges in its journal.

Live, the time of a sample can only rest on exchanges of before; afterwards those that follow it
count as well. What was recorded stays as it is: new times are made when it is read.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from sensors.clock import LEAST_EXCHANGES, ClockTrack, Exchange

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sensors import Block

EXCHANGE_KEYS = [field.name for field in fields(Exchange)]


class Reclock:
    """Clocks of all sensors and epochs of one recording.

    Parameters
    ----------
    journal : iterable of mapping
        Entries of the journal: `exchange` entries, and `hello` markers with the rate of the ticks.
    """

    def __init__(self, journal: Iterable[Mapping[str, Any]]) -> None:
        exchanges: dict[tuple[str, int], list[Exchange]] = defaultdict(list)
        tick_hz: dict[str, float] = {}
        for entry in journal:
            if entry.get("kind") == "exchange":
                values = (entry[key] for key in EXCHANGE_KEYS)
                exchanges[entry["sensor"], entry["epoch"]].append(Exchange(*values))
            elif entry.get("label") == "hello":
                tick_hz[entry["node"]] = entry["hello"]["tick_hz"]
        self._tracks = {
            (sensor, epoch): ClockTrack(told, tick_hz[sensor])
            for (sensor, epoch), told in exchanges.items()
            if len(told) >= LEAST_EXCHANGES and sensor in tick_hz
        }

    def apply(self, block: Block) -> Block:
        """Give a block its new times; one whose clock was never asked keeps those it has."""
        track = self._tracks.get((block.sensor, block.epoch))
        return block if track is None else replace(block, host_ns=track.host_ns(block.ticks))
