"""The acquisition service, with virtual nodes on pseudo-terminals."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from calibration.fits.gyro import fit_gyro
from calibration.fits.holds import read_hold
from calibration.model import SensorCalibration
from calibration.store import CalibrationStore
from edge.acquire.acquisition import Acquisition
from edge.acquire.control import ask
from edge.acquire.node_watch import NodeWatch
from edge.config import parse_config
from edge.errors import UserError
from edge.host_clock import host_clock
from sensors import Segment
from sensors.drivers.node import NodeDriver
from sensors.virtual import Stand, VirtualPerson, Walker
from sensors.virtual.node import VirtualNode, VirtualNodes
from sensors.virtual.sampler import Board
from tests.virtual_bench import BenchSensor

ROOT = Path(__file__).resolve().parent.parent


def configured(folder, segment="pelvis", **ports):
    nodes = {name: {"port": str(port), "segment": segment} for name, port in ports.items()}
    return parse_config({"folders": {"state": folder, "runtime": folder}, "nodes": nodes})


@contextlib.contextmanager
def acquiring(config):
    stop = threading.Event()
    service = Acquisition(config, host_clock())
    thread = threading.Thread(target=service.run, args=(stop,))
    thread.start()
    yield
    stop.set()
    thread.join()


def wait_for(condition, timeout_s=15.0):
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def link_of(folder):
    with contextlib.suppress(UserError):
        return ask(folder / "control.sock", "status")["nodes"]["pelvis"]["link"]
    return None


def events(folder, kind):
    with contextlib.closing(sqlite3.connect(folder / "store.sqlite")) as db:
        rows = db.execute("SELECT payload FROM results WHERE stream LIKE ?", (f"event/{kind}%",))
        return [payload for (payload,) in rows]


def standing_node():
    walker = Walker(VirtualPerson(), [Stand(1.0)])
    return VirtualNode("pelvis", walker.sensor("pelvis"), segment="pelvis")


def test_a_node_that_vanishes_is_told_and_the_service_goes_on(tmp_path):
    nodes = VirtualNodes([standing_node()])
    nodes.start()
    config = configured(tmp_path, pelvis=nodes.nodes[0].port)
    with acquiring(config):
        wait_for(lambda: link_of(tmp_path) == "up")
        nodes.stop()
        wait_for(lambda: link_of(tmp_path) == "down")
        # Who asks often asks for this: it costs the store nothing.
        often, all_of_it = (ask(tmp_path / "control.sock", name) for name in ("nodes", "status"))
        assert often.keys() == {"ok", "nodes", "session"}
        assert often["session"] == all_of_it["session"]
    assert any(b"node pelvis: no link" in event for event in events(tmp_path, "link"))


def test_a_range_that_cuts_steps_off_is_told(tmp_path):
    board = Board(acc_range_mps2=8 * 9.80665)
    walker = Walker(VirtualPerson(), [Stand(1.0)])
    node = VirtualNode("left-foot", walker.sensor("left_foot"), board=board)
    with VirtualNodes([node]):
        config = configured(tmp_path, segment="left_foot", pelvis=node.port)
        with acquiring(config):
            wait_for(lambda: link_of(tmp_path) == "up")
            wait_for(lambda: events(tmp_path, "fitting"))
    [event] = events(tmp_path, "fitting")
    assert b"acc_range_g is 8, a left_foot needs 16" in event


def test_a_strap_that_shakes_is_told():
    def shaken(time_s):
        acc = np.tile([0.0, 0.0, 9.81], (len(time_s), 1))
        acc[np.arange(len(time_s)) % 50 == 0, 2] = 400.0
        return np.zeros((len(time_s), 3)), acc, None

    node = VirtualNode("left_foot", shaken)
    with VirtualNodes([node]):
        driver = NodeDriver(node.port)
        watch = NodeWatch("left_foot", driver, Segment.LEFT_FOOT, time.monotonic_ns)
        wait_for(lambda: [watch.look(driver.read(0.1)), driver.counters.received > 100][1])
        driver.close()
    assert "its range was exceeded" in watch.range_exceeded()
    assert watch.range_exceeded() is None


def test_a_disk_that_fills_up_is_told_before_recording_stops(tmp_path):
    free_mb = shutil.disk_usage(tmp_path).free / 1e6
    with VirtualNodes([standing_node()]) as nodes:
        port = str(nodes.nodes[0].port)
        config = parse_config(
            {
                "folders": {"state": tmp_path, "runtime": tmp_path},
                "nodes": {"pelvis": {"port": port, "segment": "pelvis"}},
                "storage": {"reserve_mb": free_mb / 1.5},
            }
        )
        with acquiring(config):
            wait_for(lambda: (tmp_path / "store.sqlite").exists() and events(tmp_path, "storage"))
    [event] = events(tmp_path, "storage")
    assert b"make room" in event


def test_a_calibration_that_lapses_is_told(tmp_path):
    rng = np.random.default_rng(5)
    rest = read_hold(BenchSensor.drawn(rng).hold(rng, "z_up", 30.0), "rest")
    known = fit_gyro([rest], [], datetime.now(UTC))
    soon = datetime.now(UTC) - (known.valid_until - known.made) + timedelta(days=5.5)
    with VirtualNodes([standing_node()]) as nodes:
        config = configured(tmp_path, pelvis=nodes.nodes[0].port)
        gyro = fit_gyro([rest], [], soon)
        store = CalibrationStore(config.folders.calibration)
        store.save(SensorCalibration(sensor="pelvis", gyro=gyro))
        with acquiring(config):
            wait_for(lambda: link_of(tmp_path) == "up")
    [event] = events(tmp_path, "calibration")
    assert b"its calibration lapses in 5 days" in event


def test_without_any_port_it_says_so_and_leaves(tmp_path):
    config = tmp_path / "evenstride.toml"
    config.write_text(
        f'[folders]\nstate = "{tmp_path}"\nruntime = "{tmp_path}"\n'
        '[nodes.pelvis]\nport = "/dev/no-such-port"\nsegment = "pelvis"\n'
    )
    done = subprocess.run(
        [sys.executable, "-m", "edge", "acquire", "--config", config],
        capture_output=True, text=True, check=False, cwd=ROOT, timeout=30,
    )  # fmt: skip
    assert done.returncode == 2
    assert "'/dev/no-such-port': no such port" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "recordings").exists()


def test_a_second_service_on_the_same_store_is_refused(tmp_path):
    with VirtualNodes([standing_node()]) as nodes:
        config = configured(tmp_path, pelvis=nodes.nodes[0].port)
        with acquiring(config), pytest.raises(UserError, match="runs already"):
            Acquisition(config, host_clock())
