"""Host time of device ticks: how true, how soon, and whether the stated uncertainty covers it."""

import numpy as np
import pytest

from sensors.clock import ClockModel, ClockTrack, Exchange
from sensors.node_stream import NodeStream
from sensors.virtual.crystal import Crystal
from sensors.virtual.faults import Reboot, Stall
from sensors.virtual.firmware import Firmware
from sensors.virtual.line import UART, USB
from sensors.virtual.rehearsal import rehearse
from sensors.virtual.sampler import Board
from sensors.virtual.wire import Wire

SECOND = 1_000_000_000
SWING_HZ = 0.5
SWING_RAD_S = 30.0
DURATION_S = 240


def shared_motion(time_s):
    """All nodes lie on one plate that swings: a knock without end, true to 6 us a reading."""
    gyr = np.zeros((len(time_s), 3))
    gyr[:, 0] = SWING_RAD_S * np.sin(2 * np.pi * SWING_HZ * time_s)
    gyr[:, 1] = SWING_RAD_S * np.cos(2 * np.pi * SWING_HZ * time_s)
    return gyr, np.tile([0.0, 0.0, 9.80665], (len(time_s), 1)), None


def time_errors(blocks, *, after_s):
    """Host time less the time that the motion itself tells, seconds; and each block's stated sd."""
    errors, stated = [], []
    for block in blocks:
        phase = np.arctan2(block.gyr[:, 0], block.gyr[:, 1]) / (2 * np.pi * SWING_HZ)
        host_s = block.host_ns * 1e-9
        error = host_s - phase
        error -= np.rint(error * SWING_HZ) / SWING_HZ
        errors.append(error[host_s > after_s])
        stated.append(np.full(len(errors[-1]), block.time_sd_s))
    return np.concatenate(errors), np.concatenate(stated)


def run(model, seed, crystal, faults=()):
    board = Board(crystal=crystal, first_ticks=12_345_678 * (seed + 1))
    firmware = Firmware(f"n{seed}", shared_motion, board=board)
    wire = Wire(firmware, model=model, faults=faults, seed=seed)
    return list(rehearse(wire, NodeStream(), until_ns=DURATION_S * SECOND))


@pytest.mark.parametrize("model", [USB, UART], ids=["usb", "uart"])
def test_nodes_agree_within_a_fifth_of_a_millisecond_after_ten_seconds(model):
    errors = []
    for seed in range(5):
        crystal = Crystal(35.0 * (-1) ** seed, 2.0, 300.0, float(seed))
        # One of the five restarts in the middle; its first seconds afterwards count as well.
        faults = [Reboot(every_s=100.03)] if seed == 2 else []
        error, _ = time_errors(run(model, seed, crystal, faults), after_s=10)
        errors.append(error)
    everything = np.concatenate(errors)
    middle = np.median(everything)
    assert np.quantile(np.abs(everything - middle), 0.999) < 0.1e-3  # so any two differ by < 0.2 ms
    spread = max(np.quantile(e, 0.9995) for e in errors) - min(
        np.quantile(e, 0.0005) for e in errors
    )
    assert spread < 0.2e-3


def test_nodes_on_different_lines_agree():
    usb, _ = time_errors(run(USB, 1, Crystal(35.0, 2.0)), after_s=10)
    uart, _ = time_errors(run(UART, 2, Crystal(-35.0, 2.0)), after_s=10)
    spread = max(usb.max(), uart.max()) - min(usb.min(), uart.min())
    assert spread < 0.2e-3


@pytest.mark.parametrize("model", [USB, UART], ids=["usb", "uart"])
def test_the_stated_uncertainty_covers_the_error(model):
    error, stated = time_errors(run(model, 3, Crystal(50.0, 2.0)), after_s=1)
    within = np.mean(np.abs(error) < 2 * stated)
    assert within > 0.95
    assert np.median(stated) < 0.2e-3


def test_stalls_of_the_line_do_not_move_the_clock():
    blocks = run(UART, 4, Crystal(35.0, 2.0), [Stall(every_s=7, for_s=0.6)])
    error, _ = time_errors(blocks, after_s=10)
    assert np.quantile(np.abs(error), 0.999) < 0.2e-3


def exchange(true_ns, ticks, round_trip_ns):
    half = round_trip_ns // 2
    return Exchange(true_ns - half, ticks, ticks, true_ns + half)


def test_exchanges_that_waited_in_a_queue_are_left_out():
    clock = ClockModel(1_000_000)
    for i in range(64):
        # Three of four answers wait for 2 ms on their way back.
        late = 2_000_000 if i % 4 else 0
        clock.add(
            Exchange(
                i * SECOND, i * 1_000_000 + 100, i * 1_000_000 + 100, i * SECOND + 200_000 + late
            )
        )
    assert abs(int(clock.host_ns(np.array([63_000_000]))[0]) - 63 * SECOND) < 1_000


def test_drift_is_told_with_its_sign():
    clock = ClockModel(1_000_000)
    for i in range(64):
        clock.add(exchange(i * SECOND, i * 1_000_100, 100_000))
    assert clock.state.drift_ppm == pytest.approx(100, abs=0.5)
    assert clock.state.exchanges == 64


def test_a_clock_without_exchanges_gives_no_time():
    clock = ClockModel(1_000_000)
    assert not clock.ready
    assert clock.state is None
    assert clock.uncertainty_s(0) == float("inf")
    with pytest.raises(RuntimeError, match="exchanges"):
        clock.host_ns(np.array([0]))


def test_exchanges_of_before_an_outage_are_forgotten():
    clock = ClockModel(1_000_000)
    for i in range(64):
        clock.add(exchange(i * SECOND, i * 1_000_000, 100_000))
    # An hour later the clock has wandered by 50 ms.
    for i in range(8):
        at_s = 3600 + i
        clock.add(exchange(at_s * SECOND, at_s * 1_000_000 + 50_000, 100_000))
    assert clock.state.exchanges == 8
    assert abs(int(clock.host_ns(np.array([3_607_050_000]))[0]) - 3607 * SECOND) < 10_000


def test_uncertainty_grows_while_no_answers_come():
    clock = ClockModel(1_000_000)
    for i in range(16):
        clock.add(exchange(i * SECOND, i * 1_000_000, 100_000))
    assert clock.uncertainty_s(75_000_000) > clock.uncertainty_s(15_000_000) + 20e-6


def test_a_clock_fitted_afterwards_is_at_least_as_true():
    crystal = Crystal(35.0, 2.0, 120.0)
    dice = np.random.default_rng(3)
    clock = ClockModel(1_000_000)
    exchanges, live = [], []
    for i in range(300):
        at_s = 0.9839 * i
        up, down = 60e-6 + dice.exponential(50e-6, 2)
        ticks = int(crystal.device_s(at_s) * 1e6)
        exchanges.append(
            Exchange(round((at_s - down) * 1e9), ticks, ticks, round((at_s + up) * 1e9))
        )
        clock.add(exchanges[-1])
        if i > 20:
            live.append(int(clock.host_ns(np.array([ticks]))[0]) - round(at_s * 1e9))
    track = ClockTrack(exchanges, 1_000_000)
    at_s = np.arange(25, 290, 0.5)
    ticks = (crystal.device_s(at_s) * 1e6).astype(np.int64)
    after = track.host_ns(ticks) - np.rint(at_s * 1e9)
    assert np.std(after) < np.std(live)
    assert np.abs(after).max() < 100_000


def test_a_clock_fitted_afterwards_reaches_beyond_its_exchanges():
    track = ClockTrack([exchange(i * SECOND, i * 1_000_100, 100_000) for i in range(20)], 1_000_000)
    beyond = track.host_ns(np.array([-5 * 1_000_100, 30 * 1_000_100]))
    assert np.abs(beyond - np.array([-5 * SECOND, 30 * SECOND])).max() < 30_000
    with pytest.raises(ValueError, match="8 exchanges"):
        ClockTrack([], 1_000_000)
