"""Packets of the serial node protocol to bytes and back, without any port.

Strategy: `cext.PacketParser` cuts the line and verifies checksums; here a verified body becomes a
frozen record, or None where its meaning cannot be right (such a body is counted by the caller).
Layouts are the tables of docs/protocol.md, protocol version 1; all numbers are little-endian.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from math import degrees

from cext import encode_packet

PROTOCOL = 1
STANDARD_GRAVITY = 9.80665

# Every packet: type, flags, low half of a sample number (docs/protocol.md, "Head").
_HEAD = struct.Struct("<BBH")
# t0_ticks, period_ticks_q8, count ("DATA").
_DATA = struct.Struct("<QIB")
# protocol, tick_bits, channels, reserved, tick_hz, rate_mhz, boot, next_sample, last_boot_samples,
# three scales, three full readings, calibration, uid, chip, firmware, name, segment ("HELLO").
_HELLO = struct.Struct("<BBBBIIIQQfffHHHI8s12s12s16s16s")
# nonce, received_ticks, sent_ticks ("SYNC").
_SYNC = struct.Struct("<IQQ")
# next_sample, overrun_samples, bad_packets, temperature_cdeg, battery_mv ("STATUS").
_STATUS = struct.Struct("<QIIhH")

# What a node answers where it cannot know how many samples its former boot took.
UNKNOWN_SAMPLES = 0xFFFF_FFFF_FFFF_FFFF
# Counters of 64 bit that stand higher are garbage: 2^62 us are 146 000 years.
MAX_COUNT = 1 << 62
# 1024 bytes of body less head and DATA fields leave 56 samples of 9 channels; 32 bounds the delay.
MAX_SAMPLES = 32
BOOT_MODULUS = 16


class PacketType(IntEnum):
    """First byte of a body; the high bit is set on what the host sends."""

    HELLO = 0x01
    DATA = 0x02
    SYNC = 0x03
    STATUS = 0x04
    ASK_HELLO = 0x81
    ASK_SYNC = 0x83
    BLINK = 0x85
    ASSIGN = 0x86


class Flag(IntFlag):
    """Low half of the flags; the high half is the boot counter modulo 16."""

    MAG = 0x01
    OVERRUN = 0x02
    BATTERY_LOW = 0x04


@dataclass(frozen=True, slots=True)
class Hello:
    """Who a node is and how to read it. Sent at boot and on request.

    Attributes
    ----------
    boot : int
        Counts the starts of the node.
    next_sample : int
        Number, since boot, of the first sample of the next DATA packet.
    last_boot_samples : int or None
        Samples taken during boot `boot - 1`, None where the node lost that number.
    tick_bits : int
        Width of the counter behind the ticks, 16 to 64; the host extends it to 64.
    gyr_scale, acc_scale, mag_scale : float
        SI units a reading: rad/s, m/s2, uT.
    gyr_full, acc_full, mag_full : int
        Magnitude of a reading from which the sensor is at the end of its range.
    """

    boot: int
    next_sample: int
    last_boot_samples: int | None
    tick_hz: int
    tick_bits: int
    rate_hz: float
    channels: int
    gyr_scale: float
    acc_scale: float
    mag_scale: float
    gyr_full: int
    acc_full: int
    mag_full: int
    calibration: int
    uid: bytes
    chip: str
    firmware: str
    name: str
    segment: str
    protocol: int = PROTOCOL

    @property
    def acc_range_g(self) -> float:
        """Specific force at the end of the range, in standard gravities."""
        return self.acc_full * self.acc_scale / STANDARD_GRAVITY

    @property
    def gyr_range_deg_s(self) -> float:
        """Angular rate at the end of the range."""
        return degrees(self.gyr_full * self.gyr_scale)


@dataclass(frozen=True, slots=True)
class Data:
    """Consecutive samples: `readings` are count x channels int16, sample after sample."""

    seq: int
    boot_low: int
    flags: Flag
    t0_ticks: int
    period_ticks_q8: int
    count: int
    readings: bytes

    @property
    def channels(self) -> int:
        """Numbers in one sample: 9 with a magnetometer, else 6."""
        return 9 if Flag.MAG in self.flags else 6


@dataclass(frozen=True, slots=True)
class Sync:
    """Answer of a node to `ask_sync`: its ticks when the question was in, when the answer went."""

    nonce: int
    boot_low: int
    received_ticks: int
    sent_ticks: int


@dataclass(frozen=True, slots=True)
class Status:
    """Once a second: how the node fares. `battery_mv` is 0 on mains, temperature in 0.01 degC."""

    next_sample: int
    boot_low: int
    overrun_samples: int
    bad_packets: int
    temperature_cdeg: int
    battery_mv: int


Packet = Hello | Data | Sync | Status


def unpack(body: bytes) -> Packet | None:
    """Read a verified body of a node; None where type, length or content cannot be right."""
    if len(body) < _HEAD.size:
        return None
    kind, flags, seq = _HEAD.unpack_from(body)
    boot_low = flags >> 4
    if kind == PacketType.DATA:
        return _unpack_data(body, seq, boot_low, Flag(flags & 0x07))
    fields = memoryview(body)[_HEAD.size :]
    if kind == PacketType.SYNC and len(fields) == _SYNC.size:
        nonce, received, sent = _SYNC.unpack(fields)
        return Sync(nonce, boot_low, received, sent) if max(received, sent) <= MAX_COUNT else None
    if kind == PacketType.STATUS and len(fields) == _STATUS.size:
        next_sample, *rest = _STATUS.unpack(fields)
        return Status(next_sample, boot_low, *rest) if next_sample <= MAX_COUNT else None
    if kind == PacketType.HELLO and len(fields) >= _HELLO.size:
        # A later minor firmware may append fields; those known here keep their places.
        return _unpack_hello(fields[: _HELLO.size])
    return None


def _unpack_data(body: bytes, seq: int, boot_low: int, flags: Flag) -> Data | None:
    start = _HEAD.size + _DATA.size
    if len(body) < start:
        return None
    t0, period, count = _DATA.unpack_from(body, _HEAD.size)
    size = count * (18 if flags & Flag.MAG else 12)
    if not 1 <= count <= MAX_SAMPLES or period == 0 or len(body) != start + size:
        return None
    if t0 > MAX_COUNT:
        return None
    return Data(seq, boot_low, flags, t0, period, count, body[start:])


def _unpack_hello(fields: memoryview) -> Hello | None:
    (
        protocol, tick_bits, channels, _, tick_hz, rate_mhz, boot, next_sample, last_samples,
        gyr_scale, acc_scale, mag_scale, gyr_full, acc_full, mag_full, calibration, uid,
        *texts,
    ) = _HELLO.unpack(fields)  # fmt: skip
    if channels not in {6, 9} or rate_mhz == 0 or not 16 <= tick_bits <= 64:
        return None
    if not 1000 <= tick_hz <= 1_000_000_000 or next_sample > MAX_COUNT:
        return None
    scales, fulls = (gyr_scale, acc_scale, mag_scale), (gyr_full, acc_full, mag_full)
    if not all(0 < scale < 1 for scale in scales[: channels // 3]) or 0 in fulls[: channels // 3]:
        return None
    chip, firmware, name, segment = (_text(raw) for raw in texts)
    return Hello(
        boot, next_sample, None if last_samples == UNKNOWN_SAMPLES else last_samples,
        tick_hz, tick_bits, rate_mhz / 1000, channels, gyr_scale, acc_scale, mag_scale,
        gyr_full, acc_full, mag_full, calibration, uid, chip, firmware, name, segment, protocol,
    )  # fmt: skip


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode("utf-8", "replace")


def pack_hello(hello: Hello) -> bytes:
    """Encode what a node says of itself, delimiter included. Long texts are cut."""
    last = UNKNOWN_SAMPLES if hello.last_boot_samples is None else hello.last_boot_samples
    fields = _HELLO.pack(
        hello.protocol, hello.tick_bits, hello.channels, 0, hello.tick_hz,
        round(hello.rate_hz * 1000), hello.boot, hello.next_sample, last,
        hello.gyr_scale, hello.acc_scale, hello.mag_scale,
        hello.gyr_full, hello.acc_full, hello.mag_full, hello.calibration, hello.uid,
        *(text.encode() for text in (hello.chip, hello.firmware, hello.name, hello.segment)),
    )  # fmt: skip
    head = _head(PacketType.HELLO, hello.boot, hello.next_sample)
    return encode_packet(head + fields)


def pack_data(
    number: int, boot: int, t0_ticks: int, period_ticks_q8: int, readings: bytes, *, flags: Flag
) -> bytes:
    """Encode consecutive samples; `number` is that of the first of them since boot."""
    count = len(readings) // (18 if flags & Flag.MAG else 12)
    fields = _DATA.pack(t0_ticks, period_ticks_q8, count)
    return encode_packet(_head(PacketType.DATA, boot, number, flags) + fields + readings)


def pack_sync(nonce: int, boot: int, received_ticks: int, sent_ticks: int) -> bytes:
    """Encode a node's answer to `ask_sync`."""
    fields = _SYNC.pack(nonce, received_ticks, sent_ticks)
    return encode_packet(_head(PacketType.SYNC, boot) + fields)


def pack_status(status: Status, boot: int) -> bytes:
    """Encode how a node fares."""
    fields = _STATUS.pack(
        status.next_sample,
        status.overrun_samples,
        status.bad_packets,
        status.temperature_cdeg,
        status.battery_mv,
    )
    return encode_packet(_head(PacketType.STATUS, boot, status.next_sample) + fields)


def _head(kind: PacketType, boot: int = 0, number: int = 0, flags: int = 0) -> bytes:
    return _HEAD.pack(kind, flags | (boot % BOOT_MODULUS) << 4, number & 0xFFFF)


def ask_hello() -> bytes:
    """Ask a node who it is."""
    return encode_packet(_head(PacketType.ASK_HELLO))


def ask_sync(nonce: int) -> bytes:
    """Ask a node for its ticks.

    The question is padded to the length of its answer: on a slow line both then take equally long,
    and the midpoint of the exchange has no bias.
    """
    return encode_packet(_head(PacketType.ASK_SYNC) + _SYNC.pack(nonce, 0, 0))


def ask_blink(duration_s: int) -> bytes:
    """Ask a node to blink, so that a person finds it."""
    return encode_packet(_head(PacketType.BLINK) + bytes([min(duration_s, 255)]))


def ask_assign(segment: str) -> bytes:
    """Ask a node to keep the segment it belongs to, through power cuts; empty forgets it."""
    return encode_packet(_head(PacketType.ASSIGN) + struct.pack("<16s", segment.encode()))


@dataclass(frozen=True, slots=True)
class Question:
    """What a host asks of a node: `nonce` of ASK_SYNC, seconds of BLINK, segment of ASSIGN."""

    kind: PacketType
    number: int = 0
    text: str = ""


def unpack_question(body: bytes) -> Question | None:
    """Read a verified body of the host, as a node does; None where it makes no sense."""
    if len(body) < _HEAD.size:
        return None
    kind, fields = body[0], body[_HEAD.size :]
    if kind == PacketType.ASK_HELLO:
        return Question(PacketType.ASK_HELLO)
    if kind == PacketType.ASK_SYNC and len(fields) == _SYNC.size:
        return Question(PacketType.ASK_SYNC, number=_SYNC.unpack(fields)[0])
    if kind == PacketType.BLINK and len(fields) == 1:
        return Question(PacketType.BLINK, number=fields[0])
    if kind == PacketType.ASSIGN and len(fields) == 16:
        return Question(PacketType.ASSIGN, text=_text(fields))
    return None
