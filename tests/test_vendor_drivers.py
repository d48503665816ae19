"""Sensors of other makers: their bytes, their gaps, their times; and a viewer for ours."""

import itertools
import json
import socket
import struct
import time
from dataclasses import replace
from math import radians

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.drivers.adafruit import AdafruitChip
from sensors.drivers.catalog import open_driver
from sensors.drivers.i2c_sensor import I2cSensor
from sensors.drivers.mti import MtiDecoder
from sensors.drivers.vendor import VendorDriver, VendorStream
from sensors.drivers.witmotion import WitMotionDecoder
from sensors.drivers.ximu3 import Ximu3Decoder
from sensors.udp_link import UdpLink
from sensors.virtual.chips import Lsm6dsChip, VirtualBus
from sensors.ximu3 import (
    MessageReader,
    announcement,
    answer,
    encode_inertial,
    encode_quaternion,
)
from sensors.ximu3_beacon import Beacon

G = 9.80665
SECOND = 1_000_000_000
GYR, ACC = (0.1, -0.2, 1.0), (0.0, 0.0, G)


def ximu3_sample(number):
    return encode_inertial(5_000 * number, GYR, ACC)


def xbus(message, data):
    body = bytes([0xFF, message, len(data)]) + data
    return b"\xfa" + body + bytes([-sum(body) & 0xFF])


def mti_sample(number):
    items = struct.pack(">HBH", 0x1020, 2, number & 0xFFFF)
    items += struct.pack(">HBI", 0x1060, 4, (50 * number) & 0xFFFFFFFF)
    items += struct.pack(">HB3f", 0x4020, 12, *ACC) + struct.pack(">HB3f", 0x8020, 12, *GYR)
    return xbus(0x36, items)


def wit_packet(kind, words):
    body = struct.pack("<BB4h", 0x55, kind, *words)
    return body + bytes([sum(body) & 0xFF])


def wit_sample(_):
    acc = [round(value / (16 * G) * 32768) for value in ACC]
    gyr = [round(value / radians(2000) * 32768) for value in GYR]
    angles = wit_packet(0x53, (1, 2, 3, 4))
    return wit_packet(0x51, (*acc, 2500)) + wit_packet(0x52, (*gyr, 0)) + angles


MAKERS = {
    "ximu3": (Ximu3Decoder, ximu3_sample, 200.0),
    "mti": (MtiDecoder, mti_sample, 200.0),
    "witmotion": (WitMotionDecoder, wit_sample, 100.0),
}


@pytest.fixture(params=MAKERS)
def maker(request):
    return MAKERS[request.param]


def play(maker, duration_s, *, leave_out=(), disturb=lambda data: data, seed=0):
    """Send samples through a line of 0.5 ms and jitter; return stream and blocks."""
    decoder, sample, rate_hz = maker
    dice = np.random.default_rng(seed)
    stream = VendorStream(decoder(), "n")
    blocks = []
    for number in range(round(duration_s * rate_hz)):
        if number not in leave_out:
            delay_ns = 500_000 + dice.exponential(300_000)
            stream.receive(disturb(sample(number)), round(number * SECOND / rate_hz + delay_ns))
        blocks += stream.take()
    return stream, blocks


def test_units_are_si_and_gravity_points_up(maker):
    _, blocks = play(maker, 4)
    assert np.allclose(blocks[-1].acc, ACC, atol=0.01)
    assert np.allclose(blocks[-1].gyr, GYR, atol=0.002)
    assert sum(len(block) for block in blocks) == round(4 * maker[2])


def test_times_are_those_of_the_device_plus_its_least_delay(maker):
    _, blocks = play(maker, 20)
    late = [block for block in blocks if block.first_seq > 10 * maker[2]]
    error_ns = np.concatenate(
        [b.host_ns - (b.first_seq + np.arange(len(b))) * SECOND / maker[2] for b in late]
    )
    assert np.abs(error_ns - 500_000).max() < 200_000
    assert late[-1].time_sd_s >= 1e-3  # the constant delay is not known, and said so


@pytest.mark.parametrize("kind", ["ximu3", "mti"])
def test_missing_samples_are_a_gap_of_the_right_size(kind):
    _, blocks = play(MAKERS[kind], 6, leave_out={600, 601, 602, 900})
    numbers = np.concatenate([b.first_seq + np.arange(len(b)) for b in blocks])
    assert set(range(1200)) - set(numbers.tolist()) == {600, 601, 602, 900}
    stream, _ = play(MAKERS[kind], 6, leave_out={600, 601, 602, 900})
    assert stream.counters.lost == 4


def test_a_damaged_packet_of_a_device_without_sequence_costs_one_sample():
    spoiled = itertools.count()

    def disturb(data):
        broken = bytearray(data)
        if next(spoiled) == 250:
            broken[5] ^= 0x40  # within the acceleration of sample 250
        return bytes(broken)

    stream, blocks = play(MAKERS["witmotion"], 5, disturb=disturb)
    assert stream.counters.lost == 1
    assert sum(len(block) for block in blocks) == 499


def test_a_device_that_starts_anew_begins_an_epoch():
    stream, _ = play(MAKERS["ximu3"], 4)
    blocks = []
    for number in range(800):
        stream.receive(ximu3_sample(number), 10 * SECOND + 5_000_000 * number)
        blocks += stream.take()
    assert {block.epoch for block in blocks} == {1}
    assert stream.counters.unknown_tails == 1


@given(data=st.binary(max_size=2000), cut=st.integers(1, 50))
def test_any_bytes_in_any_portions_never_raise(data, cut):
    for decoder, sample, _ in MAKERS.values():
        stream = VendorStream(decoder(), "n")
        line = sample(1) + data + sample(2)
        for start in range(0, len(line), cut):
            stream.receive(line[start : start + cut], start)
        stream.take()


@given(st.integers(0, 2**61), st.lists(st.floats(-30, 30, width=32), min_size=6, max_size=6))
def test_messages_of_the_ximu3_come_back(time_us, values):
    message = encode_inertial(time_us, tuple(values[:3]), tuple(values[3:]))
    assert message.count(b"\n") == 1
    (read,) = MessageReader().feed(message)
    assert read.time_us == time_us
    assert np.allclose(np.radians(read.arguments[:3]), values[:3], rtol=1e-5, atol=1e-6)


def test_the_manuals_examples_of_the_ximu3_are_read():
    binary = bytes.fromhex("C940420F0000000000" + "00000000" * 5 + "0000803F" + "0A")
    ascii_message = b"I,1000000,0.0000,0.0000,0.0000,0.0000,0.0000,1.0000\n"
    for line in (binary, ascii_message):
        (message,) = MessageReader().feed(line)
        assert message.time_us == 1_000_000
        assert message.arguments == (0, 0, 0, 0, 0, 1)


def test_our_sensors_look_like_an_ximu3_to_its_viewer():
    told = json.loads(announcement("left_foot", "EV01", "10.0.0.2", send=8000, receive=9000))
    assert (told["name"], told["send"], told["receive"]) == ("left_foot", 8000, 9000)
    ping = json.loads(answer(b'{"ping":null}', "left_foot", "EV01"))
    assert ping == {"ping": {"interface": "UDP", "name": "left_foot", "sn": "EV01"}}
    assert b"read-only" in answer(b'{"heading":0}', "left_foot", "EV01")
    assert answer(b"nonsense", "left_foot", "EV01") is None
    (message,) = MessageReader().feed(encode_quaternion(7, (1.0, 0.0, 0.0, 0.0)))
    assert message.arguments == (1, 0, 0, 0)


def test_a_sensor_is_read_over_udp():
    link = UdpLink(0, host="127.0.0.1")
    driver = VendorDriver(link, Ximu3Decoder(), name="pelvis")
    while link.state != "open":
        driver.read(0.01)
    with link._socket.dup() as sender:
        address = link._socket.getsockname()
        blocks = []
        for number in range(700):
            sender.sendto(ximu3_sample(number), address)
            blocks += driver.read(0.002)
        blocks += driver.read(0.2)
    driver.close()
    assert driver.info.chip == "x-IMU3"
    assert sum(len(block) for block in blocks) == driver.counters.received > 0
    assert driver.counters.lost == 0


def test_a_udp_port_written_wrongly_is_named():
    with pytest.raises(ValueError, match="expected udp:PORT"):
        open_driver("ximu3", "udp:many", name="n")


def test_a_viewer_on_the_network_finds_and_draws_our_sensors(monkeypatch):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as viewer:
        viewer.bind(("127.0.0.1", 0))
        viewer.settimeout(2)
        port = viewer.getsockname()[1]
        monkeypatch.setattr("sensors.ximu3_beacon.FIRST_SEND_PORT", port)
        beacon = Beacon(["pelvis"], "127.0.0.1", viewer="127.0.0.1", announcement_port=port)
        beacon.turn(SECOND)
        told = json.loads(viewer.recv(2048))
        viewer.sendto(b'{"ping":null}\n', (told["ip"], told["receive"]))
        time.sleep(0.05)
        beacon.turn(SECOND + 1)
        assert json.loads(viewer.recv(2048))["ping"]["name"] == "pelvis"
        _, blocks = play(MAKERS["ximu3"], 4)
        beacon.show(replace(blocks[-1], sensor="pelvis"))
        shown = MessageReader().feed(viewer.recv(65536))
        beacon.close()
    assert len(shown) == len(blocks[-1])
    assert shown[0].arguments[5] == pytest.approx(1.0, abs=1e-4)


def tilted(time_s):
    n = len(time_s)
    return np.tile([0.5, -1.0, 2.0], (n, 1)), np.tile([3.0, -4.0, 8.0], (n, 1)), None


class Clock:
    def __init__(self):
        self.ns = 0

    def __call__(self):
        self.ns += 1_000
        return self.ns


def test_any_adafruit_class_serves_slowly_and_says_so():
    clock = Clock()
    bus = VirtualBus({0x6A: Lsm6dsChip(tilted, clock)})
    path = "adafruit_lsm6ds.lsm6dsox.LSM6DSOX"
    sensor = I2cSensor(lambda: AdafruitChip(bus, path), name="n", now_ns=clock)
    blocks = []
    for _ in range(100):
        clock.ns += SECOND // 25
        blocks += sensor.read(0)
    assert np.allclose(blocks[-1].acc, [3, -4, 8], atol=0.05)
    assert np.allclose(blocks[-1].gyr, [0.5, -1, 2], atol=0.01)
    assert "slow" in sensor.info.chip
    clock.ns += SECOND
    sensor.read(0)
    assert sensor.counters.lost == pytest.approx(25, abs=2)


@pytest.mark.parametrize("path", ["no_such.Thing", "json.JSONDecoder"])
def test_an_adafruit_class_that_does_not_exist_is_named(path):
    with pytest.raises(ValueError, match=path):
        AdafruitChip(VirtualBus({}), path)
