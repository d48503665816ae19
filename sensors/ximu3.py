"""Messages of the x-IMU3, both ways: reading its sensors, and feeding its free viewer with ours.

x-IMU3 User Manual 1.x, "Communication protocol": a message ends with LF; a binary one begins with
0x80 plus a letter, then microseconds (u64) and 32-bit floats, little-endian, LF and ESC stuffed as
in SLIP. Units on the wire are deg/s and g, inside SI.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from math import radians

STANDARD_GRAVITY = 9.80665
END, ESC, ESC_END, ESC_ESC = b"\x0a", b"\xdb", b"\xdb\xdc", b"\xdb\xdd"
BINARY = 0x80
INERTIAL, QUATERNION = ord("I"), ord("Q")
ARGUMENTS = {INERTIAL: 6, QUATERNION: 4}
# "Network announcement message": broadcast once a second.
ANNOUNCEMENT_PORT = 10_000
# The longest message that means anything to us has 33 bytes, doubled by stuffing.
LONGEST = 512


@dataclass(frozen=True, slots=True)
class Message:
    """One data message: its letter, device microseconds, and arguments as on the wire."""

    kind: int
    time_us: int
    arguments: tuple[float, ...]


def encode(kind: int, time_us: int, arguments: tuple[float, ...]) -> bytes:
    """One binary data message, its end included."""
    plain = struct.pack(f"<BQ{len(arguments)}f", BINARY + kind, time_us, *arguments)
    return plain.replace(ESC, ESC_ESC).replace(END, ESC_END) + END


def encode_inertial(
    time_us: int, gyr: tuple[float, float, float], acc: tuple[float, float, float]
) -> bytes:
    """Angular rate (rad/s) and specific force (m/s2) as an inertial message."""
    turn = tuple(value / radians(1.0) for value in gyr)
    return encode(INERTIAL, time_us, (*turn, *(value / STANDARD_GRAVITY for value in acc)))


def encode_quaternion(time_us: int, q: tuple[float, float, float, float]) -> bytes:
    """`q_sensor_to_earth` (w, x, y, z) as a quaternion message."""
    return encode(QUATERNION, time_us, q)


def announcement(name: str, serial: str, address: str, *, send: int, receive: int) -> bytes:
    """What a viewer listens for: our sensor `name`, which sends to and hears on these UDP ports."""
    fields = {"sync": 0, "name": name, "sn": serial, "ip": address, "port": 7000}
    fields |= {"send": send, "receive": receive, "rssi": 100, "battery": 100, "status": 2}
    return json.dumps(fields, separators=(",", ":")).encode()


def answer(command: bytes, name: str, serial: str) -> bytes | None:
    """Answer to a command message of a viewer; None where it is none.

    `ping` tells who we are. Every setting is said to be read-only: here is no x-IMU3 to set.
    """
    try:
        parsed = json.loads(command)
        key = next(iter(parsed))
    except (ValueError, TypeError, StopIteration):
        return None
    if not isinstance(parsed, dict):
        return None
    if key == "ping":
        reply: object = {"interface": "UDP", "name": name, "sn": serial}
    elif key in {"device_name", "serial_number"}:
        reply = name if key == "device_name" else serial
    else:
        reply = {"error": "Unable to write read-only setting"}
    return json.dumps({key: reply}, separators=(",", ":")).encode() + END


class MessageReader:
    """Cuts a stream of bytes into data messages; whatever has no sense is counted."""

    def __init__(self) -> None:
        self.rejected = 0
        self._held = b""

    def feed(self, data: bytes) -> list[Message]:
        """Take the next bytes; return inertial and quaternion messages that ended in them."""
        *pieces, self._held = (self._held + data).split(END)
        if len(self._held) > LONGEST:
            self._held = b""
            self.rejected += 1
        return [message for piece in pieces if (message := self._message(piece)) is not None]

    def _message(self, piece: bytes) -> Message | None:
        if not piece or piece[0] in b"{" or piece[0] & 0x7F not in ARGUMENTS:
            return None  # commands, and messages that are of no use here
        message = _binary(piece) if piece[0] & BINARY else _ascii(piece)
        self.rejected += message is None
        return message


def _binary(piece: bytes) -> Message | None:
    plain = piece.replace(ESC_END, END).replace(ESC_ESC, ESC)
    kind = piece[0] - BINARY
    if len(plain) != 9 + 4 * ARGUMENTS[kind]:
        return None
    _, time_us, *arguments = struct.unpack(f"<BQ{ARGUMENTS[kind]}f", plain)
    return _sensible(kind, time_us, arguments)


def _ascii(piece: bytes) -> Message | None:
    try:
        time_us, *arguments = (float(field) for field in piece.split(b",")[1:])
        return _sensible(piece[0], int(time_us), arguments)
    except (ValueError, OverflowError):
        return None


def _sensible(kind: int, time_us: int, arguments: list[float]) -> Message | None:
    """The protocol has no checksum: what no x-IMU3 can measure is damage."""
    limit = 1.001 if kind == QUATERNION else 4000.0
    right = len(arguments) == ARGUMENTS[kind] and all(abs(value) <= limit for value in arguments)
    return Message(kind, time_us, tuple(arguments)) if right and time_us < 1 << 62 else None
