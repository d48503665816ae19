"""Xsens (Movella) MTi over serial: Xbus with MTData2, packet counter and fine sample time.

MT Low Level Communication Protocol Documentation (MT0605P), chapters 2 and 4: preamble 0xFA, bus
0xFF, message, length, data, and a checksum that makes the sum of all but the preamble zero.
The device must be set to send packet counter, sample time fine, acceleration and rate of turn.
"""

from __future__ import annotations

import struct
from math import radians

from .vendor import Reading

PREAMBLE, BUS, MTDATA2, EXTENDED = 0xFA, 0xFF, 0x36, 0xFF
GO_TO_MEASUREMENT = bytes([PREAMBLE, BUS, 0x10, 0x00, 0xF1])
# Data identifiers; the last digit is the format of numbers.
PACKET_COUNTER, SAMPLE_TIME_FINE = 0x1020, 0x1060
ACCELERATION, RATE_OF_TURN = 0x4020, 0x8020
FLOAT_32, FLOAT_64 = 0x0, 0x3
FORMATS = {FLOAT_32: struct.Struct(">3f"), FLOAT_64: struct.Struct(">3d")}
TICK_HZ = 10_000.0
TICK_WRAP, COUNTER_WRAP = 1 << 32, 1 << 16
# Longer messages exist, and none of them carries samples.
LONGEST = 512


def messages(data: bytes) -> tuple[list[tuple[int, bytes]], bytes, int]:
    """Cut bytes into (message, data); also what is left for the next time, and what was refused."""
    found = []
    refused = 0
    at = 0
    while (at := data.find(PREAMBLE, at)) >= 0:
        end = _end(data, at)
        if end is None:
            break
        if end > 0 and sum(data[at + 1 : end]) & 0xFF == 0:
            start = at + (6 if data[at + 3] == EXTENDED else 4)
            found.append((data[at + 2], data[start : end - 1]))
            at = end
        else:
            refused += 1
            at += 1  # the preamble may be a byte of data: look further within
    return found, data[at:] if at >= 0 else b"", refused


def _end(data: bytes, at: int) -> int | None:
    """Where a message ends; None where its end has not come, 0 where it cannot be one."""
    if len(data) < at + 4:
        return None
    if data[at + 1] != BUS:
        return 0
    size = data[at + 3] + 5
    if data[at + 3] == EXTENDED:
        if len(data) < at + 6:
            return None
        size = int.from_bytes(data[at + 4 : at + 6], "big") + 7
    if size > LONGEST:
        return 0
    return at + size if len(data) >= at + size else None


def items(data: bytes) -> dict[int, bytes]:
    """Data items of an MTData2 message by identifier."""
    found = {}
    at = 0
    while at + 3 <= len(data):
        identifier, size = struct.unpack_from(">HB", data, at)
        found[identifier] = data[at + 3 : at + 3 + size]
        at += 3 + size
    return found


class MtiDecoder:
    """MTData2 to readings. Its magnetometer has no unit (a.u.) and is left out."""

    model = "Xsens MTi"
    tick_hz = TICK_HZ
    rate_hz = 100.0
    channels = 6
    full = (radians(2000.0), 160.0)

    def __init__(self) -> None:
        self.rejected = 0
        self._held = b""
        self._counter: int | None = None
        self._ticks: int | None = None

    def greeting(self) -> bytes:
        """Let it measure, should it be waiting to be configured."""
        return GO_TO_MEASUREMENT

    def feed(self, data: bytes) -> list[Reading]:
        """Take bytes in any portions."""
        found, self._held, refused = messages(self._held + data)
        self.rejected += refused
        readings = [self._reading(items(body)) for kind, body in found if kind == MTDATA2]
        return [reading for reading in readings if reading is not None]

    def reset(self) -> None:
        """Forget what was half read."""
        self._held = b""

    def _reading(self, found: dict[int, bytes]) -> Reading | None:
        acc, gyr = _vector(found, ACCELERATION), _vector(found, RATE_OF_TURN)
        time, counter = found.get(SAMPLE_TIME_FINE, b""), found.get(PACKET_COUNTER, b"")
        if acc is None or gyr is None or len(time) != 4:
            return None
        skipped = None
        if len(counter) == 2:
            number = int.from_bytes(counter, "big")
            if self._counter is not None:
                skipped = (number - self._counter - 1) % COUNTER_WRAP
            self._counter = number
        return Reading(self._unwrapped(int.from_bytes(time, "big")), skipped, gyr + acc)

    def _unwrapped(self, ticks: int) -> int:
        if self._ticks is None:
            self._ticks = ticks
        ahead = (ticks - self._ticks) % TICK_WRAP
        # A small step back is a restart of the device, not a wrap after five days.
        self._ticks = self._ticks + ahead if ahead < TICK_WRAP // 2 else ticks
        return self._ticks


def _vector(found: dict[int, bytes], identifier: int) -> tuple[float, ...] | None:
    for precision, layout in FORMATS.items():
        raw = found.get(identifier | precision)
        if raw is not None and len(raw) == layout.size:
            return layout.unpack(raw)
    return None
