"""A UDP socket with the face of a serial port: datagrams come out as bytes with their host time."""

from __future__ import annotations

import select
import socket
import time
from typing import TYPE_CHECKING

from .serial_link import LinkState

if TYPE_CHECKING:
    from collections.abc import Callable

READ_SIZE = 65536


class UdpLink:
    """One socket; what is written goes to whoever was heard last.

    Parameters
    ----------
    port : int
        UDP port to listen on.
    host : str
        Address to listen on; all of this machine's by default, as a sensor finds us on any.
    now_ns : callable
        Host clock for the stamps.
    """

    def __init__(
        self,
        port: int,
        *,
        host: str = "",
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.name = f"udp:{port}"
        self.state = LinkState.LOST
        self.reopened = -1
        self.reason = "not opened yet"
        self._address = (host, port)
        self._now_ns = now_ns
        self._socket: socket.socket | None = None
        self._peer: tuple[str, int] | None = None
        self._closed = False

    def open(self) -> bool:
        """Open the socket; True where it was opened just now."""
        if self._socket is not None or self._closed:
            return False
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            opened.bind(self._address)
        except OSError as error:
            self.reason = str(error)
            opened.close()
            return False
        self._socket = opened
        self.state = LinkState.OPEN
        self.reopened += 1
        return True

    def read(self, timeout_s: float) -> tuple[bytes, int]:
        """One datagram and the host time when it was there; empty where none came."""
        if self._socket is None:
            time.sleep(timeout_s)
            return b"", self._now_ns()
        ready, _, _ = select.select([self._socket], [], [], timeout_s)
        stamp = self._now_ns()
        if not ready:
            return b"", stamp
        data, self._peer = self._socket.recvfrom(READ_SIZE)
        return data, stamp

    def write(self, data: bytes) -> None:
        """Send bytes to whoever was heard last."""
        if self._socket is not None and self._peer is not None and data:
            self._socket.sendto(data, self._peer)

    def close(self) -> None:
        """Close the socket for good."""
        self._closed = True
        self.state = LinkState.LOST
        self.reason = "closed"
        if self._socket is not None:
            self._socket.close()
            self._socket = None
