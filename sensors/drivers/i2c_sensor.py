"""A chip with a FIFO on an I2C bus as a source of blocks: the counterpart of the serial `node`.

No thread here (`background` has one): the FIFO waits, so bytes need no stamp when they come. Sample
numbers are counted here, and serve as ticks; times come from a line through them (`sample_clock`).
When a FIFO has run over, it is emptied, and how many samples are gone is told by that line.
"""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sensors.clock import ClockState
from sensors.errors import LinkLostError, SensorError
from sensors.framing import Hello
from sensors.node_stream import Counters
from sensors.sample import Block
from sensors.sample_clock import SampleClock
from sensors.serial_link import LinkState

from .chip import FULL

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sensors.clock import Exchange
    from sensors.framing import Status

    from .chip import Burst, Chip

# A FIFO is looked into this often: twice within the shortest FIFO (0.09 s, ICM-20948 at 281 Hz).
POLL_NS = 40_000_000
FIRST_WAIT_NS = 200_000_000
LONGEST_WAIT_NS = 5_000_000_000
# Samples wait for the first half second, until the rate is known; a chip that gives none at all
# has its link taken for lost.
SILENCE_NS = 1_000_000_000


@dataclass(slots=True)
class ChipLink:
    """How the link to a chip fares, in the words of `SerialLink`."""

    name: str
    state: LinkState = LinkState.LOST
    reopened: int = -1
    reason: str = "not opened yet"


class I2cSensor:
    """Blocks of one chip.

    Parameters
    ----------
    open_chip : callable
        Identifies the chip and gives its driver; called again after the link was lost.
    name : str
        Name that the blocks bear.
    port : str
        Where the chip is, for people.
    now_ns : callable
        Host clock, CLOCK_MONOTONIC nanoseconds.

    Raises
    ------
    WrongChipError
        Where another chip answers at the first opening.
    """

    def __init__(
        self,
        open_chip: Callable[[], Chip],
        *,
        name: str,
        port: str = "",
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.name = name
        self.link = ChipLink(port)
        self.counters = Counters()
        self.rejected = 0
        self.status: Status | None = None
        self._open_chip = open_chip
        self._now_ns = now_ns
        self._chip: Chip | None = None
        self._epoch = -1
        self._wait_ns = FIRST_WAIT_NS
        self._next_ns = now_ns()
        self._waiting: list[tuple[int, NDArray[np.int16]]] = []
        self._clock = SampleClock(1.0)
        self._count = 0
        try:
            self._open()
        except LinkLostError as error:
            self._lose(str(error))

    @property
    def info(self) -> Hello | None:
        """What is known of the chip, in the words of a serial node; None before it answered."""
        chip = self._chip
        if chip is None:
            return None
        scale = [float(value) for value in chip.scale[::3]] + [0.0]
        return Hello(
            boot=self._epoch,
            # Of the epoch's beginning: what is told must stay the same while it measures.
            next_sample=0,
            last_boot_samples=None,
            tick_hz=round(chip.rate_hz),
            tick_bits=64,
            rate_hz=chip.rate_hz,
            channels=len(chip.scale),
            gyr_scale=scale[0],
            acc_scale=scale[1],
            mag_scale=scale[2],
            gyr_full=FULL,
            acc_full=FULL,
            mag_full=FULL,
            calibration=0,
            uid=zlib.crc32(self.link.name.encode()).to_bytes(8, "little"),
            chip=chip.model,
            firmware="",
            name=self.name,
            segment="",
        )

    @property
    def clock(self) -> ClockState | None:
        """How true the times are; `drift_ppm` is the chip's departure from its nominal rate."""
        clock = self._clock
        if self._chip is None or not clock.ready:
            return None
        drift = 1e9 / self._chip.rate_hz / clock.period_ns - 1
        offset_s = float(clock.host_ns(np.zeros(1, np.int64))[0]) * 1e-9
        sd_s = clock.uncertainty_s()
        return ClockState(offset_s, drift * 1e6, clock.residual_s, sd_s, 0.0, clock.polls)

    def read(self, timeout_s: float) -> list[Block]:
        """Blocks that are in the FIFO now or within the time."""
        until_ns = self._now_ns() + round(timeout_s * 1e9)
        while True:
            if self._now_ns() >= self._next_ns:
                self._poll()
            blocks = self._take()
            left_ns = until_ns - self._now_ns()
            if blocks or left_ns <= 0:
                return blocks
            time.sleep(min(left_ns, max(self._next_ns - self._now_ns(), 1_000_000)) * 1e-9)

    def take_exchanges(self) -> list[tuple[int, Exchange]]:
        """Nothing: a chip has no clock to ask."""
        return []

    def close(self) -> None:
        """Leave the chip alone."""
        self._lose("closed")
        self._next_ns = 1 << 62

    def _open(self) -> None:
        chip = self._open_chip()
        chip.start()
        self._chip = chip
        self._clock = SampleClock(chip.rate_hz)
        self._count = 0
        self._epoch += 1
        self._opened_ns = self._next_ns = self._now_ns()
        self._wait_ns = FIRST_WAIT_NS
        self.link.state = LinkState.OPEN
        self.link.reopened += 1

    def _lose(self, reason: str) -> None:
        if self._chip is not None:
            self.counters.unknown_tails += 1
            self.counters.lost += sum(len(readings) for _, readings in self._waiting)
        self._waiting.clear()
        self._chip = None
        self.link.state = LinkState.LOST
        self.link.reason = reason
        self._next_ns = self._now_ns() + self._wait_ns
        self._wait_ns = min(2 * self._wait_ns, LONGEST_WAIT_NS)

    def _poll(self) -> None:
        try:
            if self._chip is None:
                self._open()
            else:
                self._look(self._chip)
        except SensorError as error:
            # A loose wire answers with any identity: a chip that was right once is waited for.
            self._lose(str(error))

    def _look(self, chip: Chip) -> None:
        self._next_ns = self._now_ns() + POLL_NS
        burst = chip.read_burst(self._now_ns)
        if burst.overrun:
            chip.empty()
            self._skip(self._now_ns())
        else:
            self._keep(burst)

    def _keep(self, burst: Burst) -> None:
        if len(burst.readings) == 0:
            if self._count == 0 and burst.after_ns - self._opened_ns > SILENCE_NS:
                self._lose("the chip answers and gives no samples")
            return
        self._waiting.append((self._count, burst.readings))
        self._count += len(burst.readings)
        self._clock.add(self._count, (burst.before_ns + burst.after_ns) // 2)

    def _skip(self, emptied_ns: int) -> None:
        """Count what a FIFO that ran over has lost, up to the moment when it was emptied."""
        if not self._clock.ready:
            # Nothing can tell how many: what follows has an epoch of its own.
            self._lose("the FIFO ran over before the chip's rate was known")
            return
        lost = max(self._clock.number_at(emptied_ns) - self._count, 0)
        self._count += lost
        self.counters.lost += lost
        self.counters.overrun += lost

    def _take(self) -> list[Block]:
        chip = self._chip
        if chip is None or not self._clock.ready:
            return []
        blocks = [self._block(first, readings, chip.scale) for first, readings in self._waiting]
        self._waiting.clear()
        self.counters.received += sum(len(block) for block in blocks)
        return blocks

    def _block(self, first: int, readings: NDArray[np.int16], scale: NDArray[np.float64]) -> Block:
        numbers = np.arange(first, first + len(readings))
        at_end = np.abs(readings.astype(np.int32)) >= FULL
        return Block(
            self.name,
            self._epoch,
            first,
            numbers,
            self._clock.host_ns(numbers),
            readings,
            scale,
            np.any(at_end, axis=1),
            self._clock.uncertainty_s(),
        )
