"""A link and its stream: read by a thread while the moment of bytes counts, else when asked for.

A stamp is true only if somebody waits for the bytes. Most bytes need none: a node's samples bear
its own time. Waking for each of its packets would cost more than all that is done with them.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensors.sample import Block
    from sensors.serial_link import LinkState

# How long the thread waits for bytes at most.
TURN_S = 0.05
# How long it sleeps while its bytes need no stamp: a question is late by so much.
REST_S = 0.2
# Somebody who has not asked for so long may be held up: then the thread reads, or the kernel's
# buffer fills up.
ASKED_S = 0.5


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

    @property
    def hurried(self) -> bool:
        """Whether the moment at which the next bytes come counts."""
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
        # Taken before `lock`, never while holding it.
        self._link_lock = threading.Lock()
        self._stream = stream
        self._now_ns = now_ns
        self._commands: list[bytes] = []
        self._asked_s = -ASKED_S
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def read(self, timeout_s: float) -> list[Block]:
        """Blocks that came since the last call; waits for the first one, `timeout_s` at most."""
        blocks: list[Block] = []

        def arrived() -> bool:
            blocks.extend(self._stream.take())
            return bool(blocks)

        if timeout_s > 0.0:
            with self.lock:
                self.lock.wait_for(arrived, timeout_s)
            return blocks
        self._asked_s = time.monotonic()
        # Where the thread holds it, it is reading.
        if self._link_lock.acquire(blocking=False):
            try:
                while self._receive(0.0):
                    pass
            finally:
                self._link_lock.release()
        with self.lock:
            arrived()
        return blocks

    def send(self, data: bytes) -> None:
        """Let the thread send bytes at its next turn."""
        self._commands.append(data)

    def close(self) -> None:
        """Stop reading and free the link."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            with self._link_lock:
                rests = self._turn()
            if rests:
                self._closing.wait(REST_S)
        self.link.close()

    def _turn(self) -> bool:
        """Ask, and read where nobody else does or it hurries; True where the thread may rest."""
        if self.link.open():
            with self.lock:
                self._stream.reopened()
        while self._commands:
            self.link.write(self._commands.pop(0))
        with self.lock:
            # The stamp belongs right before the write: what lies between is error of the clock.
            question = self._stream.questions(self._now_ns())
            hurried = self._stream.hurried
        self.link.write(question)
        if not hurried and time.monotonic() - self._asked_s < ASKED_S:
            return True
        self._receive(TURN_S)
        return False

    def _receive(self, timeout_s: float) -> bool:
        data, stamp_ns = self.link.read(timeout_s)
        if data:
            with self.lock:
                self._stream.receive(data, stamp_ns)
                self.lock.notify()
        return bool(data)
