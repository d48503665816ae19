"""The I2C bus by its number, and registers of a chip on it.

Blinka's `busio` interface is the seam: a kernel bus, a channel of a multiplexer and a virtual bus
look the same, and Adafruit's drivers run on each of them. `board` is never imported: it wants a
GPIO library, and a bus needs none.
"""

from __future__ import annotations

import re
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from .errors import LinkLostError

if TYPE_CHECKING:
    from collections.abc import Iterator

PORT = re.compile(
    r"i2c-(?P<bus>\d+)(/(?P<mux>0x[0-9a-f]{2})\.(?P<channel>[0-7]))?(:(?P<address>0x[0-9a-f]{2}))?"
)
# A chip that holds the bus longer than this is broken, or somebody forgot to unlock.
LOCK_S = 1.0


class Bus(Protocol):
    """The part of `busio.I2C` that we use; names and arguments are its own."""

    def try_lock(self) -> bool:
        """Take the bus if it is free."""
        ...

    def unlock(self) -> None:
        """Give the bus back."""
        ...

    def scan(self) -> list[int]:
        """Addresses that answer."""
        ...

    def writeto(self, address: int, buffer: Any, **part: Any) -> None:
        """Write bytes, `start` to `end` of them, in one transaction."""
        ...

    def readfrom_into(self, address: int, buffer: Any, **part: Any) -> None:
        """Read bytes in one transaction."""
        ...

    def writeto_then_readfrom(
        self, address: int, out_buffer: Any, in_buffer: Any, **part: Any
    ) -> None:
        """Write, then read without letting go of the bus."""
        ...


class KernelBus:
    """Bus `/dev/i2c-<number>` through Blinka.

    Parameters
    ----------
    number : int
        Number of the bus; each channel of a kernel `i2c-mux` has one of its own.

    Raises
    ------
    LinkLostError
        Where there is no such bus, or it may not be opened.
    """

    def __init__(self, number: int) -> None:
        # Late: Blinka looks the machine over when it is imported, which serial nodes never need.
        from adafruit_blinka.microcontroller.generic_linux.i2c import I2C  # noqa: PLC0415

        try:
            self._i2c = I2C(number)
        except (OSError, RuntimeError) as error:
            raise LinkLostError(f"bus i2c-{number}: {error}") from error
        self._lock = threading.Lock()
        self.scan = self._i2c.scan
        self.writeto = self._i2c.writeto
        self.readfrom_into = self._i2c.readfrom_into
        # One I2C_RDWR call of the kernel, of any length: a FIFO is read by a single one.
        self.writeto_then_readfrom = self._i2c.writeto_then_readfrom

    def try_lock(self) -> bool:
        """Take the bus if it is free."""
        return self._lock.acquire(blocking=False)

    def unlock(self) -> None:
        """Give the bus back."""
        self._lock.release()


class MuxChannel:
    """One channel of a TCA9548A that the kernel does not know of.

    Parameters
    ----------
    bus : Bus
        The bus that the multiplexer hangs on.
    address : int
        Of the multiplexer, 0x70 to 0x77.
    channel : int
        0 to 7.
    """

    def __init__(self, bus: Bus, address: int, channel: int) -> None:
        self._bus = bus
        self._address = address
        self._select = bytes([1 << channel])
        self.unlock = bus.unlock

    def try_lock(self) -> bool:
        """Take the bus if it is free, and turn the multiplexer to this channel."""
        if not self._bus.try_lock():
            return False
        try:
            self._bus.writeto(self._address, self._select)
        except OSError:
            self._bus.unlock()
            raise
        return True

    def scan(self) -> list[int]:
        """Addresses that answer on this channel, the multiplexer itself left out."""
        return [address for address in self._bus.scan() if address != self._address]

    def writeto(self, address: int, buffer: Any, **part: Any) -> None:
        """Write bytes in one transaction."""
        self._bus.writeto(address, buffer, **part)

    def readfrom_into(self, address: int, buffer: Any, **part: Any) -> None:
        """Read bytes in one transaction."""
        self._bus.readfrom_into(address, buffer, **part)

    def writeto_then_readfrom(
        self, address: int, out_buffer: Any, in_buffer: Any, **part: Any
    ) -> None:
        """Write, then read without letting go of the bus."""
        self._bus.writeto_then_readfrom(address, out_buffer, in_buffer, **part)


_buses: dict[int, KernelBus] = {}


def open_port(port: str) -> tuple[Bus, int | None]:
    """Bus and address of a port such as `i2c-1`, `i2c-1:0x6a` or `i2c-1/0x70.3:0x6a`.

    The middle one is a sensor at an address, the last one behind channel 3 of a multiplexer at
    0x70. Sensors on one bus share it.

    Raises
    ------
    ValueError
        Where the port is written otherwise.
    LinkLostError
        Where there is no such bus.
    """
    match = PORT.fullmatch(port.lower())
    if match is None:
        raise ValueError(f"port {port!r}: expected i2c-1, i2c-1:0x6a or i2c-1/0x70.3:0x6a")
    number = int(match["bus"])
    if number not in _buses:
        _buses[number] = KernelBus(number)
    bus: Bus = _buses[number]
    if match["mux"]:
        bus = MuxChannel(bus, int(match["mux"], 16), int(match["channel"]))
    return bus, int(match["address"], 16) if match["address"] else None


class Registers:
    """Registers of one chip.

    Parameters
    ----------
    bus : Bus
        The bus.
    address : int
        Of the chip.
    """

    def __init__(self, bus: Bus, address: int) -> None:
        self.address = address
        self._bus = bus

    def read(self, register: int, count: int) -> bytes:
        """Read consecutive registers, or a FIFO, in one transaction.

        Raises
        ------
        LinkLostError
            Where the chip does not answer.
        """
        into = bytearray(count)
        with self._transaction():
            self._bus.writeto_then_readfrom(self.address, bytes([register]), into)
        return bytes(into)

    def write(self, register: int, value: int) -> None:
        """Write one register.

        Raises
        ------
        LinkLostError
            Where the chip does not answer.
        """
        with self._transaction():
            self._bus.writeto(self.address, bytes([register, value]))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        until_s = time.monotonic() + LOCK_S
        try:
            while not self._bus.try_lock():
                if time.monotonic() > until_s:
                    raise LinkLostError(f"the bus of 0x{self.address:02x} is not given back")
                time.sleep(0.0005)
            try:
                yield
            finally:
                self._bus.unlock()
        except OSError as error:
            raise LinkLostError(f"0x{self.address:02x} does not answer: {error}") from error
