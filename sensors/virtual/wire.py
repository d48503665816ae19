"""A virtual node at the end of its line, faults included. No port, no thread: time comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .faults import Fault, Overrun, Reboot, Unplug
from .line import PSEUDO_TERMINAL, Line, LineModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .firmware import Firmware, Sent


class Wire:
    """What a host sees of one node.

    Parameters
    ----------
    firmware : Firmware
        The node.
    start_ns : int
        Host time of the node's true time zero.
    model : LineModel
        The kind of line.
    faults : sequence
        What goes wrong, in the order in which packets meet it.
    seed : int
        Of the line's delays.
    """

    def __init__(
        self,
        firmware: Firmware,
        *,
        start_ns: int = 0,
        model: LineModel = PSEUDO_TERMINAL,
        faults: Sequence[Fault | Reboot | Overrun] = (),
        seed: int = 0,
    ) -> None:
        self.firmware = firmware
        self._line = Line(model, seed)
        self._start_ns = start_ns
        self._events = [fault for fault in faults if isinstance(fault, Reboot | Overrun)]
        self.faults = [fault for fault in faults if not isinstance(fault, Reboot | Overrun)]
        self._plugs = [fault for fault in self.faults if isinstance(fault, Unplug)]

    @property
    def next_ns(self) -> int | None:
        """Host time at which something will come out, None where nothing will."""
        times = [at for at in (self._line.next_ns, self.firmware.next_ns) if at is not None]
        return min(times, default=None)

    @property
    def under_way(self) -> bool:
        """Whether a packet is on the line."""
        return self._line.next_ns is not None

    def plugged(self, now_ns: int) -> bool:
        """Whether the host can see the port."""
        return not any(plug.left_ns(now_ns - self._start_ns) for plug in self._plugs)

    def hear(self, data: bytes, now_ns: int) -> None:
        """Take bytes that the host sends now."""
        in_ns = self._line.question_in_ns(len(data), now_ns)
        self._send(self.firmware.hear(data, in_ns))

    def advance(self, now_ns: int) -> list[Sent]:
        """Packets that are through at the host by now, each with its time."""
        self._send(self.firmware.work(now_ns))
        for event in self._events:
            event.strike(self.firmware, now_ns, now_ns - self._start_ns)
        if not self.plugged(now_ns):
            self._line.cut()
        return self._line.through(now_ns)

    def _send(self, packets: list[Sent]) -> None:
        for fault in self.faults:
            packets = [
                passed
                for sent in packets
                for passed in fault.pass_on(sent, sent.ready_ns - self._start_ns)
            ]
        self._line.put(packets)
