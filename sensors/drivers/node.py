"""A node that speaks our serial protocol (docs/protocol.md), behind a serial port."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sensors.framing import ask_assign, ask_blink
from sensors.node_stream import NodeStream
from sensors.serial_link import SerialLink

from .reader import LinkReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensors.clock import ClockState, Exchange
    from sensors.framing import Hello, Status
    from sensors.node_stream import Counters
    from sensors.sample import Block


class NodeDriver:
    """Blocks of one serial node.

    Parameters
    ----------
    port_path : str
        Path of the serial port. A port that is not there is waited for.
    name : str, optional
        Name that the blocks bear; without it the node's own.
    baudrate : int
        Bits a second; USB ports ignore it.
    now_ns : callable
        Host clock, CLOCK_MONOTONIC nanoseconds.

    Attributes
    ----------
    link : SerialLink
        Its `state`, `reopened` and `reason` tell how the port fares.
    """

    def __init__(
        self,
        port_path: str,
        *,
        name: str | None = None,
        baudrate: int = 921_600,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.link = SerialLink(port_path, baudrate=baudrate, now_ns=now_ns)
        self._stream = NodeStream(name)
        self._reader = LinkReader(self.link, self._stream, now_ns, f"node {port_path}")

    @property
    def name(self) -> str:
        """Name that the blocks bear; empty while the node has not told its own."""
        return self._stream.name

    @property
    def info(self) -> Hello | None:
        """What the node said of itself, None before it did."""
        return self._stream.hello

    @property
    def status(self) -> Status | None:
        """What the node last said of how it fares: temperature, battery, overruns."""
        return self._stream.status

    @property
    def counters(self) -> Counters:
        """Samples received and lost, packets refused."""
        return self._stream.counters

    @property
    def rejected(self) -> int:
        """Pieces of the line that were no packet, by checksum, stuffing or length."""
        return self._stream.parser.rejected

    @property
    def clock(self) -> ClockState | None:
        """Offset, drift, residual and uncertainty of the node's clock, None before it is known."""
        clock = self._stream.clock
        return clock.state if clock else None

    def read(self, timeout_s: float) -> list[Block]:
        """Blocks that came since the last call; waits for the first one, `timeout_s` at most."""
        return self._reader.read(timeout_s)

    def take_exchanges(self) -> list[tuple[int, Exchange]]:
        """Raw clock exchanges since the last call, each with its epoch, for the recording."""
        with self._reader.lock:
            return self._stream.take_exchanges()

    def blink(self, duration_s: int = 3) -> None:
        """Let the node blink, so that a person finds it."""
        self._reader.send(ask_blink(duration_s))

    def assign(self, segment: str) -> None:
        """Let the node keep the segment it belongs to; `info.segment` shows when it has."""
        self._reader.send(ask_assign(segment))

    def close(self) -> None:
        """Stop reading and free the port."""
        self._reader.close()
