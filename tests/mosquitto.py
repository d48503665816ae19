"""A real broker for tests: started on a free port of the loopback, killed and started again."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PLACES = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
PROGRAM = shutil.which("mosquitto", path=PLACES)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port: int) -> None:
    for _ in range(1000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise TimeoutError(f"nothing listens on port {port}")


class Mosquitto:
    """A broker with a port of its own; `settings` are lines of mosquitto.conf."""

    def __init__(self, folder: Path, settings: str = "allow_anonymous true") -> None:
        self.port = free_port()
        self.log = folder / "mosquitto.log"
        self._conf = folder / "mosquitto.conf"
        # As root it would become `mosquitto` and could not read a test's certificates.
        # Without a limit of messages under way, what it acknowledged it has also passed on.
        self._conf.write_text(
            f"listener {self.port} 127.0.0.1\nuser root\nmax_inflight_messages 0\n{settings}\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [PROGRAM, "-v", "-c", self._conf], stdout=log, stderr=log
            )
        wait_for_port(self.port)

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
