"""Virtual nodes behind pseudo-terminals: real ports to pyserial, one thread for all of them."""

from __future__ import annotations

import contextlib
import os
import select
import tempfile
import threading
import time
import tty
from pathlib import Path
from typing import TYPE_CHECKING, Self

from .firmware import Firmware
from .sampler import Board
from .wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .faults import Fault, Overrun, Reboot
    from .sampler import Signal

# What a node's own buffer holds while nobody reads, for each unit of speed: more than half a second
# at 200 Hz. What comes then is lost on the line.
BUFFER_BYTES = 8192
# Faster than real time, packets of several nodes are sent in one go at least this far apart.
SHORTEST_SLEEP_S = 0.002
LONGEST_SLEEP_S = 0.05


class VirtualNode:
    """One node on a pseudo-terminal.

    Parameters
    ----------
    name : str
        Name of the node; its port is a link of this name.
    signal : Signal
        True seconds since the start, (n,), to gyr (n, 3) rad/s, acc (n, 3) m/s2 and mag (n, 3) uT
        or None, in the sensor frame.
    board : Board, optional
        Rates, ranges and the crystal.
    segment : str
        Segment that it was told to keep.
    until_s : float
        True time after which it takes no more samples.
    faults : sequence
        What goes wrong on the way.

    Attributes
    ----------
    buffer_bytes : int
        What the node holds while the host does not read.
    """

    def __init__(
        self,
        name: str,
        signal: Signal,
        *,
        board: Board | None = None,
        segment: str = "",
        until_s: float = float("inf"),
        faults: Sequence[Fault | Reboot | Overrun] = (),
    ) -> None:
        self.name = name
        self.port = ""
        self._signal = signal
        self._board = board or Board()
        self._segment = segment
        self._until_s = until_s
        self._faults = faults
        self._wire: Wire | None = None
        self._ends: tuple[int, int] | None = None
        self._pending = bytearray()
        self.buffer_bytes = BUFFER_BYTES

    @property
    def firmware(self) -> Firmware:
        """What runs in the node; it exists from the start on."""
        return self._running().firmware

    @property
    def descriptor(self) -> int | None:
        """The node's end of the port, None while the plug is out."""
        return self._ends[0] if self._ends else None

    @property
    def next_ns(self) -> int | None:
        """Host time at which the node has something to send."""
        return self._running().next_ns

    @property
    def urgent(self) -> bool:
        """Whether a packet is on the line, such as the answer that a clock is measured by."""
        return self._running().under_way

    def plug_in(self, folder: Path) -> None:
        """Make the port; nothing comes out of it before `boot`."""
        self.port = str(folder / self.name)
        self._plug_in()

    def boot(self, start_ns: int) -> None:
        """Begin to measure; true time zero is `start_ns`."""
        firmware = Firmware(
            self.name,
            self._signal,
            start_ns=start_ns,
            board=self._board,
            segment=self._segment,
            until_s=self._until_s,
        )
        self._wire = Wire(firmware, start_ns=start_ns, faults=self._faults)

    def stop(self) -> None:
        """Unplug for good."""
        self._unplug()

    def reboot(self, now_ns: int) -> None:
        """Start anew, as after a brown-out."""
        self.firmware.reboot(now_ns)

    def turn(self, now_ns: Callable[[], int]) -> None:
        """Hear what the host asks, and send what is due."""
        wire = self._running()
        if self._ends is not None:
            with contextlib.suppress(BlockingIOError):
                wire.hear(os.read(self._ends[0], 4096), now_ns())
        at_ns = now_ns()
        for sent in wire.advance(at_ns):
            if len(self._pending) + len(sent.packet) <= self.buffer_bytes:
                self._pending += sent.packet
        self._follow_plug(wire.plugged(at_ns))
        if self._ends is not None and self._pending:
            with contextlib.suppress(BlockingIOError):
                del self._pending[: os.write(self._ends[0], self._pending)]

    def _follow_plug(self, plugged: bool) -> None:
        if plugged and self._ends is None:
            self._plug_in()
        elif not plugged and self._ends is not None:
            self._unplug()

    def _plug_in(self) -> None:
        near, far = os.openpty()
        # Raw: the line discipline must neither echo nor translate. The far end stays open here,
        # so that the port outlives its readers.
        tty.setraw(far)
        os.set_blocking(near, False)
        self._ends = near, far
        link = Path(self.port)
        link.unlink(missing_ok=True)
        link.symlink_to(os.ttyname(far))

    def _unplug(self) -> None:
        if self._ends is not None:
            Path(self.port).unlink(missing_ok=True)
            for end in self._ends:
                os.close(end)
        self._ends = None
        self._pending.clear()

    def _running(self) -> Wire:
        if self._wire is None:
            raise RuntimeError(f"the virtual node {self.name} has not been started")
        return self._wire


class VirtualNodes:
    """Several virtual nodes in one thread.

    Parameters
    ----------
    nodes : sequence of VirtualNode
        The nodes; each has its `port` from the start on.
    now_ns : callable
        Host clock, nanoseconds; it may run faster than real time.
    speed : float
        By how much it does.

    Attributes
    ----------
    start_ns : int
        Host time of true time zero of all signals.
    """

    def __init__(
        self,
        nodes: Sequence[VirtualNode],
        *,
        now_ns: Callable[[], int] = time.monotonic_ns,
        speed: float = 1.0,
    ) -> None:
        self.nodes = nodes
        self.start_ns = 0
        self._now_ns = now_ns
        self._speed = speed
        for node in nodes:
            node.buffer_bytes = round(BUFFER_BYTES * speed)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="virtual nodes", daemon=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Plug in all nodes and boot them at once."""
        self.plug_in()
        self.boot()

    def plug_in(self) -> None:
        """Make the ports, so that whoever reads them can be ready before the first sample."""
        self._folder = tempfile.TemporaryDirectory(prefix="evenstride-nodes-")
        for node in self.nodes:
            node.plug_in(Path(self._folder.name))

    def boot(self) -> None:
        """Begin to measure: true time zero of all signals is now."""
        self.start_ns = self._now_ns()
        for node in self.nodes:
            node.boot(self.start_ns)
        self._thread.start()

    def stop(self) -> None:
        """Unplug all nodes; nothing is left behind."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        for node in self.nodes:
            node.stop()
        if self._folder is not None:
            self._folder.cleanup()

    def reboot(self, name: str) -> None:
        """Let one node start anew."""
        with self._lock:
            next(node for node in self.nodes if node.name == name).reboot(self._now_ns())

    def _run(self) -> None:
        while not self._stopping.is_set():
            with self._lock:
                for node in self.nodes:
                    node.turn(self._now_ns)
            ports = [node.descriptor for node in self.nodes if node.descriptor is not None]
            select.select(ports, [], [], self._sleep_s())

    def _sleep_s(self) -> float:
        due = [node.next_ns for node in self.nodes if node.next_ns is not None]
        if not due:
            return LONGEST_SLEEP_S
        sleep_s = (min(due) - self._now_ns()) * 1e-9 / self._speed
        if self._speed > 1 and not any(node.urgent for node in self.nodes):
            sleep_s = max(sleep_s, SHORTEST_SLEEP_S)
        return min(max(sleep_s, 0.0), LONGEST_SLEEP_S)
