"""Slow work on a recording's files, in a process of its own that ends when it is done.

Sorting and packing ten minutes of samples as Parquet takes tens of megabytes, which the service
would not give back, and a second of processor, in which it would answer late.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path


def seal_apart(live: Path, reserve: float) -> None:
    """`archive.seal_segment` in another process.

    Raises
    ------
    OSError
        With what that process last said.
    """
    _run("seal", live, reserve)


def recover_apart(folder: Path) -> None:
    """`archive.recover_recording` in another process.

    Raises
    ------
    OSError
        With what that process last said.
    """
    _run("recover", folder)


def _run(*arguments: object) -> None:
    command = [sys.executable, "-P", "-m", "edge.recording.apart", *map(str, arguments)]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    # Killed, for want of memory or by hand: the live segment is still as good as a sealed one.
    if done.returncode > 0:
        raise OSError(f"{arguments[1]}: {done.stderr.strip().rpartition(chr(10))[2]}")


def main(work: str, path: str, reserve: str = "0") -> None:
    """Seal a live segment, or recover a recording."""
    # Whoever stops the service stops all of it; a segment that is begun is brought to its end.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    # Late: the service imports this file for the two functions above.
    from .archive import recover_recording, seal_segment  # noqa: PLC0415

    if work == "seal":
        seal_segment(Path(path), float(reserve))
    else:
        recover_recording(Path(path))


if __name__ == "__main__":
    main(*sys.argv[1:])
