"""Starts the service in an interpreter that holds little memory."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from pathlib import Path

# Both must be there before the libraries are loaded; measured by `python -m tests.measure_acquire`.
LEAN = {
    # glibc gives each thread an arena of its own, and keeps freed blocks of up to 32 MB for later.
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_TRIM_THRESHOLD_": "1000000",
    # Arrow's own pool keeps what it once had.
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    # Matrices here have three rows: threads only cost.
    "OPENBLAS_NUM_THREADS": "1",
}


def become_service(config: Path, subject: str | None) -> NoReturn:
    """Replace this process by the service; its number, and so systemd's, stays the same."""
    command = [sys.executable, "-P", "-m", "edge.acquire", str(config)]
    os.execve(  # noqa: S606 (our own interpreter, no shell)
        sys.executable, [*command, *([subject] if subject else [])], LEAN | os.environ
    )
