"""What runs in a virtual node: samples on its own crystal, packets, answers. No port, no thread.

Time comes in as an argument, in host nanoseconds; packets come out with the moment at which they
are ready for the line. An hour of a node can therefore be run in seconds, and exactly.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from cext import PacketParser
from sensors.framing import (
    Flag,
    Hello,
    PacketType,
    Status,
    pack_data,
    pack_hello,
    pack_status,
    pack_sync,
    unpack_question,
)

from .sampler import FULL, Board, Sampler, Signal

# A microcontroller needs this long to answer.
ANSWER_NS = 30_000
STATUS_PERIOD_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Sent:
    """A packet, delimiter included, and the host time at which it is ready for the line."""

    ready_ns: int
    packet: bytes


class Firmware:
    """One virtual node, as the program on a board would behave.

    Parameters
    ----------
    name : str
        Name of the node.
    signal : Signal
        True seconds since `start_ns`, (n,), to gyr (n, 3) rad/s, acc (n, 3) m/s2 and mag (n, 3) uT
        or None, in the sensor frame.
    start_ns : int
        Host time of true time zero; the node boots then.
    board : Board, optional
        How it is made.
    segment : str
        Segment that it was told to keep.
    until_s : float
        True time after which it takes no more samples.
    """

    def __init__(
        self,
        name: str,
        signal: Signal,
        *,
        start_ns: int = 0,
        board: Board | None = None,
        segment: str = "",
        until_s: float = float("inf"),
    ) -> None:
        self.name = name
        self.segment = segment
        self.board = board or Board()
        self.boot = 0
        self.blinks = 0
        self._signal = signal
        self._start_ns = start_ns
        self._until_s = until_s
        self._before = 0
        self._last_boot_samples: int | None = None
        self._waiting: list[Sent] = []
        self._status_ns = 0
        self._boot(0.0)

    @property
    def sent(self) -> int:
        """Samples of all boots that were put into packets or lost inside the node."""
        return self._before + self._next

    @property
    def next_ns(self) -> int | None:
        """Host time at which the next packet is ready, None where there will be none."""
        if self._waiting:
            return self._waiting[0].ready_ns
        last_s = self._sampler.true_s(self._next + self.board.samples_per_packet - 1)
        return None if last_s is None else self._start_ns + round(last_s * 1e9)

    def ticks(self, now_ns: int) -> int:
        """Unwrapped value of the counter at a host time."""
        return self.board.first_ticks + self._sampler.elapsed_ticks(self._true_s(now_ns))

    def work(self, now_ns: int) -> list[Sent]:
        """Packets that became ready until now."""
        ready = []
        while (due_ns := self.next_ns) is not None and due_ns <= now_ns:
            if self._waiting:
                ready.append(self._waiting.pop(0))
                continue
            ready.append(Sent(due_ns, self._data()))
            if due_ns >= self._status_ns:
                self._status_ns = due_ns + STATUS_PERIOD_NS
                ready.append(Sent(due_ns, self._status()))
        return ready

    def hear(self, data: bytes, now_ns: int) -> list[Sent]:
        """Answers to bytes of the host that were in at a host time."""
        answers = []
        ready_ns = now_ns + ANSWER_NS
        for body in self._parser.feed(data):
            question = unpack_question(body)
            if question is None:
                continue
            if question.kind is PacketType.ASK_SYNC:
                ticks = [self._wrapped(self.ticks(at_ns)) for at_ns in (now_ns, ready_ns)]
                answers.append(Sent(ready_ns, pack_sync(question.number, self.boot, *ticks)))
            elif question.kind is PacketType.BLINK:
                self.blinks += 1
            else:
                if question.kind is PacketType.ASSIGN:
                    self.segment = question.text
                answers.append(Sent(ready_ns, self._hello()))
        return answers

    def reboot(self, now_ns: int) -> None:
        """Start anew, as after a brown-out: ticks, numbers and samples not yet sent are gone."""
        true_s = self._true_s(now_ns)
        taken = max(self._sampler.taken(true_s), self._next)
        self._before += taken
        self._last_boot_samples = taken if self.board.remembers else None
        self._boot(true_s)

    def overrun(self, count: int) -> None:
        """Lose the next samples inside the node, as when the FIFO of its chip runs over."""
        self._next += count
        self._overruns += count
        self._flags = Flag.OVERRUN

    def _boot(self, true_s: float) -> None:
        self.boot += 1
        self._next = 0
        self._overruns = 0
        self._flags = Flag(0)
        self._parser = PacketParser()
        self._sampler = Sampler(self._signal, self.board, true_s, self._until_s)
        boot_ns = self._start_ns + round(true_s * 1e9)
        self._status_ns = boot_ns + STATUS_PERIOD_NS
        # The delimiter ends whatever a brown-out cut short on the line.
        self._waiting = [Sent(boot_ns, b"\0" + self._hello())]

    def _true_s(self, now_ns: int) -> float:
        return (now_ns - self._start_ns) * 1e-9

    def _wrapped(self, ticks: int) -> int:
        return ticks % (1 << self.board.tick_bits)

    def _data(self) -> bytes:
        board, first = self.board, self._next
        readings = self._sampler.readings(first, board.samples_per_packet)
        flags = self._flags | (Flag.MAG if readings.shape[1] == 9 else Flag(0))
        t0 = self._wrapped(board.first_ticks + self._sampler.ticks(first))
        raw = readings.astype("<i2").tobytes()
        packet = pack_data(first, self.boot, t0, board.period_ticks_q8, raw, flags=flags)
        self._next += board.samples_per_packet
        self._flags = Flag(0)
        return packet

    def _status(self) -> bytes:
        status = Status(self._next, 0, self._overruns, self._parser.rejected, 2_500, 0)
        return pack_status(status, self.boot)

    def _hello(self) -> bytes:
        board = self.board
        gyr_scale, acc_scale, mag_scale = board.scales
        return pack_hello(
            Hello(
                boot=self.boot,
                next_sample=self._next,
                last_boot_samples=self._last_boot_samples,
                tick_hz=board.tick_hz,
                tick_bits=board.tick_bits,
                rate_hz=board.rate_hz,
                channels=9 if self._sampler.has_mag else 6,
                gyr_scale=gyr_scale,
                acc_scale=acc_scale,
                mag_scale=mag_scale,
                gyr_full=FULL,
                acc_full=FULL,
                mag_full=FULL,
                calibration=0,
                uid=zlib.crc32(self.name.encode()).to_bytes(8, "little"),
                chip="virtual",
                firmware="virtual 1",
                name=self.name,
                segment=self.segment,
            )
        )
