"""Shows the configured nodes live to the x-IMU3's free viewer, on this network."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from edge.errors import UserError
from edge.nodes import open_node
from sensors.ximu3_beacon import BROADCAST, Beacon

if TYPE_CHECKING:
    import threading

    from edge.config import Config

TURN_S = 0.02


def show_nodes(
    config: Config,
    stop: threading.Event,
    *,
    viewer: str = BROADCAST,
    address: str | None = None,
) -> None:
    """Read all nodes and show them until `stop` is set; the service must not be reading them.

    Raises
    ------
    UserError
        Where no nodes are configured, or one cannot be opened.
    """
    if not config.nodes:
        raise UserError("no nodes are configured; name each under [nodes.NAME] with its port")
    drivers = [open_node(name, node, config.rate_hz) for name, node in config.nodes.items()]
    beacon = Beacon(list(config.nodes), address or _own_address(), viewer=viewer)
    try:
        while not stop.wait(TURN_S):
            beacon.turn(time.monotonic_ns())
            for driver in drivers:
                for block in driver.read(0.0):
                    beacon.show(block)
    finally:
        beacon.close()
        for driver in drivers:
            driver.close()


def _own_address() -> str:
    """Address of this machine on the network that leads on; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for documents, RFC 5737
        except OSError as error:
            raise UserError("this machine has no network: join the viewer's Wi-Fi") from error
        return str(probe.getsockname()[0])
