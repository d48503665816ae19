"""The demo, end to end: nodes on pseudo-terminals, the real services, a real broker."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from edge.demo.run import SECOND_ZERO
from edge.demo.wearer import corridor_walk
from sensors import Side
from tests.proxy import Proxy
from tests.subscriber import Subscriber

ROOT = Path(__file__).resolve().parent.parent


def start_demo(*arguments) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "edge", "demo", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def finish(demo: subprocess.Popen) -> str:
    out, err = demo.communicate(timeout=120)
    assert demo.returncode == 0, err
    return out


def strides_of(subscriber: Subscriber, stage: str) -> list[dict]:
    """Envelopes of one stage, each id once, in the order of time."""
    found = {p["id"]: p for p in subscriber.payloads("gait/stride") if p["data"]["stage"] == stage}
    return sorted(found.values(), key=lambda p: p["data"]["next_initial_contact_s"])


def analysed(recording: Path, folder: Path) -> list[dict]:
    output = folder / "results.json"
    command = [sys.executable, "-m", "edge", "analyze", recording, "--output", output]
    subprocess.run(command, check=True, cwd=ROOT)
    strides = json.loads(output.read_text())["strides"]
    return sorted(strides, key=lambda stride: stride["next_initial_contact_s"])


def pairs(played: list[dict], wanted: list[dict]) -> list[tuple[dict, dict]]:
    return list(zip(played, wanted, strict=True))


def second_zero_ns(folder: Path) -> int:
    return int((folder / SECOND_ZERO).read_text())


@pytest.mark.broker
def test_strides_on_the_broker_are_those_of_the_walker(mosquitto, tmp_path):
    folder = tmp_path / "kept"
    subscriber = Subscriber(mosquitto.port)
    speed = float(os.environ.get("EVENSTRIDE_DEMO_SPEED", "4"))
    seconds = os.environ.get("EVENSTRIDE_DEMO_S", "40")
    finish(start_demo("--broker", f"127.0.0.1:{mosquitto.port}", "--keep", folder,
                      "--duration", seconds, "--speed", speed, "--seed", 3))  # fmt: skip
    truth = corridor_walk(float(seconds), 3).truth
    zero_ns = second_zero_ns(folder)
    for side, stage in product(Side, ("live", "refined")):
        found = strides_of(subscriber, stage)
        contacts = [c.time_s for c in truth.contacts if (c.side, c.kind) == (side, "ic")]
        mine = [p for p in found if p["data"]["side"] == side]
        assert len(mine) == len(contacts)
        at_s = np.array([(p["t_mono_ns"] - zero_ns) * 1e-9 for p in mine])
        assert np.abs(at_s - contacts).max() < 0.02
        for stride in truth.strides_of(side):
            nearest = min(mine, key=lambda p: abs((p["t_mono_ns"] - zero_ns) * 1e-9
                                                  - stride.next_initial_contact_s))  # fmt: skip
            assert nearest["data"]["stride_length_m"] == pytest.approx(stride.length_m, abs=0.02)
    last = {t: p for t, p, _ in subscriber.heard if p and t.endswith("/status") and "node/" in t}
    assert len(last) == 5
    assert [p["data"]["n_lost"] for p in last.values()] == [0] * 5
    (recording,) = (folder / "recordings").iterdir()
    manifest = json.loads((recording / "session.json").read_text())
    assert [count["n_lost"] for count in manifest["sensors"].values()] == [0] * 5
    # The recording, analysed afterwards, gives the same strides to the last bit.
    again = analysed(recording, tmp_path)
    assert again == [p["data"] for p in strides_of(subscriber, "refined")]
    subscriber.close()


@pytest.mark.broker
@pytest.mark.data
def test_a_recording_played_through_the_ports_gives_the_strides_of_analyze(
    mosquitto, data_folder, tmp_path
):
    source = data_folder / "gaitmap_mocap_pass1.npz"
    subscriber = Subscriber(mosquitto.port)
    finish(start_demo("--broker", f"127.0.0.1:{mosquitto.port}", "--source", source,
                      "--keep", tmp_path / "kept", "--speed", 4))  # fmt: skip
    wanted = analysed(source, tmp_path)
    played = [p["data"] for p in strides_of(subscriber, "refined")]
    assert [s["side"] for s in played] == [s["side"] for s in wanted]
    assert [s["stride_length_m"] is None for s in played] == [
        s["stride_length_m"] is None for s in wanted
    ]
    # Samples are 16-bit, and meet the grid at a phase that hangs on when each node was asked for
    # its time: two readings of the same strides, alike as far as each says that it is sure.
    both = [(a, b) for a, b in pairs(played, wanted) if b["stride_length_m"] is not None]
    change_m = np.array([a["stride_length_m"] - b["stride_length_m"] for a, b in both])
    in_sd = np.abs(change_m) / [b["stride_length_sd_m"] for _, b in both]
    assert in_sd.max() < 2.0
    assert np.sqrt(np.mean(in_sd**2)) < 0.6
    assert np.sqrt(np.mean(change_m**2)) < 0.01
    for a, b in pairs(played, wanted):
        if b["stride_time_s"] is not None:
            assert a["stride_time_s"] == pytest.approx(b["stride_time_s"], abs=0.01)
    subscriber.close()


@pytest.mark.broker
def test_a_broker_killed_in_mid_demo_costs_no_stride(mosquitto, tmp_path):
    folder = tmp_path / "kept"
    subscriber, wire = Subscriber(mosquitto.port), Proxy(mosquitto.port)
    demo = start_demo("--broker", f"127.0.0.1:{wire.port}", "--keep", folder,
                      "--duration", 40, "--speed", 4)  # fmt: skip
    subscriber.wait_for(lambda heard: sum("gait/stride" in t for t, _, _ in heard) >= 8, 30)
    wire.mode = "refusing"
    wire.cut()
    # What the broker took over it owes to the subscriber; killed, it forgets that.
    subscriber.wait_until_quiet()
    mosquitto.kill()
    time.sleep(1.5)
    mosquitto.start()
    # And it gives to those who are there: the subscriber has to come back first.
    subscriber.wait_until_subscribed()
    wire.mode = "open"
    finish(demo)
    wire.close()
    truth = corridor_walk(40, 1).truth
    n_contacts = sum(contact.kind == "ic" for contact in truth.contacts)
    for stage in ("live", "refined"):
        assert len(strides_of(subscriber, stage)) == n_contacts
    streams = [p for t, p, _ in subscriber.heard if t.endswith("gait/stride")]
    numbers = {(p["boot_id"], p["seq"]): p["id"] for p in streams}
    assert len(numbers) == len(set(numbers.values())) == len({p["id"] for p in streams})
    assert sorted(seq for _, seq in numbers) == list(range(len(numbers)))
    subscriber.close()


def test_ctrl_c_ends_the_demo_cleanly_and_leaves_nothing(tmp_path):
    demo = subprocess.Popen(
        [sys.executable, "-m", "edge", "demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    head = "".join(demo.stdout.readline() for _ in range(4))
    assert "mosquitto_sub" in head
    page = re.search(r"http://127\.0\.0\.1:\d+/", head)[0]
    wait_for_sensors(page)
    started = children(demo.pid)
    demo.send_signal(signal.SIGINT)
    out = finish(demo)
    assert "came back over MQTT" in out
    assert len(started) == 4
    assert not any(Path(f"/proc/{number}").exists() for number in started)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--broker", "nowhere"), "expected HOST:PORT"),
        (("--broker", "127.0.0.1:9"), "does not answer"),
        (("--source", "missing.npz"), "no such file"),
    ],
)
def test_bad_input_is_one_sentence(arguments, words, monkeypatch):
    demo = start_demo(*arguments)
    _, err = demo.communicate(timeout=60)
    assert demo.returncode == 2
    assert words in err
    assert err.count("\n") == 1


def wait_for_sensors(page: str) -> None:
    """Until the demo's page shows five sensors that measure."""
    until_s = time.monotonic() + 30.0
    while True:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{page}api/now") as answer:
            if json.load(answer)["headline"] == "All five sensors measure.":
                return
        assert time.monotonic() < until_s
        time.sleep(0.2)


def children(parent: int) -> list[int]:
    """Numbers of the processes that a process has started."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The command's name, in brackets, may hold anything: fields are counted after it.
            if int(entry.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(entry.parent.name))
    return found
