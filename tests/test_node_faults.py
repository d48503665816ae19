"""Faults between a node and the host: what was received and what was lost make what was sent."""

import numpy as np
import pytest

from sensors.node_stream import NodeStream
from sensors.virtual.crystal import Crystal
from sensors.virtual.faults import (
    Corrupt,
    Drop,
    Duplicate,
    Overrun,
    Reboot,
    Reorder,
    Stall,
    Tear,
    Unplug,
)
from sensors.virtual.firmware import Firmware
from sensors.virtual.line import UART
from sensors.virtual.rehearsal import rehearse
from sensors.virtual.sampler import Board
from sensors.virtual.wire import Wire

SECOND = 1_000_000_000
WRAPS_IN_A_MINUTE = Board(tick_bits=32, first_ticks=2**32 - 60_000_000)
ONE_BY_ONE = {
    "none": ([], Board()),
    "drop": ([Drop(0.02)], Board()),
    "duplicate": ([Duplicate(0.02)], Board()),
    "corrupt": ([Corrupt(0.02)], Board()),
    "tear": ([Tear(0.02)], Board()),
    "reorder": ([Reorder(0.02)], Board()),
    "stall": ([Stall(every_s=20, for_s=0.6)], Board()),
    "unplug": ([Unplug(every_s=90, for_s=17)], Board()),
    "reboot": ([Reboot(every_s=50.003)], Board()),
    "overrun": ([Overrun(every_s=20, samples=37)], Board()),
    "32-bit wrap": ([Drop(0.01)], WRAPS_IN_A_MINUTE),
    "30-bit wrap": ([Reorder(0.01)], Board(tick_bits=30)),
    "200 ppm": ([Drop(0.01)], Board(crystal=Crystal(drift_ppm=200.0))),
}
ALL_AT_ONCE = [
    Drop(0.01, 1),
    Duplicate(0.01, 2),
    Corrupt(0.01, 3),
    Tear(0.01, 4),
    Reorder(0.01, 5),
    Stall(every_s=31, for_s=0.6),
    Unplug(every_s=400, for_s=23),
    Reboot(every_s=173.1),
    Overrun(every_s=47, samples=13),
]


def numbered(time_s):
    """Each sample of the first boot tells its number in the first reading, modulo 20 000."""
    gyr = np.zeros((len(time_s), 3))
    gyr[:, 0] = (np.rint(time_s * 200 - 1) % 20_000) * Board().scales[0]
    return gyr, np.tile([0.0, 0.0, 9.80665], (len(time_s), 1)), None


def run(faults, board, duration_s):
    """Run a node with faults, then ask it once more on a clean line; return all that is known."""
    firmware = Firmware("n", numbered, board=board, until_s=duration_s)
    wire = Wire(firmware, model=UART, faults=faults)
    stream = NodeStream()
    end_ns = round(duration_s * SECOND) + SECOND // 2
    blocks = list(rehearse(wire, stream, until_ns=end_ns))
    # What was still open at the end is told by the next HELLO.
    wire.faults = ()
    stream.reopened()
    blocks += rehearse(wire, stream, from_ns=end_ns, until_ns=end_ns + 2 * SECOND)
    return firmware, stream, blocks


def gaps(blocks):
    """Samples missing between the blocks, each epoch begun at its first sample."""
    expected = {}
    missing = 0
    for block in blocks:
        missing += block.first_seq - expected.get(block.epoch, 0)
        expected[block.epoch] = block.first_seq + len(block)
    return missing


@pytest.mark.parametrize("fault", ONE_BY_ONE)
def test_received_and_lost_make_what_was_sent(fault):
    faults, board = ONE_BY_ONE[fault]
    firmware, stream, blocks = run(faults, board, 150)
    assert stream.counters.received == sum(len(block) for block in blocks)
    assert stream.counters.received + stream.counters.lost == firmware.sent
    assert gaps(blocks) <= stream.counters.lost
    assert stream.counters.lost < 0.25 * firmware.sent


def test_an_hour_of_all_faults_at_once_is_accounted_for_to_the_sample():
    board = Board(tick_bits=32, first_ticks=2**32 - 60_000_000, crystal=Crystal(200.0, 2.0))
    firmware, stream, blocks = run(ALL_AT_ONCE, board, 3600)
    assert stream.counters.received == sum(len(block) for block in blocks)
    assert stream.counters.received + stream.counters.lost == firmware.sent
    assert firmware.boot == 21
    assert blocks[-1].epoch == 20
    assert all((np.diff(block.ticks) > 0).all() for block in blocks)


@pytest.mark.parametrize("fault", ["drop", "corrupt", "tear", "reorder", "duplicate", "unplug"])
def test_nothing_is_filled_in_and_no_sample_bears_a_wrong_number(fault):
    faults, board = ONE_BY_ONE[fault]
    _, _, blocks = run(faults, board, 100)
    for block in blocks:
        numbers = block.first_seq + np.arange(len(block))
        assert np.array_equal(block.readings[:, 0], numbers % 20_000)


def test_an_outage_of_more_samples_than_sixteen_bits_hold_keeps_its_count():
    firmware, stream, blocks = run([Unplug(every_s=450, for_s=400)], WRAPS_IN_A_MINUTE, 480)
    assert stream.counters.received + stream.counters.lost == firmware.sent
    assert gaps(blocks) > 65_536


def test_a_node_that_forgets_its_count_leaves_a_tail_of_unknown_length_and_says_so():
    _, stream, _ = run([Reboot(every_s=30.003)], Board(remembers=False), 70)
    assert stream.counters.unknown_tails == 2


def test_samples_lost_inside_the_node_are_told_apart():
    _, stream, _ = run([Overrun(every_s=20, samples=37)], Board(), 70)
    assert stream.counters.overrun == 3 * 37
    assert stream.counters.lost == 3 * 37


def test_another_node_on_the_same_line_begins_an_epoch_without_losses():
    stream = NodeStream()
    for name in ("first", "second"):
        wire = Wire(Firmware(name, numbered), model=UART)
        begun = 0 if name == "first" else 10 * SECOND
        blocks = list(rehearse(wire, stream, from_ns=begun, until_ns=begun + 5 * SECOND))
        stream.reopened()
    assert {block.epoch for block in blocks} == {1}
    assert stream.counters.lost == 0
    assert blocks[0].sensor == "second"
