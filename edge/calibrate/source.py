"""Samples for a calibration: the little that is asked of a connected sensor, and a stretch of it.

Time is that of the samples themselves, so a virtual sensor may run faster than the clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from calibration.trial import from_blocks
from edge.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from calibration import Readings
    from sensors import Block
    from sensors.drivers.catalog import Driver

_TURN_S = 0.2
# A node takes a few seconds to boot and to tell its ranges.
_PATIENCE_S = 10.0


class SampleSource(Protocol):
    """A connected sensor: a node, an I2C chip, a virtual one, a recording played back."""

    @property
    def name(self) -> str:
        """Name that the calibration will bear."""

    @property
    def chip(self) -> str:
        """What measures, as far as it is known."""

    @property
    def hardware_id(self) -> str:
        """Serial number, empty if there is none."""

    @property
    def temperature_c(self) -> float | None:
        """Of the chip now."""

    def read(self, timeout_s: float) -> list[Block]:
        """Blocks since the last call; waits for the first one, `timeout_s` at most."""

    def close(self) -> None:
        """Free the port."""


class NodeSource:
    """Any device of the table of drivers as a source.

    Parameters
    ----------
    driver : Driver
        Of the sensor, open.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    @property
    def name(self) -> str:
        """As the driver bears it."""
        return self._driver.name

    @property
    def chip(self) -> str:
        """As the node tells."""
        return self._driver.info.chip if self._driver.info else ""

    @property
    def hardware_id(self) -> str:
        """Its unique number, hexadecimal."""
        return self._driver.info.uid.hex() if self._driver.info else ""

    @property
    def temperature_c(self) -> float | None:
        """As the node last told."""
        status = self._driver.status
        return None if status is None else status.temperature_cdeg / 100

    def read(self, timeout_s: float) -> list[Block]:
        """Blocks that came since the last call."""
        return self._driver.read(timeout_s)

    def close(self) -> None:
        """Stop reading and free the port."""
        self._driver.close()


def collect(
    source: SampleSource, seconds: float, tell: Callable[[float], None] = lambda _: None
) -> Readings:
    """Record one sensor from now on.

    Parameters
    ----------
    source : SampleSource
        The sensor.
    seconds : float
        How long, by its own samples.
    tell : callable
        Is told the share done, 0 to 1.

    Raises
    ------
    UserError
        If the sensor falls silent.
    """
    return collect_group({source.name: source}, seconds, tell)[source.name]


def collect_group(
    sources: Mapping[str, SampleSource],
    seconds: float,
    tell: Callable[[float], None] = lambda _: None,
) -> dict[str, Readings]:
    """Record several sensors over the same time.

    Raises
    ------
    UserError
        If one of them falls silent.
    """
    for source in sources.values():
        source.read(0.0)
    blocks: dict[str, list[Block]] = {name: [] for name in sources}
    silent_s = dict.fromkeys(sources, 0.0)
    while True:
        for name, source in sources.items():
            new = source.read(_TURN_S)
            blocks[name] += new
            silent_s[name] = 0.0 if new else silent_s[name] + _TURN_S
            if silent_s[name] > _PATIENCE_S:
                raise UserError(
                    f"{name} has sent nothing for {_PATIENCE_S:.0f} s: check its cable and that no"
                    " `evenstride acquire` holds its port"
                )
        covered = min(_span_s(list_) for list_ in blocks.values())
        tell(min(covered / seconds, 1.0))
        if covered >= seconds:
            return {
                name: from_blocks(blocks[name], source.temperature_c).part(0.0, seconds)
                for name, source in sources.items()
            }


def _span_s(blocks: list[Block]) -> float:
    """Time that the blocks cover, the last sample's interval included."""
    if sum(len(block) for block in blocks) < 2:
        return 0.0
    first, last = int(blocks[0].host_ns[0]), int(blocks[-1].host_ns[-1])
    interval = (last - first) / (sum(len(block) for block in blocks) - 1)
    return (last - first + interval) / 1e9
