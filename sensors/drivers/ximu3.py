"""x-IMU3 of x-io Technologies, over USB, serial or UDP. Stamps of its own, no sequence numbers."""

from __future__ import annotations

from math import radians

from sensors.ximu3 import END, INERTIAL, STANDARD_GRAVITY, MessageReader

from .vendor import Reading

# Technical specification: gyroscope 2000 deg/s, accelerometer 16 g, 400 Hz of sample rate.
GYR_FULL, ACC_FULL = radians(2000.0), 16 * STANDARD_GRAVITY
# Samples lost are told by the stamps alone.
GREETING = (
    b'{"inertial_message_rate_divisor":2}',
    b'{"binary_mode_enabled":true}',
    b'{"apply":null}',
)


class Ximu3Decoder:
    """Inertial messages to readings. Its magnetometer has no unit (a.u.) and is left out."""

    model = "x-IMU3"
    tick_hz = 1e6
    rate_hz = 200.0
    channels = 6
    full = (GYR_FULL, ACC_FULL)

    def __init__(self) -> None:
        self._reader = MessageReader()

    @property
    def rejected(self) -> int:
        """Messages that no x-IMU3 can have sent."""
        return self._reader.rejected

    def greeting(self) -> bytes:
        """Ask for 200 inertial messages a second, in binary; nothing is stored in the device."""
        return b"".join(command + END for command in GREETING)

    def feed(self, data: bytes) -> list[Reading]:
        """Take bytes in any portions."""
        readings = []
        for message in self._reader.feed(data):
            if message.kind == INERTIAL:
                gyr = tuple(radians(value) for value in message.arguments[:3])
                acc = tuple(value * STANDARD_GRAVITY for value in message.arguments[3:])
                readings.append(Reading(message.time_us, None, gyr + acc))
        return readings

    def reset(self) -> None:
        """Forget what was half read."""
        self._reader.feed(END)
