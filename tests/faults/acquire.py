"""SIGKILL of the real `evenstride acquire` while five virtual nodes on pseudo-terminals speak."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from edge.acquire.control import ask
from edge.demo.wearer import virtual_wearer
from edge.errors import UserError
from edge.recording.archive import recover_recording, verify_recording
from edge.recording.reader import OwnRecording
from edge.recording.retention import recordings_in
from edge.store.store import Store
from sensors.virtual.node import VirtualNodes
from tests.faults.delivery import rig_in
from tests.faults.outcome import Outcome

if TYPE_CHECKING:
    import random
    from pathlib import Path

START_S = 30.0


def acquire_killed(folder: Path, tries: int, dice: random.Random) -> Outcome:
    """Kill it at random moments; count recorded samples and the strides at a real broker."""
    outcome = Outcome("acquire killed", tries)
    worst_s = 0.0
    wearer = virtual_wearer(tries * 15.0 + 60.0, 1)
    nodes = VirtualNodes(list(wearer.nodes.values()))
    with rig_in(folder) as rig, contextlib.closing(Stopping(nodes)):
        nodes.plug_in()
        config = folder / "acquire.toml"
        config.write_text(
            f'[folders]\nstate = "{folder}"\nruntime = "{folder}"\n'
            "[storage]\nreserve_mb = 1\n"
            + "".join(
                f'[nodes.{node.name}]\nport = "{node.port}"\nsegment = "{segment}"\n'
                for segment, node in wearer.nodes.items()
            )
        )
        process = start(config)
        nodes.boot()
        for i in range(tries):
            began = time.monotonic()
            wait_until_measuring(folder)
            if i:
                outcome.recover_s.append(time.monotonic() - began)
            time.sleep(dice.uniform(2.0, 8.0))
            process.kill()
            killed_ns = time.monotonic_ns()
            process.wait()
            worst_s = max(worst_s, missing_s(folder, killed_ns, outcome))
            process = start(config)
        process.terminate()
        process.wait()
        store = Store(folder / "store.sqlite")
        stored = store.results("gait/stride", limit=1_000_000)
        rig.ids = [id_of(payload) for payload in stored]
        store.close()
        rig.wait_until_delivered()
        rig.judge(outcome)
    outcome.note = f"at most {worst_s:.2f} s of samples; {len(rig.ids)} strides, all delivered"
    return outcome


class Stopping:
    def __init__(self, nodes: VirtualNodes) -> None:
        self.close = nodes.stop


def start(config: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "edge", "acquire", "--config", config]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


def wait_until_measuring(folder: Path) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        with contextlib.suppress(UserError, OSError, socket.timeout):
            told = ask(folder / "control.sock", "status")
            if all(node["link"] == "up" and node["n_samples"] for node in told["nodes"].values()):
                return
        time.sleep(0.02)
    raise TimeoutError("acquire does not measure")


def missing_s(folder: Path, killed_ns: int, outcome: Outcome) -> float:
    """Seconds before the kill of which no sample was recorded, of the worst sensor."""
    [(left, _)] = [
        item for item in recordings_in(folder / "recordings") if item[1].state == "recording"
    ]
    recover_recording(left)
    outcome.lost += bool(verify_recording(left))
    last_ns: dict[str, int] = {}
    for block in OwnRecording(left).all_blocks():
        last_ns[block.sensor] = int(block.host_ns[-1])
    worst = max((killed_ns - ns) / 1e9 for ns in last_ns.values())
    outcome.lost += len(last_ns) < 5 or worst > 1.2
    return worst


def id_of(payload: bytes) -> str:
    return payload.split(b'"id":"', 1)[1][:26].decode()
