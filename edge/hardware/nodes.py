"""Finds the serial nodes that are plugged in, and lets one blink or keep its segment."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serial.tools import list_ports

from edge.errors import UserError
from sensors.drivers.node import NodeDriver
from sensors.serial_link import LinkState, stable_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sensors import Segment
    from sensors.framing import Hello

# A node answers within milliseconds; a board that has just been plugged in boots for a second.
ANSWER_S = 2.0


@dataclass(frozen=True, slots=True)
class Plugged:
    """A serial port and what answered there.

    Attributes
    ----------
    port : str
        Its stable name, for the configuration.
    hello : Hello or None
        What the node said of itself; None where no node answered.
    reason : str
        Why not, where the port could not even be opened.
    """

    port: str
    hello: Hello | None
    reason: str = ""


def serial_ports() -> list[str]:
    """Paths of all serial ports that may carry a node: USB, and the machine's own UARTs."""
    return [port.device for port in list_ports.comports()]


def find_nodes(ports: Sequence[str], wait_s: float = ANSWER_S) -> list[Plugged]:
    """Ask all ports at once who is there."""
    drivers = [NodeDriver(port) for port in ports]
    until_s = time.monotonic() + wait_s
    while any(driver.info is None for driver in drivers) and time.monotonic() < until_s:
        time.sleep(0.02)
    found = [
        Plugged(stable_name(port), driver.info, "" if driver.info else _why_silent(driver))
        for port, driver in zip(ports, drivers, strict=True)
    ]
    for driver in drivers:
        driver.close()
    return found


def blink(port: str, duration_s: int = 5) -> None:
    """Let the node on a port blink.

    Raises
    ------
    UserError
        Where no node answers.
    """
    driver = _open(port)
    driver.blink(duration_s)
    time.sleep(0.2)  # until the question is on the line
    driver.close()


def assign(port: str, segment: Segment) -> Hello:
    """Let the node on a port keep its segment, and read it back.

    Raises
    ------
    UserError
        Where no node answers, or it did not keep what it was told.
    """
    driver = _open(port)
    driver.assign(segment)
    until_s = time.monotonic() + ANSWER_S
    while driver.info is None or driver.info.segment != segment:
        if time.monotonic() > until_s:
            driver.close()
            raise UserError(f"{port}: the node did not keep {segment}; is its flash full?")
        time.sleep(0.02)
    hello = driver.info
    driver.close()
    return hello


def _why_silent(driver: NodeDriver) -> str:
    return driver.link.reason if driver.link.state is LinkState.LOST else "the port is silent"


def _open(port: str) -> NodeDriver:
    driver = NodeDriver(port)
    until_s = time.monotonic() + ANSWER_S
    while driver.info is None and time.monotonic() < until_s:
        time.sleep(0.02)
    if driver.info is None:
        driver.close()
        raise UserError(
            f"{port}: no node answered ({_why_silent(driver)}); see `evenstride doctor`"
        )
    return driver
