"""The reference firmware's parts that need no hardware, against our own host."""

import importlib.util
import random
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cext import PacketParser, cobs_encode
from cext import encode_packet as encode_here
from sensors.framing import ask_assign, ask_blink, ask_hello
from sensors.node_stream import NodeStream

FILE = Path(__file__).resolve().parent.parent / "docs" / "node" / "main.py"


@pytest.fixture(scope="module")
def firmware():
    spec = importlib.util.spec_from_file_location("reference_firmware", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Board:
    """A board whose counter we turn and whose bytes we keep."""

    def __init__(self, firmware, last_boot_samples=None):
        self.us = 0
        self.sent = []
        self.kept = []
        self.blinks = []
        self.node = firmware.Node(
            lambda: self.us & firmware.TICK_MASK,
            lambda data: self.sent.append((self.us, data)),
            {"boot": 21, "segment": ""},
            b"\x01\x02\x03\x04\x05\xaa\xbb\xcc",
            firmware.UNKNOWN if last_boot_samples is None else last_boot_samples,
            lambda state: self.kept.append(dict(state)),
            self.blinks.append,
        )

    def talk(self, stream):
        """Carry bytes both ways, each taking 100 us."""
        question = stream.questions(self.us * 1000)
        self.us += 100
        self.node.hear(question)
        self.us += 100
        for _, data in self.sent:
            stream.receive(data, self.us * 1000)
        self.sent.clear()


@given(data=st.binary(max_size=1200))
def test_its_cobs_is_ours(firmware, data):
    assert bytes(firmware.cobs_encode(data)) + b"\0" == cobs_encode(data)
    assert bytes(firmware.cobs_decode(firmware.cobs_encode(data))) == data


@given(data=st.binary(min_size=4, max_size=500))
def test_its_packets_are_ours(firmware, data):
    assert firmware.encode_packet(data) == encode_here(data)
    assert firmware.decode_packet(encode_here(data)[:-1]) == data


@given(data=st.binary(max_size=300))
def test_it_survives_any_bytes_of_the_host(firmware, data):
    board = Board(firmware)
    board.node.hear(data)
    board.node.hear(b"\0" + ask_hello())
    assert len(PacketParser().feed(b"".join(packet for _, packet in board.sent))) >= 1


def test_the_host_reads_its_samples_with_their_times(firmware):
    board, stream = Board(firmware), NodeStream()
    dice = random.Random(5)
    true_period_us = 1e6 / 208 * 1.031  # chips are off by per cents
    blocks = []
    first_us = 2**30 - 20_000_000  # the counter wraps after 20 s
    board.us = first_us
    for packet in range(600):
        last = 10 * packet + 9
        edge_us = first_us + last * true_period_us
        board.us = int(edge_us + 300 + 2000 * dice.random())
        board.node.timer.mark(last, (int(edge_us) + dice.randrange(60)) & firmware.TICK_MASK)
        samples = b"".join(struct.pack("<6h", 10 * packet + i, 0, 0, 0, 0, 2049) for i in range(10))
        board.node.samples(samples)
        board.talk(stream)
        board.talk(stream)
        blocks += stream.take()
    numbers = np.concatenate([block.readings[:, 0] for block in blocks])
    assert np.array_equal(np.diff(numbers), np.ones(len(numbers) - 1))
    assert stream.hello.name == "node-aabbcc"
    assert blocks[-1].acc[0, 2] == pytest.approx(9.806, abs=0.01)
    late = [block for block in blocks if block.first_seq > 1500]
    error_us = np.concatenate(
        [b.host_ns / 1000 - first_us - true_period_us * b.readings[:, 0] for b in late]
    )
    assert np.abs(error_us - 30).max() < 250


def test_a_fifo_that_ran_over_is_told(firmware):
    board, stream = Board(firmware), NodeStream()
    board.node.hello()
    board.talk(stream)
    board.node.lose(42)
    board.node.samples(bytes(120))
    board.node.status()
    board.talk(stream)
    assert stream.counters.overrun == stream.counters.lost == 42


def test_it_keeps_its_segment_and_tells_its_former_samples(firmware):
    board, stream = Board(firmware, last_boot_samples=777), NodeStream()
    board.node.hear(ask_assign("left_shank") + ask_blink(3))
    board.talk(stream)
    assert board.kept == [{"boot": 21, "segment": "left_shank"}]
    assert board.blinks == [3]
    assert stream.hello.segment == "left_shank"
    assert stream.hello.last_boot_samples == 777


def fifo_word(tag, slot, *values):
    return struct.pack("<B3h", tag << 3 | slot << 1, *values)


@pytest.mark.parametrize("gyr_first", [True, False])
def test_fifo_words_of_one_slot_become_a_sample_in_either_order(firmware, gyr_first):
    words = []
    for slot in range(3):
        pair = [fifo_word(1, slot, 1, 2, slot), fifo_word(2, slot, 4, 5, slot)]
        words += pair if gyr_first else pair[::-1]
    samples, rest = firmware.pairs(b"".join(words))
    read = np.frombuffer(bytes(samples), "<i2").reshape(-1, 6)
    assert read.tolist() == [[1, 2, slot, 4, 5, slot] for slot in range(3)]
    assert rest == b""


def test_a_lonely_word_waits_and_words_of_an_awakening_chip_are_left_out(firmware):
    awakening = [fifo_word(2, slot, 9, 9, 9) for slot in range(3)]
    gyr, acc = fifo_word(1, 3, 1, 2, 3), fifo_word(2, 3, 4, 5, 6)
    samples, rest = firmware.pairs(b"".join([*awakening, gyr]))
    assert samples == b""
    samples, rest = firmware.pairs(bytes(rest) + acc)
    assert struct.unpack("<6h", samples) == (1, 2, 3, 4, 5, 6)
    assert rest == b""
