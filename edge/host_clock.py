"""The host's clock, CLOCK_MONOTONIC, which a demonstration may let run faster."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def host_clock(speed: float = 1.0) -> Callable[[], int]:
    """Nanoseconds of CLOCK_MONOTONIC, times `speed`: the same in all processes of a machine."""
    if speed == 1.0:
        return time.monotonic_ns
    return lambda: round(time.monotonic_ns() * speed)
