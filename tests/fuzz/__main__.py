"""Fuzzes all targets, or one, each for some time, and prints a table.

make fuzz                              a minute each
make fuzz ARGS="--seconds 600"         longer
make fuzz ARGS="--only config"         one

What a target finds is kept in `build/fuzz/TARGET/crash-...`: give its bytes a test, then mend it.
`python -m tests.fuzz --input FILE --only TARGET` runs a single input.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent.parent
KEPT = ROOT / "build" / "fuzz"
# A parser that is given a few kilobytes has no reason to take longer.
LONGEST_S = 10
NAMES = (
    "node_stream",
    "configuration",
    "command",
    "control_socket",
    "live_segment",
    "sealed_segment",
    "recording",
    "calibration",
    "fitting",
    "plain_csv",
    "plain_npz",
    "payload",
    "traffic",
    "audit",
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--only", choices=NAMES)
    parser.add_argument("--input", type=Path, help="run this file alone")
    asked = parser.parse_args()
    table = Table("target", "inputs", "result")
    n_bad = 0
    for name in (asked.only,) if asked.only else NAMES:
        done = fuzz(name, asked.seconds, asked.input)
        n_bad += done.returncode != 0
        runs = re.findall(r"^#(\d+)", done.stderr, re.MULTILINE)
        found = re.findall(r"Test unit written to (\S+)", done.stderr)
        if done.returncode and not found:
            sys.stderr.write(done.stderr)
        said = "no finding" if done.returncode == 0 else f"FOUND {', '.join(found)}"
        table.add_row(name, runs[-1] if runs else "-", said)
    Console(width=150).print(table)
    return min(n_bad, 1)


def fuzz(name: str, seconds: int, one_input: Path | None) -> subprocess.CompletedProcess[str]:
    folder = KEPT / name
    (folder / "corpus").mkdir(parents=True, exist_ok=True)
    what = [one_input] if one_input else [f"-max_total_time={seconds}", folder / "corpus"]
    command = [
        *(
            sys.executable,
            "-m",
            f"tests.fuzz.{'node_stream' if name == 'node_stream' else 'files'}",
        ),
        *([] if name == "node_stream" else [name]),
        *(f"-timeout={LONGEST_S}", f"-artifact_prefix={folder}/", *map(str, what)),
    ]
    return subprocess.run(
        command, cwd=ROOT, check=False, text=True, errors="replace", stderr=subprocess.PIPE
    )


if __name__ == "__main__":
    sys.exit(main())
