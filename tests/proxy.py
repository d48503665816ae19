"""A wire with faults: stands between a client and a broker, and is cut, stopped or slowed."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

PIECE = 4096


class Proxy:
    """Carries bytes both ways; `mode` is `open`, `refusing`, `half_open` or `slow`."""

    def __init__(self, port_of_broker: int) -> None:
        self.mode = "open"
        self._to = port_of_broker
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self.mode == "refusing":
                    client.close()
                    continue
                try:
                    broker = socket.create_connection(("127.0.0.1", self._to))
                except OSError:
                    client.close()
                    continue
                self._pairs.append((client, broker))
                dead = threading.Event()
                for pair in ((client, broker), (broker, client)):
                    threading.Thread(target=self._carry, args=(*pair, dead), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, dead: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(PIECE):
                # A half-open link swallows, and never comes back: TCP has no holes.
                if self.mode == "half_open" or dead.is_set():
                    dead.set()
                    continue
                if self.mode == "slow":
                    time.sleep(0.02)
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """Break every connection, at whatever byte it is."""
        pairs, self._pairs = self._pairs, []
        for end in (end for pair in pairs for end in pair):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        self._listener.close()
        self.cut()
