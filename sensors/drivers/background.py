"""A polled sensor with a thread of its own, so that its FIFO is emptied while others compute.

The shortest FIFO holds a tenth of a second, and refining a long walk takes longer than that.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sensors.clock import ClockState, Exchange
    from sensors.framing import Hello, Status
    from sensors.node_stream import Counters
    from sensors.sample import Block

    from .i2c_sensor import ChipLink, I2cSensor

TURN_S = 0.02
# Two minutes of blocks that nobody takes; then the oldest go, and are counted.
MOST_BLOCKS = 3000


class BackgroundSensor:
    """An `I2cSensor` that is read all the time; the thread alone touches the bus.

    Parameters
    ----------
    sensor : I2cSensor
        The sensor; it belongs to the thread from now on.
    """

    def __init__(self, sensor: I2cSensor) -> None:
        self.name = sensor.name
        self._sensor = sensor
        self._blocks: deque[Block] = deque()
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"i2c {self.name}", daemon=True)
        self._thread.start()

    @property
    def link(self) -> ChipLink:
        """How the link to the chip fares."""
        return self._sensor.link

    @property
    def info(self) -> Hello | None:
        """What is known of the chip; None before it answered."""
        return self._sensor.info

    @property
    def status(self) -> Status | None:
        """Nothing: a chip does not tell how it fares."""
        return self._sensor.status

    @property
    def counters(self) -> Counters:
        """Samples received and lost."""
        return self._sensor.counters

    @property
    def rejected(self) -> int:
        """Nothing: a bus has no packets."""
        return self._sensor.rejected

    @property
    def clock(self) -> ClockState | None:
        """How true the times are."""
        return self._sensor.clock

    def read(self, timeout_s: float) -> list[Block]:
        """Blocks that came since the last call; waits for the first one, `timeout_s` at most."""
        with self._changed:
            self._changed.wait_for(lambda: self._blocks, timeout_s)
            blocks = list(self._blocks)
            self._blocks.clear()
        return blocks

    def take_exchanges(self) -> list[tuple[int, Exchange]]:
        """Nothing: a chip has no clock to ask."""
        return []

    def close(self) -> None:
        """Stop reading and leave the chip alone."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.wait(TURN_S):
            blocks = self._sensor.read(0.0)
            if blocks:
                with self._changed:
                    self._blocks.extend(blocks)
                    self._forget()
                    self._changed.notify()
        self._sensor.close()

    def _forget(self) -> None:
        counters = self._sensor.counters
        while len(self._blocks) > MOST_BLOCKS:
            forgotten = len(self._blocks.popleft())
            counters.received -= forgotten
            counters.lost += forgotten
