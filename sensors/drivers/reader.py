"""One thread that reads a link, so that bytes are stamped when they come, not when one has time.

It alone touches the link; the stream behind it is shared under a lock.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensors.sample import Block
    from sensors.serial_link import LinkState

# How long the thread sleeps at most: questions and closing wait no longer than this.
TURN_S = 0.05


class Link(Protocol):
    """A port or socket that heals itself; `SerialLink` is the example."""

    state: LinkState
    reopened: int
    reason: str

    def open(self) -> bool:
        """Open if it is lost and its time has come; True where it was opened just now."""
        ...

    def read(self, timeout_s: float) -> tuple[bytes, int]:
        """Bytes and the host time when they were there; empty where none came."""
        ...

    def write(self, data: bytes) -> None:
        """Send bytes."""
        ...

    def close(self) -> None:
        """Close for good."""
        ...


class Stream(Protocol):
    """What makes blocks of bytes; pure."""

    def reopened(self) -> None:
        """Tell that the line was cut."""
        ...

    def questions(self, now_ns: int) -> bytes:
        """Bytes to send now."""
        ...

    def receive(self, data: bytes, host_ns: int) -> None:
        """Take bytes."""
        ...

    def take(self) -> list[Block]:
        """Blocks that are ready."""
        ...


class LinkReader:
    """A link, a stream, and the thread between them.

    Parameters
    ----------
    link : Link
        Where bytes come from.
    stream : Stream
        What makes blocks of them.
    now_ns : callable
        Host clock for the questions.
    name : str
        Of the thread.

    Attributes
    ----------
    lock : Condition
        To be held by whoever touches the stream.
    """

    def __init__(self, link: Link, stream: Stream, now_ns: Callable[[], int], name: str) -> None:
        self.link = link
        self.lock = threading.Condition()
        self._stream = stream
        self._now_ns = now_ns
        self._commands: list[bytes] = []
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def read(self, timeout_s: float) -> list[Block]:
        """Blocks that came since the last call; waits for the first one, `timeout_s` at most."""
        blocks: list[Block] = []

        def arrived() -> bool:
            blocks.extend(self._stream.take())
            return bool(blocks)

        with self.lock:
            self.lock.wait_for(arrived, timeout_s)
        return blocks

    def send(self, data: bytes) -> None:
        """Let the thread send bytes at its next turn."""
        self._commands.append(data)

    def close(self) -> None:
        """Stop reading and free the link."""
        self._closing = True
        self._thread.join()

    def _run(self) -> None:
        while not self._closing:
            self._turn()
        self.link.close()

    def _turn(self) -> None:
        if self.link.open():
            with self.lock:
                self._stream.reopened()
        while self._commands:
            self.link.write(self._commands.pop(0))
        with self.lock:
            # The stamp belongs right before the write: what lies between is error of the clock.
            question = self._stream.questions(self._now_ns())
        self.link.write(question)
        data, stamp_ns = self.link.read(TURN_S)
        if data:
            with self.lock:
                self._stream.receive(data, stamp_ns)
                self.lock.notify()
