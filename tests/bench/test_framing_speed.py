"""Bytes a second through the packet parser, whole and with every tenth packet damaged.

python -m pytest tests/bench/test_framing_speed.py --benchmark-only
"""

from __future__ import annotations

import random

import numpy as np
import pytest

from cext import PacketParser, encode_packet
from sensors.framing import Flag, pack_data
from sensors.node_stream import NodeStream
from sensors.virtual.firmware import Firmware

pytestmark = pytest.mark.bench

PACKETS = 20_000
READ_SIZE = 256  # what a read of a serial port gives, about


@pytest.fixture(scope="module", params=["whole", "damaged"])
def line(request):
    """Packets of ten samples of nine axes."""
    dice = random.Random(1)
    packets = [
        bytearray(pack_data(10 * i, 1, 50_000 * i, 1_280_000, dice.randbytes(180), flags=Flag.MAG))
        for i in range(PACKETS)
    ]
    if request.param == "damaged":
        for packet in packets[::10]:
            packet[dice.randrange(len(packet))] ^= 0x10
    return b"".join(packets)


def portions(line):
    return [line[at : at + READ_SIZE] for at in range(0, len(line), READ_SIZE)]


@pytest.mark.benchmark(group="packet parser")
def test_packet_parser(benchmark, line):
    """30 MB/s on one core are asked; five nodes at 400 Hz send 0.04 MB/s."""
    reads = portions(line)

    def parse():
        parser = PacketParser()
        return sum(len(parser.feed(read)) for read in reads)

    assert benchmark(parse) >= 0.8 * PACKETS
    benchmark.extra_info["MB_per_s"] = len(line) / benchmark.stats["median"] / 1e6
    assert benchmark.extra_info["MB_per_s"] > 30


@pytest.mark.benchmark(group="packet parser")
def test_packet_encoder(benchmark):
    """What a virtual node does for each packet."""
    body = random.Random(2).randbytes(201)
    benchmark(encode_packet, body)


def still(time_s):
    """A sensor that feels nothing."""
    return np.zeros((len(time_s), 3)), np.zeros((len(time_s), 3)), np.zeros((len(time_s), 3))


@pytest.mark.benchmark(group="node stream")
def test_bytes_to_numbered_samples(benchmark, line):
    """Packets read, checked against the ticks, numbered and put into runs."""
    reads = portions(line[: len(line) // 10])
    hello = Firmware("n", still).work(0)[0].packet

    def read_all():
        stream = NodeStream()
        stream.receive(hello, 0)
        for moment, read in enumerate(reads):
            stream.receive(read, moment * 50_000_000)
        return stream.parser.packets

    assert benchmark(read_all) > 0.8 * PACKETS / 10
