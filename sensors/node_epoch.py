"""One boot of a serial node: full numbers and times of its samples, and the blocks made of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from .sample import Block

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .clock import ClockModel
    from .framing import Data, Hello

# No line holds bytes back for longer and then gives them all the same.
STALL_S = 60


@dataclass(slots=True)
class Epoch:
    """One boot of a node.

    Attributes
    ----------
    index : int
        Counts the boots since the stream began; blocks bear it.
    expected : int
        Number of the sample that must come next.
    expected_ticks : int or None
        Ticks of that sample, None before the first packet.
    overrun : int
        Samples that the node said it lost itself.
    syncs : int
        Exchanges so far.
    scale, full : (9,) float64, (9,) int32
        SI units a reading, and the magnitude from which it is saturated.
    """

    index: int
    hello: Hello
    clock: ClockModel
    expected: int
    expected_ticks: int | None = None
    overrun: int = 0
    syncs: int = 0
    scale: NDArray[np.float64] = field(init=False)
    full: NDArray[np.int32] = field(init=False)
    _last_ticks: int = 0
    _last_host_ns: int | None = None

    def __post_init__(self) -> None:
        hello = self.hello
        self.scale = np.repeat([hello.gyr_scale, hello.acc_scale, hello.mag_scale], 3)
        self.full = np.repeat([hello.gyr_full, hello.acc_full, hello.mag_full], 3).astype(np.int32)

    def full_ticks(self, ticks: int, host_ns: int) -> int | None:
        """Full value of a wrapping counter: the one nearest to what the host's clock expects.

        None where even that one is further off than any stall and any clock could explain.
        """
        full = ticks
        if self._last_host_ns is not None:
            span = 1 << self.hello.tick_bits
            elapsed = (host_ns - self._last_host_ns) * self.hello.tick_hz // 1_000_000_000
            expected = self._last_ticks + elapsed
            full = ticks + ((expected - ticks + span // 2) // span) * span
            if abs(full - expected) > STALL_S * self.hello.tick_hz + elapsed // 100:
                return None
        if self._last_host_ns is None or full > self._last_ticks:
            self._last_ticks, self._last_host_ns = full, host_ns
        return full

    def skip_to(self, number: int) -> int:
        """Expect a later sample next; return how many are lost by that."""
        skipped = max(number - self.expected, 0)
        self.expected += skipped
        if self.expected_ticks is not None:
            self.expected_ticks += round(skipped * self.hello.tick_hz / self.hello.rate_hz)
        return skipped

    def full_number(self, data: Data, t0_ticks: int) -> int:
        """Full number of the first sample of a packet, from its low 16 bits.

        The ticks tell how many times 65536 samples went by during an outage, and whether a packet
        is old: they need to be right to half of that only.
        """
        ahead = (data.seq - self.expected) & 0xFFFF
        if self.expected_ticks is None:
            # HELLO has just told the full number: what is further ahead than half is behind.
            return self.expected + ahead - (0x10000 if ahead >= 0x8000 else 0)
        by_ticks = ((t0_ticks - self.expected_ticks) << 8) / data.period_ticks_q8
        return self.expected + ahead + 0x10000 * round((by_ticks - ahead) / 0x10000)


@dataclass(slots=True)
class Run:
    """Packets of one epoch that follow each other without a gap."""

    epoch: Epoch
    first: int
    channels: int
    packets: list[Data] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    count: int = 0

    def continues_with(self, epoch: Epoch, number: int, data: Data) -> bool:
        """Tell whether a packet follows the last one without a gap."""
        return (
            self.epoch is epoch
            and self.first + self.count == number
            and self.channels == data.channels
        )

    def append(self, data: Data, t0_ticks: int) -> None:
        """Take the packet that follows."""
        self.packets.append(data)
        self.starts.append(t0_ticks)
        self.count += data.count

    def block(self, name: str) -> Block:
        """Make one block of all packets; the clock of the epoch must be ready."""
        epoch, channels = self.epoch, self.channels
        raw = b"".join(packet.readings for packet in self.packets)
        readings = np.frombuffer(raw, "<i2").reshape(-1, channels).astype(np.int16)
        ticks = self._ticks()
        # Widened first: the magnitude of -32768 does not fit into 16 bits.
        at_end = np.abs(readings.astype(np.int32)) >= epoch.full[:channels]
        return Block(
            name,
            epoch.index,
            self.first,
            ticks,
            epoch.clock.host_ns(ticks),
            readings,
            epoch.scale[:channels],
            np.any(at_end, axis=1),
            epoch.clock.uncertainty_s(int(ticks[-1])),
        )

    def _ticks(self) -> NDArray[np.int64]:
        parts = [
            start + (np.arange(packet.count) * packet.period_ticks_q8 >> 8)
            for start, packet in zip(self.starts, self.packets, strict=True)
        ]
        return np.concatenate(parts) if len(parts) > 1 else parts[0]
