"""What `evenstride acquire` costs: processor, memory, and whether it grows over a day.

python -m tests.measure_acquire --minutes 12    the service in real time, at 200 and at 400 Hz
python -m tests.measure_acquire --hours 24      a simulated day, as fast as it goes

In real time the real command reads five virtual nodes behind pseudo-terminals; their person walks
all the time (`--rest`: stands). Processor: user and system time over the wall clock, sealing
included, in per cent of one core. Memory: resident set (Rss of /proc/PID/smaps_rollup), which
counts what it shares with other programs; the proportional one (Pss) shares that out.

The day goes through the same session (recording, time grid, pipeline, store) in one process that
also holds half an hour of samples to repeat: a hundred seconds of walking, the rest standing. Its
resident set each hour tells whether anything grows.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edge.acquire.control import ask
from edge.acquire.lean import LEAN
from edge.acquire.session import Session
from edge.algorithms import gait_algorithm
from edge.demo.wearer import corridor_walk, virtual_wearer
from edge.errors import UserError
from edge.recording.archive import verify_recording
from edge.recording.manifest import Header
from edge.recording.writer import RecordingWriter
from edge.store.store import Context, Store
from sensors import Block, Segment
from sensors.virtual.node import VirtualNodes
from tests.measure_long_recording import resident_mb

if TYPE_CHECKING:
    from numpy.typing import NDArray

TICKS_HZ = os.sysconf("SC_CLK_TCK")
RATE_HZ, TILE_S, SECOND = 200.0, 1800, 1_000_000_000
SCALE = np.repeat([math.radians(2000.0) / 32767, 16 * 9.80665 / 32767], 3)
SETTLE_S = 20.0
LOOK_S = 1.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.measure_acquire", description=__doc__)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--rate", type=float, action="append")
    parser.add_argument("--rest", action="store_true")
    parser.add_argument("--hours", type=int)
    options = parser.parse_args()
    if options.minutes:
        for rate_hz in options.rate or (200.0, 400.0):
            in_real_time(options.minutes * 60, rate_hz, resting=options.rest)
    if options.hours and LEAN.items() <= os.environ.items():
        through_a_day(options.hours)
    elif options.hours:
        # As the service starts: some of it must be there before the libraries are.
        command = [sys.executable, "-m", "tests.measure_acquire", "--hours", str(options.hours)]
        return subprocess.run(command, env=os.environ | LEAN, check=False).returncode
    return 0


def in_real_time(duration_s: float, rate_hz: float, *, resting: bool) -> None:
    walking_s = 0.0 if resting else duration_s + 60.0
    wearer = virtual_wearer(walking_s, 1, rate_hz)
    nodes = VirtualNodes(list(wearer.nodes.values()))
    with tempfile.TemporaryDirectory(prefix="evenstride-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        nodes.plug_in()
        stack.callback(nodes.stop)
        config = folder / "evenstride.toml"
        config.write_text(
            f'rate_hz = {rate_hz}\n[folders]\nstate = "{folder}"\nruntime = "{folder}"\n'
            "[storage]\nreserve_mb = 1\n"
            + "".join(
                f'[nodes.{node.name}]\nport = "{node.port}"\nsegment = "{segment}"\n'
                for segment, node in wearer.nodes.items()
            )
        )
        process = subprocess.Popen([sys.executable, "-m", "edge", "acquire", "-c", config])
        stack.callback(process.wait)
        stack.callback(process.terminate)
        wait_until_open(folder)
        nodes.boot()
        time.sleep(SETTLE_S)
        began_s, began_cpu_s = time.monotonic(), cpu_s(process.pid)
        seen = []
        while time.monotonic() - began_s < duration_s:
            time.sleep(LOOK_S)
            seen.append(memory_mb(process.pid))
        share = 100 * (cpu_s(process.pid) - began_cpu_s) / (time.monotonic() - began_s)
        told = ask(folder / "control.sock", "status")
        lost = sum(node["n_lost"] for node in told["nodes"].values())
        rss = [rss for rss, _ in seen]
        most_mb = resident_mb(process.pid)
        say(
            f"{rate_hz:.0f} Hz, {duration_s / 60:.1f} min: {share:.1f} % of a core;"
            f" RSS first {rss[0]:.0f}, last {rss[-1]:.0f}, most {most_mb:.0f} MB,"
            f" PSS last {seen[-1][1]:.0f} MB; {lost} lost, {told['counts']['strides']} strides"
        )


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def wait_until_open(folder: Path) -> None:
    until_s = time.monotonic() + 120.0
    while time.monotonic() < until_s:
        with contextlib.suppress(UserError, OSError):
            told = ask(folder / "control.sock", "status")
            if all(node["link"] != "down" for node in told["nodes"].values()):
                return
        time.sleep(0.1)
    raise TimeoutError("acquire does not open its ports")


def cpu_s(pid: int) -> float:
    """User and system time of a process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / TICKS_HZ


def memory_mb(pid: int) -> tuple[float, float]:
    """Resident and proportional set."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    sizes = {line.split(":")[0]: line.split() for line in lines if line.endswith("kB")}
    return int(sizes["Rss"][1]) / 1024, int(sizes["Pss"][1]) / 1024


def through_a_day(hours: int) -> None:
    tile = half_an_hour()
    with tempfile.TemporaryDirectory(prefix="evenstride-") as name:
        folder, clock = Path(name), Clock()
        store = Store(folder / "store.sqlite", clock)
        placements = {segment.value: segment for segment in Segment}
        header = Header(session="day", rate_hz=RATE_HZ, origin_ns=0, placements=placements)
        session = Session(
            rate_hz=RATE_HZ,
            placements=placements,
            origin_ns=0,
            writer=RecordingWriter(folder / "recording", header, clock),
            store=store,
            about=Context(session="day", algo=gait_algorithm()),
        )
        for second in range(hours * 3600):
            clock.ns = (second + 1) * SECOND
            session.take(blocks_of_a_second(tile, second))
            store.commit()
            if (second + 1) % 3600 == 0:
                say(
                    f"hour {(second + 1) // 3600}: RSS {memory_mb(os.getpid())[0]:.1f} MB,"
                    f" {5 * RATE_HZ * (second + 1) / 1e6:.1f} M samples, {session.n_strides}"
                    f" strides, {session.n_bouts} bouts, {session.n_late} late"
                )
        session.finish()
        store.close()
        faults = verify_recording(folder / "recording")
        say(f"recording: {session.stopped or 'complete'}; {faults or 'as it was recorded'}")


class Clock:
    ns = 0

    def __call__(self) -> int:
        return self.ns


def half_an_hour() -> dict[str, NDArray[np.int16]]:
    """Readings of each segment, (n, 6): standing, walking up and down a corridor, standing."""
    walker = corridor_walk(100.0, 1)
    time_s = np.minimum(np.arange(TILE_S * RATE_HZ) / RATE_HZ, walker.end_s)
    tile = {}
    for segment in Segment:
        dice = np.random.default_rng(list(Segment).index(segment))
        gyr, acc, _ = walker.sensor(segment)(time_s)
        noise = np.hstack([dice.normal(0, 0.0012, gyr.shape), dice.normal(0, 0.02, acc.shape)])
        readings = (np.hstack([gyr, acc]) + noise) / SCALE
        tile[segment.value] = np.rint(readings.clip(-32767, 32767)).astype(np.int16)
    return tile


def blocks_of_a_second(tile: dict[str, NDArray[np.int16]], second: int) -> list[Block]:
    n = int(RATE_HZ)
    numbers = second * n + np.arange(n)
    at = second % TILE_S * n
    return [
        Block(
            name,
            0,
            second * n,
            numbers * 5000,
            numbers * 5_000_000,
            readings[at : at + n],
            SCALE,
            np.zeros(n, dtype=bool),
            2e-5,
        )
        for name, readings in tile.items()
    ]


if __name__ == "__main__":
    sys.exit(main())
