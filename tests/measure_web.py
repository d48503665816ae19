"""What the page costs: memory and processor of its process, with browsers that look.

python -m tests.measure_web SECONDS BROWSERS
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from tests.test_web import Served, events
from tests.web_bench import answering, fill_store, five_nodes

LOOK_S = 10.0


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def processor_s(pid: int) -> float:
    """Seconds of processor that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(seconds: float, browsers: int) -> None:
    """Print what the page uses while browsers look at it."""
    folder = Path(tempfile.mkdtemp(prefix="evenstride-web-"))
    session = fill_store(folder)
    with answering(folder, five_nodes(), session), Served(folder) as page:
        say(f"started: {page.memory_mb():.1f} MB")
        for path in ("/api/now", "/api/day", "/api/results"):
            began_s = time.monotonic()
            page.ask(path)
            say(f"{path}: {1e3 * (time.monotonic() - began_s):.0f} ms")
        streams = [page.stream() for _ in range(browsers)]
        began_s, used_s = time.monotonic(), processor_s(page.process.pid)
        while (elapsed_s := time.monotonic() - began_s) < seconds:
            until_s = time.monotonic() + LOOK_S
            while time.monotonic() < until_s:
                for stream in streams:
                    events(stream, 1)
            share = (processor_s(page.process.pid) - used_s) / (time.monotonic() - began_s)
            say(f"{elapsed_s:.0f} s: {page.memory_mb():.1f} MB, {100 * share:.1f} % of a core")


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]))
