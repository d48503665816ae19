"""A node that speaks our serial protocol (docs/protocol.md), behind a serial port.

One thread of its own reads the port, so that bytes are stamped when they come and not when somebody
has time for them. It alone touches the link; the stream is shared under a lock.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from sensors.framing import ask_assign, ask_blink
from sensors.node_stream import NodeStream
from sensors.serial_link import SerialLink

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensors.clock import ClockState, Exchange
    from sensors.framing import Hello, Status
    from sensors.node_stream import Counters
    from sensors.sample import Block

# How long the thread sleeps at most: questions and closing wait no longer than this.
TURN_S = 0.05


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
        self._now_ns = now_ns
        self._stream = NodeStream(name)
        self._changed = threading.Condition()
        self._commands: list[bytes] = []
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"node {port_path}", daemon=True)
        self._thread.start()

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
        blocks: list[Block] = []

        def arrived() -> bool:
            blocks.extend(self._stream.take())
            return bool(blocks)

        with self._changed:
            self._changed.wait_for(arrived, timeout_s)
        return blocks

    def take_exchanges(self) -> list[tuple[int, Exchange]]:
        """Raw clock exchanges since the last call, each with its epoch, for the recording."""
        with self._changed:
            return self._stream.take_exchanges()

    def blink(self, duration_s: int = 3) -> None:
        """Let the node blink, so that a person finds it."""
        self._commands.append(ask_blink(duration_s))

    def assign(self, segment: str) -> None:
        """Let the node keep the segment it belongs to; `info.segment` shows when it has."""
        self._commands.append(ask_assign(segment))

    def close(self) -> None:
        """Stop reading and free the port."""
        self._closing = True
        self._thread.join()

    def _run(self) -> None:
        while not self._closing:
            self._turn()
        self.link.close()

    def _turn(self) -> None:
        if self.link.open():
            with self._changed:
                self._stream.reopened()
        self._ask()
        data, stamp_ns = self.link.read(TURN_S)
        if data:
            with self._changed:
                self._stream.receive(data, stamp_ns)
                self._changed.notify()

    def _ask(self) -> None:
        while self._commands:
            self.link.write(self._commands.pop(0))
        with self._changed:
            # The stamp belongs right before the write: what lies between is error of the clock.
            question = self._stream.questions(self._now_ns())
        self.link.write(question)
