"""The service in an interpreter of its own, without the command line's libraries.

`evenstride acquire` becomes this by `exec` (`lean.py`): `python -m edge.acquire CONFIG [SUBJECT]`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from edge.config import load_config
from edge.errors import UserError, leave
from edge.host_clock import host_clock
from edge.operation.service import stop_on_signals

from .acquisition import Acquisition


def main(config: str, subject: str | None = None) -> None:
    """Acquire until a signal comes."""
    try:
        loaded = load_config(Path(config))
        Acquisition(loaded, host_clock(loaded.time.speed), subject).run(stop_on_signals())
    except UserError as error:
        leave(error)


if __name__ == "__main__":
    main(*sys.argv[1:])
