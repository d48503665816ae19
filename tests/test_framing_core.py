"""COBS, CRC-32 and the packet parser against slow truth, odd splits and broken bytes."""

import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cext import PacketParser, cobs_decode, cobs_encode, crc32, encode_packet

BODIES = st.lists(st.binary(min_size=1, max_size=600), min_size=1, max_size=6)


def cobs_by_the_book(data: bytes) -> bytes:
    """Cheshire and Baker's rule, written piece by piece for reading."""
    encoded = bytearray()
    for piece in data.split(b"\0"):
        rest = piece
        while len(rest) >= 254:
            encoded += b"\xff" + rest[:254]
            rest = rest[254:]
        encoded += bytes([len(rest) + 1]) + rest
    return bytes(encoded)


@given(st.binary(max_size=3000))
def test_crc32_equals_zlib(data):
    assert crc32(data) == zlib.crc32(data)


@given(st.binary(max_size=3000))
def test_cobs_gives_the_data_back_and_holds_no_zero_but_the_delimiter(data):
    encoded = cobs_encode(data)
    assert encoded.count(0) == 1
    assert encoded[-1] == 0
    assert cobs_decode(encoded[:-1]) == data


@given(st.lists(st.sampled_from([0, 1, 254, 255]), max_size=1200).map(bytes))
def test_cobs_decoder_reads_what_the_book_encodes(data):
    assert cobs_decode(cobs_by_the_book(data)) == data


@pytest.mark.parametrize("length", [253, 254, 255, 508, 509, 1020])
@pytest.mark.parametrize("fill", [b"\x00", b"\x07"])
def test_cobs_holds_at_the_borders_of_a_run(length, fill):
    data = fill * length
    assert cobs_decode(cobs_encode(data)[:-1]) == data


def test_a_run_past_the_end_is_refused():
    assert cobs_decode(b"\x05ab") is None
    assert cobs_decode(b"") is None


@given(BODIES, st.lists(st.integers(1, 40), min_size=1, max_size=50))
def test_any_split_of_the_line_gives_the_same_packets(bodies, portions):
    line = b"".join(encode_packet(body) for body in bodies)
    parser = PacketParser()
    received = []
    position = 0
    turn = 0
    while position < len(line):
        step = portions[turn % len(portions)]
        received += parser.feed(line[position : position + step])
        position += step
        turn += 1
    assert received == bodies
    assert parser.rejected == 0


@given(BODIES, st.binary(max_size=200))
def test_garbage_costs_at_most_the_packet_it_touches(bodies, garbage):
    parser = PacketParser()
    parser.feed(garbage)
    received = parser.feed(b"".join(encode_packet(body) for body in bodies))
    assert received[-(len(bodies) - 1) :] == bodies[1:] or len(bodies) == 1
    assert len(received) >= len(bodies) - 1


def test_a_line_without_delimiters_is_bounded_and_counted():
    parser = PacketParser()
    for _ in range(1000):
        assert parser.feed(b"\x55" * 1000) == []
    assert parser.feed(b"\0" + encode_packet(b"still here")) == [b"still here"]
    assert parser.too_long == 1


@pytest.mark.parametrize("length", [0, 1025])
def test_a_body_outside_the_limits_cannot_be_sent(length):
    with pytest.raises(ValueError, match="1 to 1024"):
        encode_packet(bytes(length))


def test_the_longest_body_passes():
    body = bytes(range(256)) * 4
    assert PacketParser().feed(encode_packet(body)) == [body]


def damage(line: bytearray, dice: random.Random) -> None:
    """One fault in place: flipped bits, bytes cut out, or a stretch spliced in from elsewhere."""
    at = dice.randrange(len(line) - 300)
    kind = dice.randrange(3)
    if kind == 0:
        for _ in range(dice.randrange(1, 9)):
            line[at + dice.randrange(200)] ^= 1 << dice.randrange(8)
    elif kind == 1:
        del line[at : at + dice.randrange(1, 200)]
    else:
        source = dice.randrange(len(line) - 300)
        line[at:at] = line[source : source + dice.randrange(1, 200)]


def test_ten_million_corrupted_bytes_bring_no_false_packet():
    dice = random.Random(20261122)
    sent = [number.to_bytes(4, "little") + dice.randbytes(200) for number in range(4000)]
    genuine = set(sent)
    clean = b"".join(encode_packet(body) for body in sent)
    total = 0
    while total < 10_000_000:
        line = bytearray(clean)
        for _ in range(2000):
            damage(line, dice)
        total += len(line)
        parser = PacketParser()
        received = parser.feed(line)
        assert genuine.issuperset(received)
        # 2000 faults in 4000 packets: a fault costs the one or two packets that it touches.
        assert len(received) > 1000
        assert parser.bytes_received == len(line)


def test_two_packets_after_any_fault_the_line_is_read_again():
    dice = random.Random(7)
    for _ in range(3000):
        bodies = [dice.randbytes(dice.randrange(1, 250)) for _ in range(6)]
        line = [encode_packet(body) for body in bodies]
        broken = bytearray(line[2])
        broken[dice.randrange(len(broken))] ^= 1 << dice.randrange(8)
        received = PacketParser().feed(b"".join([*line[:2], broken, *line[3:]]))
        assert received[-2:] == bodies[4:]
        assert received[:2] == bodies[:2]
