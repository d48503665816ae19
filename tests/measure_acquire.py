"""What `evenstride acquire` costs: processor, memory, and whether it grows over a day.

python -m tests.measure_acquire              both parts, about forty minutes
python -m tests.measure_acquire --minutes 3  the service in real time, 200 and then 400 Hz
python -m tests.measure_acquire --hours 24   a simulated day through the session, at high speed

The service is the real command, in a process of its own, reading five virtual nodes behind
pseudo-terminals whose person walks. Processor: its user and system time, children included, over
the wall clock, in per cent of one core. Memory: resident set (VmRSS of /proc/PID/status), which
counts pages that it shares with other programs, and proportional (Pss), which shares these out.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from edge.acquire.control import ask
from edge.demo.wearer import virtual_wearer
from edge.errors import UserError
from sensors.virtual.node import VirtualNodes

TICKS_HZ = os.sysconf("SC_CLK_TCK")
SETTLE_S = 20.0
LOOK_S = 1.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.measure_acquire", description=__doc__)
    parser.add_argument("--minutes", type=float, default=12.0)
    parser.add_argument("--rate", type=float, action="append")
    options = parser.parse_args()
    for rate_hz in options.rate or (200.0, 400.0):
        in_real_time(options.minutes * 60, rate_hz)
    return 0


def in_real_time(duration_s: float, rate_hz: float) -> None:
    wearer = virtual_wearer(duration_s + 60.0, 1, rate_hz)
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
        say(
            f"{rate_hz:.0f} Hz, {duration_s / 60:.1f} min: {share:.1f} % of a core;"
            f" RSS first {rss[0]:.0f}, last {rss[-1]:.0f}, most {max(rss):.0f} MB,"
            f" PSS last {seen[-1][1]:.0f} MB; {lost} lost, {told['counts']['strides']} strides"
        )


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def wait_until_open(folder: Path) -> None:
    until_s = time.monotonic() + 30.0
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


if __name__ == "__main__":
    sys.exit(main())
