"""What every driver promises: identity checked, SI units, gravity up at rest, gaps told."""

import itertools
import time
from pathlib import Path

import numpy as np
import pytest

from sensors.drivers.background import BackgroundSensor
from sensors.drivers.catalog import DEVICES, open_chip_on, open_driver, reach_of
from sensors.drivers.chip import Setup, named
from sensors.errors import LinkLostError, WrongChipError
from sensors.i2c_link import MuxChannel, open_port
from sensors.virtual.chips import Icm20948Chip, Lsm6dsChip, Mpu6050Chip, VirtualBus
from sensors.virtual.chips.fifo_chip import Oscillator

G = 9.80665
SECOND = 1_000_000_000
CHIPS = {
    "lsm6ds": (0x6A, Lsm6dsChip, {}),
    "lsm6dso32": (0x6A, Lsm6dsChip, {"wide": True}),
    "icm20948": (0x68, Icm20948Chip, {}),
    "mpu6050": (0x68, Mpu6050Chip, {}),
    "mpu6500": (0x68, Mpu6050Chip, {"identity": 0x70}),
}
DRIVER_OF = {"mpu6500": "mpu6050"}


class Clock:
    """A host clock that goes on when it is told, and a little at every look."""

    def __init__(self):
        self.ns = 1_000 * SECOND

    def __call__(self):
        self.ns += 1_000
        return self.ns


def resting(time_s):
    """Turning at 1 rad/s about z, gravity along z, a field of 20, 5, -40 uT."""
    n = len(time_s)
    return np.tile([0, 0, 1.0], (n, 1)), np.tile([0, 0, G], (n, 1)), np.tile([20.0, 5, -40], (n, 1))


class Bench:
    """A chip, its bus, its driver and the clock of all three."""

    def __init__(self, kind, *, oscillator=None, setup=None, signal=resting, **faults):
        self.now = Clock()
        self.begun_ns = self.now.ns
        address, make, settings = CHIPS[kind]
        self.chip = make(signal, self.now, oscillator=oscillator or Oscillator(), **settings)
        # A transaction of 400 kHz takes time; 0.3 ms stand for all.
        self.bus = VirtualBus({address: self.chip}, before=self.wait_on_bus, **faults)
        driver = DRIVER_OF.get(kind, kind)
        self.sensor = open_chip_on(
            self.bus, driver, name="n", setup=setup or Setup(), now_ns=self.now
        )

    def wait_on_bus(self):
        self.now.ns += 300_000

    def run(self, duration_s, turn_s=0.05):
        """Let time pass in turns; return the blocks."""
        blocks = []
        for _ in range(round(duration_s / turn_s)):
            self.now.ns += round(turn_s * SECOND)
            blocks += self.sensor.read(0)
        return blocks


@pytest.fixture(params=CHIPS)
def kind(request):
    return request.param


def test_units_are_si_and_gravity_points_up(kind):
    blocks = Bench(kind).run(2)
    acc = np.concatenate([block.acc for block in blocks])
    gyr = np.concatenate([block.gyr for block in blocks])
    assert np.allclose(acc, [0, 0, G], atol=0.02)
    assert np.allclose(gyr, [0, 0, 1], atol=0.003)
    assert len(acc) > 300


def test_the_magnetometer_shares_the_axes_of_the_chip():
    blocks = Bench("icm20948").run(2)
    assert np.allclose(blocks[-1].mag, [20, 5, -40], atol=0.1)


def test_another_chip_is_refused_with_the_likely_cause(kind):
    bench = Bench(kind)
    bench.chip.registers[bench.chip.identity_register] = 0x00
    with pytest.raises(WrongChipError, match=r"0x00.*faulty wiring"):
        open_chip_on(bench.bus, DRIVER_OF.get(kind, kind), name="n", now_ns=bench.now)
    bench.chip.registers[bench.chip.identity_register] = 0x5A
    with pytest.raises(WrongChipError, match=r"0x5a.*counterfeit"):
        open_chip_on(bench.bus, DRIVER_OF.get(kind, kind), name="n", now_ns=bench.now)


def test_a_broken_magnetometer_is_refused():
    bench = Bench("icm20948")
    bench.chip._mag[1] = 0x48
    with pytest.raises(WrongChipError, match="AK09916"):
        open_chip_on(bench.bus, "icm20948", name="n", now_ns=bench.now)


def test_blocks_follow_each_other_without_a_gap(kind):
    bench = Bench(kind, oscillator=Oscillator(0.03))
    blocks = bench.run(5)
    assert all(b.first_seq == a.first_seq + len(a) for a, b in itertools.pairwise(blocks))
    assert blocks[0].first_seq == 0
    assert bench.sensor.counters.lost == 0
    assert {block.epoch for block in blocks} == {0}


def test_a_fifo_that_ran_over_is_a_gap_and_is_counted(kind):
    bench = Bench(kind, oscillator=Oscillator(0.013))
    before = bench.run(8, turn_s=0.04)
    bench.now.ns += 3 * SECOND  # the host sleeps; the longest FIFO holds 1.2 s
    after = bench.run(2, turn_s=0.04)
    counters = bench.sensor.counters
    gap = after[0].first_seq - before[-1].first_seq - len(before[-1])
    assert counters.overrun == counters.lost == gap >= 550
    # What is still in the FIFO, what came before it was first emptied, and one of the clock.
    assert 0 <= bench.chip.taken - counters.received - counters.lost <= 20


def test_times_follow_a_chip_that_is_off_by_per_cents_and_warms_up(kind):
    oscillator = Oscillator(0.031, warming=0.002, warming_s=60)
    bench = Bench(kind, oscillator=oscillator, setup=Setup(rate_hz=200))
    blocks = bench.run(40, turn_s=0.047)
    rate_hz = bench.sensor.info.rate_hz
    since_s = (bench.chip._running_since_ns - bench.begun_ns) * 1e-9
    first = 7 if isinstance(bench.chip, Lsm6dsChip) else 0
    errors = []
    for block in blocks[len(blocks) // 2 :: 5]:
        for number in (0, len(block) - 1):
            # The samples that a chip took before its FIFO was emptied for the first time.
            true_s = since_s + oscillator.moment_s(rate_hz, block.first_seq + number + first, 100)
            errors.append((block.host_ns[number] - bench.begun_ns) * 1e-9 - true_s)
    errors = np.array(errors)
    assert np.std(errors) < 0.6e-3
    assert bench.sensor.clock.drift_ppm == pytest.approx(32_000, abs=1_500)


def test_a_rate_or_range_out_of_reach_is_refused_by_name(kind):
    bus = VirtualBus({})  # not even there: the mistake is told before any chip is asked
    for key, value in (("rate_hz", 5000), ("acc_range_g", 64), ("gyr_range_deg_s", 4000)):
        with pytest.raises(ValueError, match=f"{key} = {value}: expected one of [0-9.]+"):
            open_chip_on(bus, DRIVER_OF.get(kind, kind), name="n", setup=Setup(**{key: value}))


# Data sheets: DS12814 9.13 and 9.14 (LSM6DSOX), DS13265 (LSM6DSO32), DS-000189 10.2 and 10.15
# (ICM-20948, low-pass on), RM-MPU-6000A 4.4 and 4.5.
WRITTEN = {
    "lsm6ds": ({0x10: 0x54, 0x11: 0x5C}, {0x10: 0x48, 0x11: 0x44}),
    "lsm6dso32": ({0x10: 0x5C, 0x11: 0x5C}, {0x10: 0x40, 0x11: 0x44}),
    "mpu6050": ({0x19: 4, 0x1B: 0x18, 0x1C: 0x18}, {0x19: 9, 0x1B: 0x08, 0x1C: 0x08}),
    "mpu6500": ({0x19: 4, 0x1B: 0x18, 0x1C: 0x18}, {0x19: 9, 0x1B: 0x08, 0x1C: 0x08}),
}


@pytest.mark.parametrize("kind", WRITTEN)
@pytest.mark.parametrize("narrow", [False, True])
def test_rate_and_ranges_reach_the_registers(kind, narrow):
    setup = Setup(100, 4, 500) if narrow else Setup()
    chip = Bench(kind, setup=setup).chip
    wanted = WRITTEN[kind][narrow]
    assert {register: chip.registers[register] for register in wanted} == wanted


@pytest.mark.parametrize(
    ("setup", "wanted"),
    [(Setup(), (4, 0x17, 4, 0x17)), (Setup(100, 4, 500), (10, 0x13, 10, 0x13))],
)
def test_rate_and_ranges_reach_the_banks_of_the_icm20948(setup, wanted):
    chip = Bench("icm20948", setup=setup).chip
    assert tuple(chip._banks[2][register] for register in (0x00, 0x01, 0x11, 0x14)) == wanted


def test_what_a_chip_tells_of_itself_stays_the_same_while_it_measures(kind):
    bench = Bench(kind)
    bench.run(1)
    before = bench.sensor.info
    bench.run(1)
    assert bench.sensor.info == before
    assert round(before.acc_range_g) in {16, 32}


def test_ranges_change_the_scale_and_not_the_values(kind):
    setup = Setup(rate_hz=100, acc_range_g=4, gyr_range_deg_s=500)
    blocks = Bench(kind, setup=setup).run(2)
    assert np.allclose(blocks[-1].acc, [0, 0, G], atol=0.01)
    assert np.allclose(blocks[-1].gyr, [0, 0, 1], atol=0.002)


def test_saturated_samples_are_marked(kind):
    def falling_hard(time_s):
        gyr, acc, mag = resting(time_s)
        acc[time_s > 1.0, 2] = 1000.0
        return gyr, acc, mag

    blocks = Bench(kind, signal=falling_hard).run(3)
    assert not blocks[0].saturated[0]
    assert blocks[-1].saturated.all()


def test_a_bus_that_does_not_answer_now_and_then_is_opened_again(kind):
    bench = Bench(kind, seed=4)
    bench.run(2)
    bench.bus.refuse = 1.0
    assert bench.run(1) == []
    assert bench.sensor.link.state == "lost"
    assert "does not answer" in bench.sensor.link.reason
    bench.bus.refuse = 0.0
    blocks = bench.run(4)
    assert blocks[0].epoch == 1
    assert blocks[0].first_seq == 0
    assert bench.sensor.link.state == "open"


def test_a_chip_behind_a_multiplexer_is_reached(kind):
    bench = Bench(kind)
    chosen = []

    class Mux:
        def written(self, data):
            chosen.append(data[0])

        def read(self, count):
            return bytes(count)

    bench.bus.devices[0x70] = Mux()
    channel = MuxChannel(bench.bus, 0x70, 3)
    sensor = open_chip_on(channel, DRIVER_OF.get(kind, kind), name="n", now_ns=bench.now)
    assert sensor.info.chip
    assert set(chosen) == {8}
    assert 0x70 not in channel.scan()


def test_every_row_of_the_device_table_has_its_driver_tested_here():
    chips = {DRIVER_OF.get(kind, kind) for kind in CHIPS}
    assert {device.driver for device in DEVICES if device.link == "i2c"} <= chips
    assert all(d.acc_range_g >= 16 and d.gyr_range_deg_s >= 2000 for d in DEVICES)


@pytest.mark.parametrize("port", ["i2c", "i2c-1:6a", "i2c-1/0x70:0x6a", "/dev/i2c-1"])
def test_a_port_written_wrongly_is_named(port):
    with pytest.raises(ValueError, match="expected i2c-1"):
        open_port(port)


def test_a_chip_is_emptied_in_the_background_while_others_compute():
    chip = Lsm6dsChip(resting, time.monotonic_ns)
    driver = BackgroundSensor(open_chip_on(VirtualBus({0x6A: chip}), "lsm6ds", name="n"))
    time.sleep(2.0)  # its FIFO holds 1.2 s
    blocks = driver.read(0.5)
    driver.close()
    assert driver.counters.lost == 0
    assert sum(len(block) for block in blocks) > 200
    assert driver.link.state == "lost"


def test_a_bus_that_is_not_there_is_named():
    with pytest.raises(LinkLostError, match="i2c-250"):
        open_port("i2c-250:0x6a")


def test_a_driver_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match=r"'lsm9'.*expected one of node, lsm6ds"):
        open_driver("lsm9", "i2c-1", name="n")


def test_the_page_of_devices_shows_the_table():
    page = (Path(__file__).resolve().parent.parent / "docs" / "devices.md").read_text()
    for d in DEVICES:
        ranges = f"{d.acc_range_g:g} g, {d.gyr_range_deg_s:g} deg/s"
        row = f"| `{d.driver}` | {d.models} | {d.link} | {d.channels} | {ranges} | {d.sync_class} |"
        assert row in page
        reach = reach_of(d.driver)
        if reach is not None:
            tables = (reach.rates_hz, reach.acc_ranges_g, reach.gyr_ranges_deg_s)
            assert f"| `{d.driver}` | {' | '.join(map(named, tables))} |" in page
