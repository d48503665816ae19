"""WitMotion WT901 and relatives over serial. No sequence, no usable time: sync class C.

WT901C data sheet v20-0707, "Communication protocol": 0x55, a type, four words (little-endian), and
the low byte of the sum of the ten bytes before. The maker states its clock to some 5 ms: good for
counting steps, never for leg length.
"""

from __future__ import annotations

import struct
from math import radians

from .vendor import Reading

HEADER, SIZE = 0x55, 11
ACCELERATION, ANGULAR_RATE = 0x51, 0x52
STANDARD_GRAVITY = 9.80665
ACC_SCALE = 16 * STANDARD_GRAVITY / 32768
GYR_SCALE = radians(2000.0) / 32768


class WitMotionDecoder:
    """Acceleration and rate packets to readings; the count of samples serves as ticks.

    Parameters
    ----------
    rate_hz : float
        What the device was set to; it does not tell.
    """

    model = "WitMotion"
    channels = 6
    full = (32767 * GYR_SCALE, 32767 * ACC_SCALE)

    def __init__(self, rate_hz: float = 100.0) -> None:
        self.rate_hz = self.tick_hz = rate_hz
        self.rejected = 0
        self._held = b""
        self._acc: tuple[float, ...] | None = None
        self._count = 0

    def greeting(self) -> bytes:
        """Nothing: it sends of its own accord."""
        return b""

    def feed(self, data: bytes) -> list[Reading]:
        """Take bytes in any portions."""
        buffer = self._held + data
        readings = []
        at = 0
        while (at := buffer.find(HEADER, at)) >= 0 and at + SIZE <= len(buffer):
            packet = buffer[at : at + SIZE]
            if sum(packet[:-1]) & 0xFF != packet[-1]:
                self.rejected += 1
                at += 1
                continue
            at += SIZE
            reading = self._reading(packet[1], struct.unpack("<4h", packet[2:10]))
            if reading is not None:
                readings.append(reading)
        self._held = buffer[at:] if at >= 0 else b""
        return readings

    def reset(self) -> None:
        """Forget what was half read."""
        self._held = b""
        self._acc = None

    def _reading(self, kind: int, words: tuple[int, ...]) -> Reading | None:
        if kind == ACCELERATION:
            self._acc = tuple(word * ACC_SCALE for word in words[:3])
            return None
        if kind != ANGULAR_RATE:
            return None
        self._count += 1
        acc, self._acc = self._acc, None
        if acc is None:
            return None  # its acceleration was damaged: the number is used up, the sample is lost
        gyr = tuple(word * GYR_SCALE for word in words[:3])
        return Reading(self._count, None, gyr + acc)
