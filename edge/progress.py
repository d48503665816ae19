"""A progress bar on standard error for work that turns out to take longer than a second."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE_S = 1.0


@contextmanager
def late_progress(text: str) -> Iterator[Callable[[float], None]]:
    """Give a function that is told the share done; the bar comes only when a second has passed."""
    began_s = time.monotonic()
    bar = None

    def tell(share: float) -> None:
        nonlocal bar
        if bar is None and time.monotonic() - began_s > PATIENCE_S and sys.stderr.isatty():
            bar = _Bar(text)
        if bar is not None:
            bar.tell(share)

    try:
        yield tell
    finally:
        if bar is not None:
            bar.close()


class _Bar:
    def __init__(self, text: str) -> None:
        # Loaded only now: most calls are over before a bar is wanted.
        from rich.console import Console
        from rich.progress import Progress

        self._progress = Progress(console=Console(stderr=True), transient=True)
        self._task = self._progress.add_task(text, total=1.0)
        self._progress.start()

    def tell(self, share: float) -> None:
        self._progress.update(self._task, completed=share)

    def close(self) -> None:
        self._progress.stop()
