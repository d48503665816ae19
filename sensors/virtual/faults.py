"""What goes wrong between a node and the host: one small class for each fault.

A fault takes a packet on its way to the host and gives what arrives instead. Two further faults
belong to the clock of a node and are properties of its `Board`: a counter of 32 bit that wraps
(`tick_bits`, `first_ticks`) and a crystal that is off (`crystal`).
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Protocol

from .firmware import Sent

if TYPE_CHECKING:
    from .firmware import Firmware


class Fault(Protocol):
    """Something that goes wrong; `true_ns` counts from the start of the node."""

    def pass_on(self, sent: Sent, true_ns: int) -> list[Sent]:
        """What becomes of a packet that is ready at `true_ns`."""
        ...


class _Dice:
    """A fault that strikes packets with a probability."""

    def __init__(self, probability: float, seed: int = 0) -> None:
        self._probability = probability
        self._dice = random.Random(seed)

    def pass_on(self, sent: Sent, _true_ns: int) -> list[Sent]:
        """What becomes of a packet."""
        return self._struck(sent) if self._dice.random() < self._probability else [sent]

    def _struck(self, sent: Sent) -> list[Sent]:
        raise NotImplementedError


class Drop(_Dice):
    """Packets vanish."""

    def _struck(self, _: Sent) -> list[Sent]:
        return []


class Duplicate(_Dice):
    """Packets come twice."""

    def _struck(self, sent: Sent) -> list[Sent]:
        return [sent, sent]


class Corrupt(_Dice):
    """Bits of packets flip, delimiters among them."""

    def _struck(self, sent: Sent) -> list[Sent]:
        broken = bytearray(sent.packet)
        for _ in range(self._dice.randint(1, 4)):
            broken[self._dice.randrange(len(broken))] ^= 1 << self._dice.randrange(8)
        return [Sent(sent.ready_ns, bytes(broken))]


class Tear(_Dice):
    """Packets lose their end, delimiter included, so that the next one is torn too."""

    def _struck(self, sent: Sent) -> list[Sent]:
        return [Sent(sent.ready_ns, sent.packet[: self._dice.randrange(len(sent.packet))])]


class Reorder(_Dice):
    """Packets come after the one that follows them."""

    def __init__(self, probability: float, seed: int = 0) -> None:
        super().__init__(probability, seed)
        self._held: list[Sent] = []

    def pass_on(self, sent: Sent, _true_ns: int) -> list[Sent]:
        """What becomes of a packet."""
        held, self._held = self._held, []
        late = [Sent(sent.ready_ns, old.packet) for old in held]
        return [*super().pass_on(sent, _true_ns), *late]

    def _struck(self, sent: Sent) -> list[Sent]:
        self._held = [sent]
        return []


class _Window:
    """A fault that lasts for a while, again and again, at the end of every period."""

    def __init__(self, *, every_s: float, for_s: float) -> None:
        self._every_ns = round(every_s * 1e9)
        self._for_ns = round(for_s * 1e9)

    def pass_on(self, sent: Sent, true_ns: int) -> list[Sent]:
        """What becomes of a packet."""
        left_ns = self.left_ns(true_ns)
        return self._struck(sent, left_ns) if left_ns else [sent]

    def left_ns(self, true_ns: int) -> int:
        """How long the fault still lasts, zero while all is well."""
        into_ns = true_ns % self._every_ns
        return self._every_ns - into_ns if into_ns >= self._every_ns - self._for_ns else 0

    def _struck(self, sent: Sent, left_ns: int) -> list[Sent]:
        raise NotImplementedError


class Stall(_Window):
    """The line holds everything for a while, then gives it all at once."""

    def _struck(self, sent: Sent, left_ns: int) -> list[Sent]:
        return [Sent(sent.ready_ns + left_ns, sent.packet)]


class Unplug(_Window):
    """The plug is out for a while; the node has its own battery and goes on sampling."""

    def _struck(self, _: Sent, _left_ns: int) -> list[Sent]:
        return []


class _Event:
    """A fault inside the node that happens again and again."""

    def __init__(self, *, every_s: float) -> None:
        self._every_ns = round(every_s * 1e9)
        self._done = 0

    def strike(self, firmware: Firmware, now_ns: int, true_ns: int) -> None:
        """Happen if it is time."""
        if true_ns // self._every_ns > self._done:
            self._done = true_ns // self._every_ns
            self._happen(firmware, now_ns)

    def _happen(self, firmware: Firmware, now_ns: int) -> None:
        raise NotImplementedError


class Reboot(_Event):
    """The node starts anew."""

    def _happen(self, firmware: Firmware, now_ns: int) -> None:
        firmware.reboot(now_ns)


class Overrun(_Event):
    """The FIFO of the node's chip runs over."""

    def __init__(self, *, every_s: float, samples: int) -> None:
        super().__init__(every_s=every_s)
        self._samples = samples

    def _happen(self, firmware: Firmware, _now_ns: int) -> None:
        firmware.overrun(self._samples)
