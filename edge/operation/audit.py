"""Who did what: an append-only log in which each line carries the hash of the one before.

A line that is altered, taken out or put in breaks the chain. The log says nothing of persons but
the account that acted; subjects are pseudonyms.
"""

from __future__ import annotations

import fcntl
import getpass
import hashlib
import json
import os
import time
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from edge.errors import UserError
from edge.store.identity import utc_text

if TYPE_CHECKING:
    from pathlib import Path

FIRST = "0" * 64
# Details are a few names and numbers.
LONGEST_LINE = 65_536
Action = Literal["start", "stop", "assign", "calibrate", "export", "delete", "command", "provision"]


class Audit:
    """The log of one edge; several processes may write to it.

    Parameters
    ----------
    path : Path
        Made with its folder where it is missing, readable by its owner alone.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(self, action: Action, **details: Any) -> None:
        """Add a line, and have it on disk before anything else happens.

        Raises
        ------
        UserError
            If it cannot be written: what cannot be noted must not be done.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            number = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(number, "a+b") as file:
                # Two processes must not chain to the same line.
                fcntl.flock(file, fcntl.LOCK_EX)
                file.write(_line(_last_hash(file), action, details).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise UserError(f"{self._path}: cannot be written: {error.strerror}") from None

    def verify(self) -> int:
        """Walk the chain.

        Returns
        -------
        int
            Lines that are as they were written.

        Raises
        ------
        UserError
            Naming the first line that is not.
        """
        previous, n = FIRST, 0
        if not self._path.exists():
            return 0
        with self._path.open("rb") as file:
            for n, line in enumerate(file, 1):
                previous = _checked(line, previous, f"{self._path}, line {n}")
        return n


def _line(previous: str, action: str, details: dict[str, Any]) -> str:
    entry = {
        "t": utc_text(time.time_ns()),
        "who": _account(),
        "action": action,
        "details": details,
        "software": version("evenstride"),
        "previous": previous,
    }
    return json.dumps({**entry, "hash": _hash(entry)}, sort_keys=True)


def _account() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())


def _hash(entry: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()


def _last_hash(file: BinaryIO) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - LONGEST_LINE, 0))
    lines = file.read().splitlines()
    try:
        return str(json.loads(lines[-1])["hash"]) if lines else FIRST
    except (ValueError, KeyError, TypeError, RecursionError):
        # A torn line: the chain goes on from its bytes, so that `verify` can say where it broke.
        return hashlib.sha256(lines[-1]).hexdigest()


def _checked(line: bytes, previous: str, place: str) -> str:
    try:
        entry = json.loads(line)
        said = entry.pop("hash")
        follows = entry["previous"] == previous
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UserError(f"{place}: torn or not a line of ours: the log was altered") from None
    if not follows:
        raise UserError(f"{place}: does not follow the line before: one was taken out or put in")
    if said != _hash(entry):
        raise UserError(f"{place}: was altered after it was written")
    return str(said)
