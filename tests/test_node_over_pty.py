"""Virtual nodes behind pseudo-terminals, read by the driver through pyserial."""

import time

import numpy as np

from sensors.drivers.node import NodeDriver
from sensors.virtual.crystal import Crystal
from sensors.virtual.faults import Unplug
from sensors.virtual.node import VirtualNode, VirtualNodes
from sensors.virtual.sampler import Board

G = 9.80665


def swinging(time_s):
    """A signal whose samples tell their own true time: gyr x is a slow sine of it."""
    gyr = np.zeros((len(time_s), 3))
    gyr[:, 0] = np.sin(2 * np.pi * time_s / 40)
    return gyr, np.tile([0.0, 0.0, G], (len(time_s), 1)), None


def read_for(driver, duration_s):
    blocks = []
    end = time.monotonic() + duration_s
    while time.monotonic() < end:
        blocks += driver.read(0.05)
    return blocks


def test_a_node_is_read_without_a_loss_and_in_si_units():
    node = VirtualNode("left_foot", swinging, segment="left_foot")
    with VirtualNodes([node]) as nodes:
        driver = NodeDriver(node.port)
        blocks = read_for(driver, 2.0)
        driver.close()
    first, last = blocks[0], blocks[-1]
    samples = sum(len(block) for block in blocks)
    assert samples == last.first_seq + len(last) - first.first_seq
    assert samples > 300
    assert driver.counters.lost == 0
    assert driver.rejected <= 1  # the packet that the opening of the port cut
    assert driver.info.segment == "left_foot"
    assert {block.sensor for block in blocks} == {"left_foot"}
    acc = np.concatenate([block.acc for block in blocks])
    assert np.allclose(acc, [0, 0, G], atol=0.005)
    true_s = (last.host_ns - nodes.start_ns) * 1e-9
    assert np.allclose(last.gyr[:, 0], np.sin(2 * np.pi * true_s / 40), atol=0.002)


def test_five_nodes_at_sixty_times_the_speed_lose_nothing():
    begin = time.monotonic_ns()

    def now_ns():
        return begin + 60 * (time.monotonic_ns() - begin)

    board = Board(crystal=Crystal(35.0, 2.0))
    virtual = [VirtualNode(f"node{i}", swinging, board=board) for i in range(5)]
    with VirtualNodes(virtual, now_ns=now_ns, speed=60):
        drivers = [NodeDriver(node.port, now_ns=now_ns) for node in virtual]
        blocks = [[] for _ in drivers]
        end = time.monotonic() + 2.0
        while time.monotonic() < end:
            for taken, driver in zip(blocks, drivers, strict=True):
                taken.extend(driver.read(0.01))
        for driver in drivers:
            driver.close()
    assert [driver.counters.lost for driver in drivers] == [0] * 5
    for taken in blocks:
        assert [b.first_seq for b in taken[1:]] == [a.first_seq + len(a) for a in taken[:-1]]
        assert sum(len(block) for block in taken) > 10_000


def test_a_node_pulled_and_plugged_again_is_found_and_its_losses_are_exact():
    node = VirtualNode("pelvis", swinging, faults=[Unplug(every_s=1.5, for_s=0.5)])
    with VirtualNodes([node]):
        driver = NodeDriver(node.port)
        blocks = read_for(driver, 2.6)
        driver.close()
    assert driver.link.reopened >= 1
    assert {block.epoch for block in blocks} == {0}
    handed_on = blocks[-1].first_seq + len(blocks[-1]) - blocks[0].first_seq
    assert driver.counters.lost > 50
    assert sum(len(b) for b in blocks) + driver.counters.lost == handed_on


def test_a_node_keeps_its_segment_and_blinks():
    node = VirtualNode("n1", swinging)
    with VirtualNodes([node]):
        driver = NodeDriver(node.port)
        read_for(driver, 0.5)
        driver.assign("right_shank")
        driver.blink()
        read_for(driver, 0.3)
        driver.close()
    assert driver.info.segment == "right_shank"
    assert node.firmware.blinks == 1


def test_a_port_that_does_not_exist_is_waited_for_and_named(tmp_path):
    driver = NodeDriver(str(tmp_path / "nothing"))
    assert driver.read(0.3) == []
    assert driver.link.state == "lost"
    assert "nothing" in driver.link.reason
    driver.close()


def test_a_node_that_restarts_begins_an_epoch_and_what_was_lost_is_known():
    node = VirtualNode("left_shank", swinging)
    with VirtualNodes([node]) as nodes:
        driver = NodeDriver(node.port)
        before = read_for(driver, 0.9)
        nodes.reboot("left_shank")
        after = read_for(driver, 1.2)
        driver.close()
    after = [block for block in after if block.epoch == 1]
    assert {block.epoch for block in before} == {0}
    assert after[0].first_seq == 0
    assert driver.info.boot == 2
    # Samples that had not been sent when it restarted: fewer than one packet holds.
    assert driver.counters.lost < 10
    assert driver.counters.unknown_tails == 0
    assert driver.link.reopened == 0


def test_who_comes_to_read_late_finds_everything():
    begin = time.monotonic_ns()

    def now_ns():
        return begin + 30 * (time.monotonic_ns() - begin)

    node = VirtualNode("left_foot", swinging)
    with VirtualNodes([node], now_ns=now_ns, speed=30):
        driver = NodeDriver(node.port, now_ns=now_ns)
        blocks = []
        for pause_s in (0.2, 0.2, 0.2, 2.0, 0.1):
            # More comes in two seconds than a terminal keeps.
            time.sleep(pause_s)
            blocks += driver.read(0.0)
        driver.close()
    samples = sum(len(block) for block in blocks)
    assert samples == blocks[-1].first_seq + len(blocks[-1]) - blocks[0].first_seq
    assert samples > 30 * 200 * 2.0
    assert driver.counters.lost == 0
