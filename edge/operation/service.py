"""A process as a service of systemd: it says when it is ready, and that it still gets on.

The watchdog is fed only when every worker has gone on since it was fed last: a process of which a
part hangs is started again. Without systemd all of this does nothing.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time

# Fed well before it bites.
SHARE = 1 / 3


def stop_on_signals() -> threading.Event:
    """An event that Ctrl-C and `systemctl stop` set."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


class Service:
    """Speaks with systemd over its notification socket (sd_notify(3)).

    Parameters
    ----------
    *workers : str
        All that must go on; each calls `progress` with its name.
    """

    def __init__(self, *workers: str) -> None:
        self._workers = frozenset(workers)
        self._went_on: set[str] = set()
        self._lock = threading.Lock()
        self._address = os.environ.get("NOTIFY_SOCKET", "").replace("@", "\0", 1)
        period_us = os.environ.get("WATCHDOG_USEC", "0")
        self._period_s = int(period_us) / 1e6 * SHARE if period_us.isdigit() else 0.0
        self._fed_s = time.monotonic()

    def ready(self) -> None:
        """Say that the start is over."""
        self._say("READY=1")

    def stopping(self) -> None:
        """Say that the end has begun."""
        self._say("STOPPING=1")

    def status(self, text: str) -> None:
        """Set the line that `systemctl status` shows."""
        self._say("STATUS=" + text.replace("\n", " "))

    def busy(self, seconds: float) -> None:
        """Ask for time: something slow and known, such as recovering a recording."""
        self._say(f"EXTEND_TIMEOUT_USEC={round(seconds * 1e6)}")

    def progress(self, worker: str) -> None:
        """Note that a worker went on; feeds the watchdog when all have, and it is time."""
        with self._lock:
            self._went_on.add(worker)
            due = self._period_s and time.monotonic() - self._fed_s >= self._period_s
            if not due or not self._workers <= self._went_on:
                return
            self._went_on.clear()
            self._fed_s = time.monotonic()
        self._say("WATCHDOG=1")

    def _say(self, text: str) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as link:
            try:
                link.sendto(text.encode(), self._address)
            except OSError:
                # systemd is gone or restarts itself: nothing that this process could do.
                return
