"""SIGKILL of the real `evenstride acquire` while five virtual nodes on pseudo-terminals speak.

Several run side by side, each with nodes, store, publisher and broker of its own. Each start is a
fork of a process that has the imports behind it: the command itself, without the second of reading
libraries.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import random
import shutil
import socket
import time
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from edge.acquire.__main__ import main as acquire
from edge.acquire.control import ask
from edge.demo.wearer import virtual_wearer
from edge.errors import UserError
from edge.recording.archive import read_pieces, segment_paths, verify_recording
from edge.recording.manifest import MANIFEST, read_manifest
from edge.store.store import Store
from sensors import Segment
from sensors.virtual.node import VirtualNodes
from tests.faults.delivery import Rig, rig_in
from tests.faults.outcome import Outcome

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess
    from pathlib import Path

START_S = 60.0
# A try takes about this long: for so much walking the nodes must have signals.
TRY_S = 8.0
SIDE_BY_SIDE = 3
LONGEST_RUN_S = 4.0
# So many are killed while they start, and so while they mend what the kill before left.
SHARE_AT_START = 0.25
MOST_MISSING_S = 1.0


class Lane(NamedTuple):
    """What one of those that run side by side has found."""

    outcome: Outcome
    worst_s: float
    n_results: int


class Run(NamedTuple):
    """A session that was measuring when it was killed."""

    session: str
    since_ns: int
    killed_ns: int

    def missing_s(self, last_ns: dict[str, int]) -> float:
        """Seconds before the kill of which the worst sensor has no sample."""
        latest = [max(ns, self.since_ns) for ns in last_ns.values()]
        have_all = len(latest) == len(Segment)
        return (self.killed_ns - (min(latest) if have_all else self.since_ns)) / 1e9


def acquire_killed(folder: Path, tries: int, dice: random.Random) -> Outcome:
    """Kill it at random moments; count recorded samples and the strides at a real broker."""
    n = min(SIDE_BY_SIDE, tries)
    shares = [tries // n + (i < tries % n) for i in range(n)]
    folder.mkdir()
    places = [folder / str(i) for i in range(n)]
    seeds = [dice.randrange(1 << 32) for _ in range(n)]
    with ProcessPoolExecutor(n, multiprocessing.get_context("spawn")) as pool:
        lanes = list(pool.map(kill_in_a_lane, places, shares, seeds))
    outcome = Outcome("acquire killed", tries)
    for lane in lanes:
        outcome.lost += lane.outcome.lost
        outcome.duplicated += lane.outcome.duplicated
        outcome.disordered += lane.outcome.disordered
        outcome.recover_s += lane.outcome.recover_s
    worst_s, n_results = max(lane.worst_s for lane in lanes), sum(lane.n_results for lane in lanes)
    outcome.note = f"at most {worst_s:.2f} s of samples; {n_results} strides, all delivered"
    return outcome


def kill_in_a_lane(folder: Path, tries: int, seed: int) -> Lane:
    """Kill one `acquire` again and again, and judge what it leaves each time."""
    dice, outcome, worst_s = random.Random(seed), Outcome("", tries), 0.0
    wearer = virtual_wearer(tries * TRY_S, 1)
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
        nodes.boot()
        last: Run | None = None
        for i in range(tries + 1):
            process = start(config)
            if 0 < i < tries and dice.random() < SHARE_AT_START:
                time.sleep(dice.uniform(0.0, 1.0))
                kill(process)
                continue
            began = time.monotonic()
            session = wait_until_measuring(folder)
            outcome.recover_s.append(time.monotonic() - began)
            since_ns = time.monotonic_ns()
            worst_s = max(worst_s, judge_recordings(folder, session, last, outcome))
            if i < tries:
                time.sleep(dice.uniform(0.0, LONGEST_RUN_S))
                last = Run(session, since_ns, kill(process))
                note_committed(rig)
        process.terminate()
        process.join()
        note_committed(rig)
        rig.wait_until_delivered()
        rig.judge(outcome)
    return Lane(outcome, worst_s, len(rig.ids))


class Stopping:
    def __init__(self, nodes: VirtualNodes) -> None:
        self.close = nodes.stop


def start(config: Path) -> BaseProcess:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=acquire, args=(str(config),), daemon=True)
    process.start()
    return process


def kill(process: BaseProcess) -> int:
    process.kill()
    killed_ns = time.monotonic_ns()
    process.join()
    return killed_ns


def wait_until_measuring(folder: Path) -> str:
    """Wait for samples of all nodes; returns the session that they belong to."""
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        with contextlib.suppress(UserError, OSError, socket.timeout):
            told = ask(folder / "control.sock", "status")
            if all(node["link"] == "up" and node["n_samples"] for node in told["nodes"].values()):
                return told["session"]
        time.sleep(0.02)
    raise TimeoutError("acquire does not measure")


def judge_recordings(folder: Path, session: str, last: Run | None, outcome: Outcome) -> float:
    """Seconds before the kill of which a sensor has no sample; all recordings left must be whole.

    They are deleted then: a thousand would slow the start that is being measured.
    """
    worst_s = 0.0
    for path in (folder / "recordings").glob(f"*/{MANIFEST}"):
        recording = path.parent
        if recording.name == session:
            continue
        outcome.lost += read_manifest(recording).state != "recovered"
        outcome.lost += bool(verify_recording(recording))
        if last and recording.name == last.session:
            worst_s = last.missing_s(last_times(recording))
            outcome.lost += worst_s > MOST_MISSING_S
            last = None
        shutil.rmtree(recording)
    # Its recording must be there.
    outcome.lost += last is not None
    return worst_s


def last_times(recording: Path) -> dict[str, int]:
    """Host time of the last sample of each sensor."""
    found: dict[str, int] = {}
    for path in segment_paths(recording):
        for kinds, rows in read_pieces(path):
            for number, kind in enumerate(kinds):
                if (own := rows["kind"] == number).any():
                    found[kind.sensor] = int(rows["host_ns"][own].max())
    return found


def note_committed(rig: Rig) -> None:
    """What is in the store now must come to the consumer, whatever happens later."""
    known = set(rig.ids)
    store = Store(rig.folder / "store.sqlite")
    names = [id_of(payload) for payload in store.results("gait/stride", limit=1_000_000)]
    store.close()
    rig.ids += [name for name in names if name not in known]


def id_of(payload: bytes) -> str:
    return payload.split(b'"id":"', 1)[1][:26].decode()
