"""The serial port: opened under a stable name, and opened again by itself when it was lost.

Bytes come out with the host time at which they were there. What they mean is not known here.
"""

from __future__ import annotations

import contextlib
import os
import select
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import serial

if TYPE_CHECKING:
    from collections.abc import Callable

# udev's link names bear the maker's serial number and outlive re-enumeration; ttyACM0 does not.
BY_ID = Path("/dev/serial/by-id")
FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 5.0
# A cable that lets bytes through again after this long counts as lost in between: a pulled USB
# plug may leave a port that reads nothing and complains of nothing.
SILENCE_S = 3.0
READ_SIZE = 65536


class LinkState(StrEnum):
    """Whether a port can be read."""

    OPEN = "open"
    LOST = "lost"


def stable_name(port_path: str) -> str:
    """Name of the same port that survives re-enumeration; the given one where there is none."""
    wanted = Path(port_path).resolve()
    if BY_ID.is_dir():
        for link in sorted(BY_ID.iterdir()):
            if link.resolve() == wanted:
                return str(link)
    return port_path


class SerialLink:
    """One serial port that heals itself.

    Parameters
    ----------
    port_path : str
        Path of the port; its stable name is used from then on.
    baudrate : int
        Bits a second; USB ports ignore it.
    now_ns : callable
        Host clock for the stamps. Waiting and silence go by real time: a port is real, however
        fast the clock of a demonstration runs.

    Attributes
    ----------
    state : LinkState
        `open` or `lost`.
    reopened : int
        How often the port was opened after it had been lost.
    reason : str
        Why the port is or was last lost, for people.
    """

    def __init__(
        self,
        port_path: str,
        *,
        baudrate: int = 921_600,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.name = stable_name(port_path)
        self.state = LinkState.LOST
        self.reopened = -1
        self.reason = "not opened yet"
        self._baudrate = baudrate
        self._now_ns = now_ns
        self._port: serial.Serial | None = None
        self._wait_s = FIRST_WAIT_S
        self._next_try_s = 0.0
        self._last_bytes_s = 0.0

    def open(self) -> bool:
        """Open the port if it is lost and its time has come; True where it was opened just now."""
        if self._port is not None or time.monotonic() < self._next_try_s:
            return False
        try:
            # exclusive: a second reader would take every other byte.
            port = serial.Serial(self.name, self._baudrate, timeout=0, exclusive=True)
            port.reset_input_buffer()
        except (OSError, serial.SerialException) as error:
            self.reason = str(error)
            self._next_try_s = time.monotonic() + self._wait_s
            self._wait_s = min(2 * self._wait_s, LONGEST_WAIT_S)
            return False
        _lower_latency(port)
        self._port = port
        self._last_bytes_s = time.monotonic()
        self.state = LinkState.OPEN
        self.reopened += 1
        return True

    def read(self, timeout_s: float) -> tuple[bytes, int]:
        """Bytes that are there or come within the time, and the host time when they were there.

        Empty bytes where none came, the port is lost, or has just been found to be.
        """
        if self._port is None:
            time.sleep(min(timeout_s, max(self._next_try_s - time.monotonic(), 0.0)))
            return b"", self._now_ns()
        try:
            descriptor = self._port.fileno()
            ready, _, _ = select.select([descriptor], [], [], timeout_s)
            stamp = self._now_ns()
            # Not `Serial.read`: it waits for a number of bytes, and late bytes spoil the stamp.
            data = os.read(descriptor, READ_SIZE) if ready else b""
        except (OSError, ValueError, TypeError, serial.SerialException) as error:
            self._lose(str(error))
            return b"", self._now_ns()
        if data:
            self._last_bytes_s = time.monotonic()
            self._wait_s = FIRST_WAIT_S
        elif ready:
            self._lose("the port hung up")
        elif time.monotonic() - self._last_bytes_s > SILENCE_S:
            self._lose(f"nothing came for {SILENCE_S:g} s")
        return data, stamp

    def write(self, data: bytes) -> None:
        """Send bytes; a port that refuses them is lost."""
        if self._port is None or not data:
            return
        try:
            # Not `Serial.write`: that would wait for a line that is full, and this thread stamps.
            os.write(self._port.fileno(), data)
        except BlockingIOError:
            pass  # a question that does not fit is not worth waiting for
        except (OSError, serial.SerialException) as error:
            self._lose(str(error))

    def close(self) -> None:
        """Close the port for good."""
        self._lose("closed")
        self._next_try_s = float("inf")

    def _lose(self, reason: str) -> None:
        self.reason = reason
        self.state = LinkState.LOST
        self._next_try_s = time.monotonic() + self._wait_s
        self._wait_s = min(2 * self._wait_s, LONGEST_WAIT_S)
        port, self._port = self._port, None
        if port is not None:
            with contextlib.suppress(OSError):  # a port that is gone cannot be closed either
                port.close()


def _lower_latency(port: serial.Serial) -> None:
    """Ask the driver to hand bytes on at once: an FTDI holds them for 16 ms else."""
    # Pseudo-terminals and some adapters have no such mode.
    with contextlib.suppress(OSError, ValueError, AttributeError, NotImplementedError):
        port.set_low_latency_mode(True)
