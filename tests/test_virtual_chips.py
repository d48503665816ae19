"""The virtual chips against somebody else's driver, and their faults."""

import numpy as np
import pytest
from adafruit_lsm6ds import AccelRange, GyroRange, Rate
from adafruit_lsm6ds.lsm6dsox import LSM6DSOX

from sensors.drivers.catalog import open_chip_on
from sensors.drivers.lsm6ds_self_test import self_test
from sensors.i2c_link import Registers
from sensors.virtual.chips import Lsm6dsChip, VirtualBus

G = 9.80665
SECOND = 1_000_000_000


class Clock:
    def __init__(self):
        self.ns = 0

    def __call__(self):
        self.ns += 1_000_000
        return self.ns


def tilted(time_s):
    n = len(time_s)
    return np.tile([0.5, -1.0, 2.0], (n, 1)), np.tile([3.0, -4.0, 8.0], (n, 1)), None


def test_adafruits_unmodified_driver_reads_the_virtual_chip():
    # One model only: that library keeps its table of ranges in a class that all models share.
    chip = Lsm6dsChip(tilted, Clock())
    sensor = LSM6DSOX(VirtualBus({0x6A: chip}))
    assert sensor.acceleration == pytest.approx((3.0, -4.0, 8.0), abs=0.01)
    assert sensor.gyro == pytest.approx((0.5, -1.0, 2.0), abs=0.002)
    ranges = AccelRange.RANGE_8G, GyroRange.RANGE_1000_DPS, Rate.RATE_416_HZ
    sensor.accelerometer_range, sensor.gyro_range, sensor.accelerometer_data_rate = ranges
    assert sensor.acceleration == pytest.approx((3.0, -4.0, 8.0), abs=0.01)
    assert sensor.gyro == pytest.approx((0.5, -1.0, 2.0), abs=0.004)


def test_our_driver_and_adafruits_agree_on_one_chip():
    clock = Clock()
    chip = Lsm6dsChip(tilted, clock)
    bus = VirtualBus({0x6A: chip})
    theirs = LSM6DSOX(bus)
    their_acc, their_gyr = theirs.acceleration, theirs.gyro
    ours = open_chip_on(bus, "lsm6ds", name="n", now_ns=clock)
    blocks = []
    for _ in range(40):
        clock.ns += SECOND // 25
        blocks += ours.read(0)
    assert blocks[-1].acc[0] == pytest.approx(their_acc, abs=0.01)
    assert blocks[-1].gyr[0] == pytest.approx(their_gyr, abs=0.003)


def test_a_bus_that_flips_bits_never_makes_the_driver_raise():
    clock = Clock()
    bus = VirtualBus({0x6A: Lsm6dsChip(tilted, clock)}, seed=11)
    sensor = open_chip_on(bus, "lsm6ds", name="n", now_ns=clock)
    bus._flip = 0.05
    received = []
    for _ in range(1000):
        clock.ns += SECOND // 25
        received += sensor.read(0)
    # A flipped tag tears a sample from its partner: the FIFO is emptied and the gap is counted.
    assert sensor.counters.overrun > 0
    assert sum(len(block) for block in received) > 2000


@pytest.mark.parametrize("kind", ["sound", "stuck", "moved too far"])
def test_the_self_test_tells_a_sound_chip_from_a_stuck_one(kind):
    clock = Clock()

    def sleep(duration_s):
        clock.ns += round(duration_s * SECOND)

    chip = Lsm6dsChip(tilted, clock, stuck=kind == "stuck")
    if kind == "moved too far":
        chip._push = 5.0
    faults = self_test(Registers(VirtualBus({0x6A: chip}), 0x6A), sleep)
    assert len(faults) == (0 if kind == "sound" else 6)
    assert all("expected 50 to 1700" in fault for fault in faults[:3])
    assert chip.registers[0x10] == chip.registers[0x11] == 0


def test_a_bus_must_be_locked_before_it_is_used():
    bus = VirtualBus({0x6A: Lsm6dsChip(tilted, Clock())})
    with pytest.raises(RuntimeError, match="locked"):
        bus.writeto(0x6A, b"\x0f")
