"""Starts the service in an interpreter that holds little memory."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from pathlib import Path

# Read by glibc when a program starts; measured by `python -m tests.measure_acquire`. Else it gives
# each thread an arena of its own, and keeps freed blocks of up to 32 MB for later. Blocks of the
# live analysis stay in its arena, those of the refined one go back to the kernel.
LEAN = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_TRIM_THRESHOLD_": "1000000",
    "MALLOC_MMAP_THRESHOLD_": "90000",
}


def become_service(config: Path, subject: str | None) -> NoReturn:
    """Replace this process by the service; its number, and so systemd's, stays the same."""
    command = [sys.executable, "-P", "-m", "edge.acquire", str(config)]
    os.execve(  # noqa: S606 (our own interpreter, no shell)
        sys.executable, [*command, *([subject] if subject else [])], LEAN | os.environ
    )
