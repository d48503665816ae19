"""The line between a virtual node and the host: it takes a time for every byte, and jitters."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from .firmware import Sent

# Extra delay of one transfer, nanoseconds, drawn anew for each.
Delay = Callable[[random.Random], int]
BITS_PER_BYTE = 10  # start bit, eight bits, stop bit


@dataclass(frozen=True, slots=True)
class LineModel:
    """Speed and delays of a kind of line.

    Attributes
    ----------
    baudrate : int
        Bits a second.
    up, down : Delay
        Delay of a transfer to the host and to the node, besides the time of its bytes.
    """

    baudrate: int
    up: Delay
    down: Delay

    def transfer_ns(self, size: int) -> int:
        """How long so many bytes are on the line."""
        return size * BITS_PER_BYTE * 1_000_000_000 // self.baudrate


def no_delay(_: random.Random) -> int:
    """Add nothing, as where a real scheduler adds enough."""
    return 0


def usb_delay(dice: random.Random) -> int:
    """Delay of full-speed USB: frames of 1 ms polled within, and a busy host now and then."""
    busy = dice.expovariate(1 / 2_000_000) if dice.random() < 0.05 else 0
    return round(60_000 + dice.expovariate(1 / 50_000) + busy)


def uart_delay(dice: random.Random) -> int:
    """Delay of a UART of the Pi: an interrupt, and in one of a hundred cases a stall of 5 ms."""
    stall = 5_000_000 * dice.random() if dice.random() < 0.01 else 0
    return round(30_000 + dice.expovariate(1 / 30_000) + stall)


PSEUDO_TERMINAL = LineModel(921_600, no_delay, no_delay)
USB = LineModel(12_000_000, usb_delay, usb_delay)
UART = LineModel(1_000_000, uart_delay, uart_delay)


class Line:
    """Packets on their way to the host, in order.

    Parameters
    ----------
    model : LineModel
        How fast and how even.
    seed : int
        Of its delays.
    """

    def __init__(self, model: LineModel, seed: int = 0) -> None:
        self.model = model
        self._dice = random.Random(seed)
        self._free_ns = 0
        self._under_way: deque[Sent] = deque()

    @property
    def next_ns(self) -> int | None:
        """Host time at which the next packet is through, None on an empty line."""
        return self._under_way[0].ready_ns if self._under_way else None

    def put(self, packets: list[Sent]) -> None:
        """Send packets one after the other, each when it is ready and the line is free."""
        for sent in packets:
            begin_ns = max(self._free_ns, sent.ready_ns)
            self._free_ns = begin_ns + self.model.transfer_ns(len(sent.packet))
            last_ns = self._under_way[-1].ready_ns if self._under_way else 0
            through_ns = max(self._free_ns + self.model.up(self._dice), last_ns)
            self._under_way.append(Sent(through_ns, sent.packet))

    def question_in_ns(self, size: int, now_ns: int) -> int:
        """Host time at which bytes that the host sends now are in at the node."""
        return now_ns + self.model.transfer_ns(size) + self.model.down(self._dice)

    def through(self, now_ns: int) -> list[Sent]:
        """Packets that are through by now."""
        arrived = []
        while self._under_way and self._under_way[0].ready_ns <= now_ns:
            arrived.append(self._under_way.popleft())
        return arrived

    def cut(self) -> None:
        """Lose what is under way."""
        self._under_way.clear()
