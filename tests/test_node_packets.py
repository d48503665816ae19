"""Packets of the node protocol: read as they were packed; no bytes can make the host raise."""

import math
import re
import struct
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from cext import PacketParser, cobs_decode, encode_packet
from sensors.framing import (
    Data,
    Flag,
    Hello,
    PacketType,
    Question,
    Status,
    Sync,
    ask_assign,
    ask_blink,
    ask_hello,
    ask_sync,
    pack_data,
    pack_hello,
    pack_status,
    pack_sync,
    unpack,
    unpack_question,
)
from sensors.node_stream import NodeStream

PAGE = Path(__file__).resolve().parent.parent / "docs" / "protocol.md"
HELLO = Hello(
    boot=3,
    next_sample=70_000,
    last_boot_samples=None,
    tick_hz=1_000_000,
    tick_bits=30,
    rate_hz=208.5,
    channels=9,
    gyr_scale=0.00106526439,
    acc_scale=0.00478840316,
    mag_scale=0.15,
    gyr_full=32767,
    acc_full=32767,
    mag_full=32752,
    calibration=0xDEADBEEF,
    uid=b"\x01\x02\x03\x04\x05\x06\x07\x08",
    chip="LSM6DSOX",
    firmware="mp 1",
    name="ev-0304",
    segment="left_foot",
)


def body_of(packet):
    (body,) = PacketParser().feed(packet)
    return body


def test_hello_comes_back_with_scales_to_a_single_float():
    read = unpack(body_of(pack_hello(HELLO)))
    assert math.isclose(read.gyr_scale, HELLO.gyr_scale, rel_tol=1e-7)
    same = ("boot", "next_sample", "last_boot_samples", "tick_bits", "rate_hz", "uid", "segment")
    assert all(getattr(read, field) == getattr(HELLO, field) for field in same)
    assert read.protocol == 1


def test_a_longer_hello_of_later_firmware_is_read():
    body = body_of(pack_hello(HELLO)) + b"more"
    assert unpack(body).name == "ev-0304"


def test_data_comes_back():
    readings = struct.pack("<18h", *range(18))
    read = unpack(body_of(pack_data(70_000, 3, 55, 256, readings, flags=Flag.MAG | Flag.OVERRUN)))
    assert read == Data(70_000 & 0xFFFF, 3, Flag.MAG | Flag.OVERRUN, 55, 256, 2, readings)
    assert read.channels == 9


def test_sync_and_status_come_back():
    assert unpack(body_of(pack_sync(9, 17, 5, 6))) == Sync(9, 1, 5, 6)
    status = Status(70_000, 2, 4, 5, -1250, 3700)
    assert unpack(body_of(pack_status(status, 18))) == status


def test_a_node_reads_what_the_host_asks():
    asked = [ask_hello(), ask_sync(8), ask_blink(4), ask_assign("pelvis")]
    assert [unpack_question(body_of(packet)) for packet in asked] == [
        Question(PacketType.ASK_HELLO),
        Question(PacketType.ASK_SYNC, number=8),
        Question(PacketType.BLINK, number=4),
        Question(PacketType.ASSIGN, text="pelvis"),
    ]


def test_question_and_answer_of_a_clock_exchange_are_equally_long():
    assert len(ask_sync(1)) == len(pack_sync(1, 0, 1, 2))


def test_hello_without_sense_is_refused():
    body = bytearray(body_of(pack_hello(HELLO)))
    for offset, value in ((5, 99), (6, 7), (8, 0), (48, 0)):
        broken = bytearray(body)
        broken[offset : offset + 2] = bytes([value, 0])
        assert unpack(bytes(broken)) is None or offset == 8


HEADS = st.sampled_from([1, 2, 3, 4, 0x81, 0x83, 0x85, 0x86, 0x55])
BODIES = st.builds(lambda kind, rest: bytes([kind]) + rest, HEADS, st.binary(max_size=300))


@given(st.lists(BODIES, max_size=20))
def test_bodies_with_a_right_checksum_and_any_content_never_raise(bodies):
    stream = NodeStream()
    stream.receive(pack_hello(HELLO), 0)
    for moment, body in enumerate(bodies):
        unpack_question(body)
        stream.questions(moment * 10_000_000)
        stream.receive(encode_packet(body), moment * 10_000_000 + 1)
        stream.take()


FIELDS = st.tuples(
    st.integers(0, 65535), st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1), st.integers(0, 40)
)


@given(st.lists(FIELDS, max_size=30))
def test_data_with_any_numbers_never_raises_and_stays_accounted_for(packets):
    stream = NodeStream()
    stream.receive(pack_hello(HELLO), 0)
    for moment, (seq, t0, period, count) in enumerate(packets):
        nonce = struct.unpack_from("<I", cobs_decode(ask_sync(moment + 1)[:-1]), 4)[0]
        stream.questions(moment * 2_000_000_000)
        stream.receive(pack_sync(nonce, 3, t0 & 0xFFFF, t0 & 0xFFFF), moment * 2_000_000_000 + 5)
        head = struct.pack("<BBHQIB", 2, 3 << 4, seq, t0, period, count)
        stream.receive(encode_packet(head + bytes(12 * count)), moment * 2_000_000_000 + 9)
    handed_on = sum(len(block) for block in stream.take())
    assert handed_on == stream.counters.received


@given(st.binary(max_size=4000))
def test_any_bytes_never_raise(data):
    stream = NodeStream()
    stream.receive(data, 0)
    assert stream.take() == []


def test_the_examples_of_the_protocol_page_are_true():
    examples = re.findall(r"```\nbody +(.+)\npacket (.+)\n```", PAGE.read_text())
    assert len(examples) == 5
    for body, packet in examples:
        assert encode_packet(bytes.fromhex(body)) == bytes.fromhex(packet)
    assert unpack(bytes.fromhex(examples[3][0])).count == 2
    assert unpack(bytes.fromhex(examples[4][0])).temperature_cdeg == 3125


def test_the_hello_table_of_the_page_gives_the_offsets_that_are_packed():
    page = PAGE.read_text()
    table = page[page.index("### HELLO") : page.index("### DATA")]
    offsets = [int(offset) for offset in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)]
    body = body_of(pack_hello(HELLO))
    assert offsets[-1] + 16 == len(body) == 122
    assert body[offsets[-1] :].rstrip(b"\0") == b"left_foot"
    assert body[offsets[-2] : offsets[-1]].rstrip(b"\0") == b"ev-0304"
    assert struct.unpack_from("<Q", body, 20) == (70_000,)
    assert struct.unpack_from("<H", body, 52) == (32_752,)
