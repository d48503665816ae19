"""The reference firmware's parts that need no hardware, against our own host.

Each test runs under this Python and under MicroPython, where there is one: the file is the same,
and so is the little bench around it.
"""

import ast
import os
import random
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cext import PacketParser, cobs_encode
from cext import encode_packet as encode_here
from sensors.framing import ask_assign, ask_blink, ask_hello
from sensors.node_stream import NodeStream

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "node"
BENCH = f"""
import sys
sys.path.insert(0, {str(FOLDER)!r})
import main

us, sent, kept, blinks, node = 0, [], [], [], None

def ticks():
    return us & main.TICK_MASK

def board(former):
    global node
    for old in (sent, kept, blinks):
        old.clear()
    uid = bytes([1, 2, 3, 4, 5, 0xAA, 0xBB, 0xCC])
    state = {{"boot": 21, "segment": ""}}
    keep = lambda state: kept.append(dict(state))
    node = main.Node(ticks, sent.append, state, uid, former, keep, blinks.append)

def packets(at_us):
    global us
    us = at_us
    taken = sent[:]
    sent.clear()
    return taken
"""
LOOP = """
while True:
    line = sys.stdin.readline()
    if not line:
        break
    print(repr(eval(line, globals())))
"""
MICROPYTHON = shutil.which(
    "micropython", path=f"{os.environ['PATH']}{os.pathsep}{Path(sys.executable).parent}"
)


class Python:
    """The firmware in this interpreter."""

    def __init__(self, _folder):
        self._names = {}
        exec(BENCH, self._names)
        sys.path.remove(str(FOLDER))
        del sys.modules["main"]

    def ask(self, expression):
        return eval(expression, self._names)

    def close(self):
        pass


class MicroPython:
    """The firmware in MicroPython's Unix port."""

    def __init__(self, folder):
        if MICROPYTHON is None:
            pytest.skip("no micropython: sudo apt-get install micropython, or make micropython")
        program = folder / "bench.py"
        program.write_text(BENCH + LOOP)
        self._process = subprocess.Popen(
            [MICROPYTHON, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, expression):
        self._process.stdin.write(expression + "\n")
        self._process.stdin.flush()
        return ast.literal_eval(self._process.stdout.readline())

    def close(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@pytest.fixture(scope="module", params=[Python, MicroPython])
def firmware(request, tmp_path_factory):
    running = request.param(tmp_path_factory.mktemp("firmware"))
    yield running
    running.close()


class Board:
    """A board whose counter we turn and whose packets we carry."""

    def __init__(self, firmware, former=0xFFFF_FFFF_FFFF_FFFF):
        self.us = 0
        self.firmware = firmware
        firmware.ask(f"board({former})")

    def do(self, call):
        """Call something of the node."""
        return self.firmware.ask(f"node.{call}")

    def packets(self):
        """What it has sent; its counter then stands at `us`."""
        return self.firmware.ask(f"packets({self.us})")

    def talk(self, stream):
        """Carry bytes both ways, each taking 100 us."""
        question = stream.questions(self.us * 1000)
        self.us += 100
        before = self.packets()
        self.do(f"hear({question!r})")
        self.us += 100
        for data in before + self.packets():
            stream.receive(data, self.us * 1000)


@given(data=st.binary(max_size=1200))
def test_its_cobs_is_ours(firmware, data):
    encoded = firmware.ask(f"bytes(main.cobs_encode({data!r}))")
    assert encoded + b"\0" == cobs_encode(data)
    assert firmware.ask(f"bytes(main.cobs_decode({encoded!r}))") == data


@given(data=st.binary(min_size=4, max_size=500))
def test_its_packets_are_ours(firmware, data):
    packet = firmware.ask(f"main.encode_packet({data!r})")
    assert packet == encode_here(data)
    assert firmware.ask(f"main.decode_packet({packet[:-1]!r})") == data


@given(data=st.binary(max_size=300))
def test_it_survives_any_bytes_of_the_host(firmware, data):
    board = Board(firmware)
    board.do(f"hear({data!r})")
    board.do(f"hear({bytes(1) + ask_hello()!r})")
    assert len(PacketParser().feed(b"".join(board.packets()))) >= 1


def test_the_host_reads_its_samples_with_their_times(firmware):
    board, stream = Board(firmware), NodeStream()
    dice = random.Random(5)
    true_period_us = 1e6 / 208 * 1.031  # chips are off by per cents
    blocks = []
    first_us = 2**30 - 20_000_000  # the counter wraps after 20 s
    for packet in range(600):
        last = 10 * packet + 9
        edge_us = first_us + last * true_period_us
        board.us = int(edge_us + 300 + 2000 * dice.random())
        edge = (int(edge_us) + dice.randrange(60)) % 2**30
        board.do(f"timer.mark({last}, {edge})")
        samples = b"".join(struct.pack("<6h", 10 * packet + i, 0, 0, 0, 0, 2049) for i in range(10))
        board.do(f"samples({samples!r})")
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
    board.do("hello()")
    board.talk(stream)
    board.do("lose(42)")
    board.do(f"samples({bytes(120)!r})")
    board.do("status()")
    board.talk(stream)
    assert stream.counters.overrun == stream.counters.lost == 42


def test_how_many_a_full_fifo_has_lost_is_told_by_the_clock(firmware):
    board = Board(firmware)
    for number in range(0, 2000, 10):
        board.do(f"timer.mark({number}, {round(number * 4800) % 2**30})")
    assert board.do(f"timer.passed(1990, {(1990 + 777) * 4800 + 2400})") == 777


def test_it_keeps_its_segment_and_tells_its_former_samples(firmware):
    board, stream = Board(firmware, former=777), NodeStream()
    board.do(f"hear({ask_assign('left_shank') + ask_blink(3)!r})")
    board.talk(stream)
    assert firmware.ask("kept") == [{"boot": 21, "segment": "left_shank"}]
    assert firmware.ask("blinks") == [3]
    assert stream.hello.segment == "left_shank"
    assert stream.hello.last_boot_samples == 777


def fifo_word(tag, slot, *values):
    return struct.pack("<B3h", tag << 3 | slot << 1, *values)


def pairs(firmware, words):
    samples, rest = firmware.ask(f"tuple(map(bytes, main.pairs({b''.join(words)!r})))")
    return np.frombuffer(samples, "<i2").reshape(-1, 6).tolist(), rest


@pytest.mark.parametrize("gyr_first", [True, False])
def test_fifo_words_of_one_slot_become_a_sample_in_either_order(firmware, gyr_first):
    words = []
    for slot in range(3):
        pair = [fifo_word(1, slot, 1, 2, slot), fifo_word(2, slot, 4, 5, slot)]
        words += pair if gyr_first else pair[::-1]
    samples, rest = pairs(firmware, words)
    assert samples == [[1, 2, slot, 4, 5, slot] for slot in range(3)]
    assert rest == b""


def test_a_lonely_word_waits_and_words_of_an_awakening_chip_are_left_out(firmware):
    awakening = [fifo_word(2, slot, 9, 9, 9) for slot in range(3)]
    gyr, acc = fifo_word(1, 3, 1, 2, 3), fifo_word(2, 3, 4, 5, 6)
    samples, rest = pairs(firmware, [*awakening, gyr])
    assert samples == []
    assert pairs(firmware, [rest, acc]) == ([[1, 2, 3, 4, 5, 6]], b"")
