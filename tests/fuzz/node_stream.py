"""The host's side of the node protocol.

Half of the inputs are bytes of a line, the other half bodies that get a right checksum, so that the
fuzzer reaches what lies behind it. What must hold: nothing raises, every sample handed on was in a
packet with a right checksum, and no sample number is handed on twice.
"""

import sys

import atheris

with atheris.instrument_imports(include=["sensors"]):
    from sensors.framing import Hello, pack_hello, pack_sync, unpack_question
    from sensors.node_stream import NodeStream

from cext import encode_packet

HELLO = pack_hello(
    Hello(
        boot=1,
        next_sample=0,
        last_boot_samples=None,
        tick_hz=1_000_000,
        tick_bits=32,
        rate_hz=200.0,
        channels=9,
        gyr_scale=0.001,
        acc_scale=0.005,
        mag_scale=0.15,
        gyr_full=32767,
        acc_full=32767,
        mag_full=32767,
        calibration=0,
        uid=b"fuzzfuzz",
        chip="none",
        firmware="none",
        name="n",
        segment="",
    )
)


def ready_stream():
    """A stream that knows its node, and whose clock has had its exchanges."""
    stream = NodeStream()
    stream.receive(HELLO, 0)
    for turn in range(1, 12):
        now_ns = turn * 40_000_000
        if stream.questions(now_ns):
            ticks = now_ns // 1000
            stream.receive(pack_sync(turn, 1, ticks, ticks), now_ns + 100_000)
    return stream


def one_input(data):
    stream = ready_stream()
    fuzzed = atheris.FuzzedDataProvider(data)
    now_ns = 500_000_000
    expected = {}
    while fuzzed.remaining_bytes() > 4:
        piece = fuzzed.ConsumeBytes(fuzzed.ConsumeIntInRange(1, 80))
        now_ns += fuzzed.ConsumeIntInRange(0, 2_000_000_000)
        unpack_question(piece)
        stream.receive(encode_packet(piece) if fuzzed.ConsumeBool() and piece else piece, now_ns)
        stream.questions(now_ns)
        for block in stream.take():
            assert block.first_seq >= expected.get(block.epoch, 0)
            expected[block.epoch] = block.first_seq + len(block)
    assert stream.counters.lost >= 0


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
