"""An I2C bus with virtual chips on it, as `busio.I2C` would show them."""

from __future__ import annotations

import errno
import random
import threading
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Device(Protocol):
    """Something that answers at an address."""

    def written(self, data: bytes) -> None:
        """Take the bytes of one write transaction."""
        ...

    def read(self, count: int) -> bytes:
        """Give the bytes of one read transaction."""
        ...


class VirtualBus:
    """Virtual devices on one bus.

    Parameters
    ----------
    devices : mapping
        Address to device.
    refuse : float
        Probability that a transaction is not acknowledged.
    flip : float
        Probability that a bit of a read transaction is wrong: I2C has no checksum.
    before : callable, optional
        Called before each transaction, such as to let time pass.
    seed : int
        Of the faults.
    """

    def __init__(
        self,
        devices: Mapping[int, Device],
        *,
        refuse: float = 0.0,
        flip: float = 0.0,
        before: Callable[[], None] | None = None,
        seed: int = 0,
    ) -> None:
        self.devices = dict(devices)
        self.refuse = refuse
        self.transactions = 0
        self._flip = flip
        self._before = before
        self._dice = random.Random(seed)
        self._lock = threading.Lock()

    def try_lock(self) -> bool:
        """Take the bus if it is free."""
        return self._lock.acquire(blocking=False)

    def unlock(self) -> None:
        """Give the bus back."""
        self._lock.release()

    def scan(self) -> list[int]:
        """Addresses that answer."""
        return sorted(self.devices)

    def writeto(
        self, address: int, buffer: Any, *, start: int = 0, end: int | None = None, **_: Any
    ) -> None:
        """Write bytes in one transaction."""
        self._device(address).written(bytes(buffer[start:end]))

    def readfrom_into(
        self, address: int, buffer: Any, *, start: int = 0, end: int | None = None, **_: Any
    ) -> None:
        """Read bytes in one transaction."""
        stop = len(buffer) if end is None else end
        buffer[start:stop] = self._disturbed(self._device(address).read(stop - start))

    def writeto_then_readfrom(
        self,
        address: int,
        out_buffer: Any,
        in_buffer: Any,
        *,
        out_start: int = 0,
        out_end: int | None = None,
        in_start: int = 0,
        in_end: int | None = None,
        **_: Any,
    ) -> None:
        """Write, then read without letting go of the bus."""
        device = self._device(address)
        device.written(bytes(out_buffer[out_start:out_end]))
        stop = len(in_buffer) if in_end is None else in_end
        in_buffer[in_start:stop] = self._disturbed(device.read(stop - in_start))

    def _device(self, address: int) -> Device:
        if not self._lock.locked():
            raise RuntimeError("the bus is used without having been locked")
        self.transactions += 1
        if self._before is not None:
            self._before()
        if address not in self.devices or self._dice.random() < self.refuse:
            raise OSError(errno.EREMOTEIO, "Remote I/O error")
        return self.devices[address]

    def _disturbed(self, data: bytes) -> bytes:
        if not data or self._dice.random() >= self._flip:
            return data
        broken = bytearray(data)
        broken[self._dice.randrange(len(broken))] ^= 1 << self._dice.randrange(8)
        return bytes(broken)
