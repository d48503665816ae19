"""Bytes of one serial node in, blocks out, and the questions to ask it. No port, no clock.

Strategy: HELLO opens an epoch (one boot of the node) with a clock of its own and the full number of
the next sample. From then on every sample number is either handed on, or counted as lost: a jump in
the numbers of DATA, the next number in STATUS, and the last number of the former boot in HELLO
leave no third way. Samples wait here until the clock of their epoch is ready.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cext import PacketParser

from .clock import ClockModel, Exchange
from .framing import BOOT_MODULUS, Data, Hello, Status, Sync, ask_hello, ask_sync, unpack
from .node_epoch import Epoch, Run

if TYPE_CHECKING:
    from .sample import Block

# An odd period does not beat with the second, the frame or any other timer (as Klipper does).
SYNC_PERIOD_NS = 983_900_000
# The first exchanges of an epoch come quickly: no sample has a time before the clock is ready.
FAST_SYNC_PERIOD_NS = 31_000_000
FAST_SYNCS = 16
# After so long another question is asked; should the answer come all the same, it is taken, and
# left out by its round trip. Older ones are forgotten.
SYNC_TIMEOUT_NS = 300_000_000
MOST_ASKED = 16
HELLO_PERIOD_NS = 500_000_000
# A node whose clock never answers must not fill the memory: the oldest samples go, and are counted.
MOST_WAITING = 20_000
MOST_EXCHANGES = 100_000


@dataclass(slots=True)
class Counters:
    """Everything that went wrong or right on the way, since the stream began.

    Attributes
    ----------
    received : int
        Samples handed on in blocks.
    lost : int
        Samples that the node took and that were not handed on, for whatever reason. For each
        epoch, `received + lost` is the number of samples the node took, up to the last packet.
    overrun : int
        Part of `lost` that the node lost itself, before the line.
    late : int
        Packets dropped since their samples had been received or counted lost before.
    unread : int
        Packets with a right checksum and no sense, or from a boot whose HELLO has not come yet.
    unanswered : int
        Questions for the time without an answer.
    unknown_tails : int
        Reboots at which the node could not say how many samples it had taken before.
    """

    received: int = 0
    lost: int = 0
    overrun: int = 0
    late: int = 0
    unread: int = 0
    unanswered: int = 0
    unknown_tails: int = 0


class NodeStream:
    """The host's side of the node protocol, for one node.

    Parameters
    ----------
    name : str, optional
        Name that the blocks bear; without it the node's own.

    Attributes
    ----------
    hello : Hello or None
        What the node said of itself, newest first hand.
    status : Status or None
        How the node fares.
    counters : Counters
        Samples and packets received, lost and refused.
    parser : PacketParser
        Its counters tell what the line did.
    """

    def __init__(self, name: str | None = None) -> None:
        self.parser = PacketParser()
        self.counters = Counters()
        self.status: Status | None = None
        self._name = name
        self._epoch: Epoch | None = None
        self._runs: deque[Run] = deque()
        self._waiting = 0
        self._exchanges: deque[tuple[int, Exchange]] = deque(maxlen=MOST_EXCHANGES)
        self._nonce = 0
        self._asked: dict[int, int] = {}
        self._waits_since_ns: int | None = None
        self._next_hello_ns = 0
        self._next_sync_ns = 0
        self._hello_due = True

    @property
    def name(self) -> str:
        """Name of the node as the blocks bear it, empty while it is unknown."""
        return self._name or (self.hello.name if self.hello else "")

    @property
    def hello(self) -> Hello | None:
        """What the node said of itself, None before it did."""
        return self._epoch.hello if self._epoch else None

    @property
    def clock(self) -> ClockModel | None:
        """Clock of the present epoch, None before the first."""
        return self._epoch.clock if self._epoch else None

    def reopened(self) -> None:
        """Tell that the line was cut: what was half read is void, and the node is asked anew."""
        self.parser.reset()
        self._asked.clear()
        self._waits_since_ns = None
        self._hello_due = True
        self._next_hello_ns = 0

    @property
    def hurried(self) -> bool:
        """Whether an answer is due whose moment counts, or the clock is not known yet."""
        epoch = self._epoch
        return (
            self._hello_due
            or epoch is None
            or epoch.syncs < FAST_SYNCS
            or self._waits_since_ns is not None
        )

    def questions(self, now_ns: int) -> bytes:
        """Bytes to send to the node now; they must go at once, `now_ns` is their time stamp."""
        if self._hello_due:
            if now_ns < self._next_hello_ns:
                return b""
            self._next_hello_ns = now_ns + HELLO_PERIOD_NS
            return ask_hello()
        if self._waits_since_ns is not None:
            if now_ns - self._waits_since_ns <= SYNC_TIMEOUT_NS:
                return b""
            self.counters.unanswered += 1
        elif now_ns < self._next_sync_ns:
            return b""
        self._nonce = (self._nonce + 1) & 0xFFFF_FFFF
        self._asked[self._nonce] = self._waits_since_ns = now_ns
        self._asked.pop((self._nonce - MOST_ASKED) & 0xFFFF_FFFF, None)
        return ask_sync(self._nonce)

    def receive(self, data: bytes, host_ns: int) -> None:
        """Take bytes that were read at `host_ns`. Nothing in them can make this raise."""
        for body in self.parser.feed(data):
            packet = unpack(body)
            if packet is None:
                self.counters.unread += 1
            elif isinstance(packet, Hello):
                self._greet(packet)
            else:
                self._take_packet(packet, host_ns)

    def take(self) -> list[Block]:
        """Blocks of all samples whose time is known, oldest first."""
        blocks = []
        while self._runs and self._runs[0].epoch.clock.ready:
            block = self._runs.popleft().block(self.name)
            self._waiting -= len(block)
            self.counters.received += len(block)
            blocks.append(block)
        return blocks

    def take_exchanges(self) -> list[tuple[int, Exchange]]:
        """Raw exchanges since the last call, each with its epoch, for the recording."""
        taken = list(self._exchanges)
        self._exchanges.clear()
        return taken

    def _greet(self, hello: Hello) -> None:
        self._hello_due = False
        epoch = self._epoch
        if epoch is None:
            self._open(hello, 0, hello.next_sample)
        elif hello.uid != epoch.hello.uid:
            # Another node on this line: what it took before belongs to nobody's session.
            self._open(hello, epoch.index + 1, hello.next_sample)
        else:
            if hello.boot != epoch.hello.boot:
                self._close(epoch, hello)
                epoch = self._open(hello, epoch.index + 1, 0)
            epoch.hello = hello
            self.counters.lost += epoch.skip_to(hello.next_sample)

    def _open(self, hello: Hello, index: int, first: int) -> Epoch:
        # A former boot of which the clock never got ready will have no times any more.
        while self._runs and not self._runs[-1].epoch.clock.ready:
            self._forget(self._runs.pop())
        self._epoch = Epoch(index, hello, ClockModel(hello.tick_hz), first)
        self._asked.clear()
        self._waits_since_ns = None
        self._next_sync_ns = 0
        return self._epoch

    def _close(self, epoch: Epoch, hello: Hello) -> None:
        """Count what the former boot took after the last packet that came through."""
        if hello.last_boot_samples is None or hello.boot != epoch.hello.boot + 1:
            self.counters.unknown_tails += 1
        else:
            self.counters.lost += max(hello.last_boot_samples - epoch.expected, 0)

    def _take_packet(self, packet: Data | Sync | Status, host_ns: int) -> None:
        epoch = self._epoch
        if epoch is None or self._hello_due or _other_boot(packet, epoch):
            self._hello_due = True
            self.counters.unread += 1
        elif isinstance(packet, Data):
            self._take_data(epoch, packet, host_ns)
        elif isinstance(packet, Sync):
            self._take_sync(epoch, packet, host_ns)
        elif isinstance(packet, Status):
            self.status = packet
            self.counters.overrun += max(packet.overrun_samples - epoch.overrun, 0)
            epoch.overrun = packet.overrun_samples
            self.counters.lost += epoch.skip_to(packet.next_sample)

    def _take_data(self, epoch: Epoch, data: Data, host_ns: int) -> None:
        t0 = epoch.full_ticks(data.t0_ticks, host_ns)
        if t0 is None:
            self.counters.unread += 1
            return
        number = epoch.full_number(data, t0)
        if number < epoch.expected:
            self.counters.late += 1
            return
        self.counters.lost += epoch.skip_to(number)
        if not self._runs or not self._runs[-1].continues_with(epoch, number, data):
            self._runs.append(Run(epoch, number, data.channels))
        self._runs[-1].append(data, t0)
        epoch.expected = number + data.count
        epoch.expected_ticks = t0 + (data.count * data.period_ticks_q8 >> 8)
        self._waiting += data.count
        if self._waiting > MOST_WAITING:
            self._forget(self._runs.popleft())

    def _forget(self, run: Run) -> None:
        self._waiting -= run.count
        self.counters.lost += run.count

    def _take_sync(self, epoch: Epoch, sync: Sync, host_ns: int) -> None:
        sent_ns = self._asked.pop(sync.nonce, None)
        if sent_ns is None:
            return  # repeated, forgotten, or asked of an earlier boot
        received = epoch.full_ticks(sync.received_ticks, host_ns)
        if received is None:
            self.counters.unread += 1
            return
        sent = received + ((sync.sent_ticks - sync.received_ticks) % (1 << epoch.hello.tick_bits))
        exchange = Exchange(sent_ns, received, sent, host_ns)
        self._waits_since_ns = None
        epoch.syncs += 1
        period = FAST_SYNC_PERIOD_NS if epoch.syncs < FAST_SYNCS else SYNC_PERIOD_NS
        self._next_sync_ns = sent_ns + period
        epoch.clock.add(exchange)
        self._exchanges.append((epoch.index, exchange))


def _other_boot(packet: Data | Sync | Status, epoch: Epoch) -> bool:
    return packet.boot_low != epoch.hello.boot % BOOT_MODULUS
