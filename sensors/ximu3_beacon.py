"""Shows our sensors to the x-IMU3's free viewer: each looks like one more x-IMU3 on the network.

The viewer (x-IMU3 GUI or App) finds sensors by their announcements, opens their UDP port, and asks
with JSON; it then draws what comes. One socket for each sensor, no thread: the caller's loop turns.
"""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

from .ximu3 import ANNOUNCEMENT_PORT, announcement, answer, encode_inertial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .sample import Block

ANNOUNCE_NS = 1_000_000_000
# The viewer listens here for the first sensor, one further for each of the others.
FIRST_SEND_PORT = 8000
BROADCAST = "255.255.255.255"


class Beacon:
    """Our sensors for a viewer.

    Parameters
    ----------
    names : sequence of str
        The sensors.
    address : str
        Of this machine, as the viewer reaches it.
    viewer : str
        Where announcements and samples go: everybody on this network by default.
    announcement_port : int
        Where the viewer listens for announcements.
    """

    def __init__(
        self,
        names: Sequence[str],
        address: str,
        *,
        viewer: str = BROADCAST,
        announcement_port: int = ANNOUNCEMENT_PORT,
    ) -> None:
        self._viewer = viewer
        self._announcement_port = announcement_port
        self._address = address
        self._next_ns = 0
        self._sockets: dict[str, socket.socket] = {}
        self._send_ports: dict[str, int] = {}
        for offset, name in enumerate(names):
            opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            opened.setblocking(False)
            opened.bind((address, 0))
            self._sockets[name] = opened
            self._send_ports[name] = FIRST_SEND_PORT + offset

    def turn(self, now_ns: int) -> None:
        """Announce when it is time, and answer what a viewer asks; to be called often."""
        if now_ns >= self._next_ns:
            self._next_ns = now_ns + ANNOUNCE_NS
            for name in self._sockets:
                self._announce(name)
        for name, opened in self._sockets.items():
            with contextlib.suppress(BlockingIOError):
                question, peer = opened.recvfrom(2048)
                reply = answer(question, name, _serial(name))
                if reply is not None:
                    opened.sendto(reply, peer)

    def show(self, block: Block) -> None:
        """Send the samples of a block, stamped with host microseconds."""
        opened = self._sockets[block.sensor]
        target = self._viewer, self._send_ports[block.sensor]
        rows = zip(block.host_ns // 1000, block.gyr, block.acc, strict=True)
        messages = [
            encode_inertial(int(time_us), tuple(gyr), tuple(acc)) for time_us, gyr, acc in rows
        ]
        # A viewer is a guest: what the network will not take now is not worth waiting for.
        with contextlib.suppress(OSError):
            opened.sendto(b"".join(messages), target)

    def close(self) -> None:
        """Let go of the network."""
        for opened in self._sockets.values():
            opened.close()

    def _announce(self, name: str) -> None:
        opened = self._sockets[name]
        told = announcement(
            name,
            _serial(name),
            self._address,
            send=self._send_ports[name],
            receive=opened.getsockname()[1],
        )
        with contextlib.suppress(OSError):
            opened.sendto(told, (self._viewer, self._announcement_port))


def _serial(name: str) -> str:
    return f"EVENSTRIDE-{name.upper()}"
