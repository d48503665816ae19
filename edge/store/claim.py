"""Which process plays which part on a store: a lock the kernel drops when the process dies."""

from __future__ import annotations

import fcntl
import time
from typing import TYPE_CHECKING

from edge.errors import UserError

if TYPE_CHECKING:
    from io import TextIOWrapper
    from pathlib import Path

TRIES = 20


class Claims:
    """The parts (`acquire`, `publish`) that processes hold on one store.

    Parameters
    ----------
    store : Path
        The lock files stand beside it.
    """

    def __init__(self, store: Path) -> None:
        self._store = store
        self._held: list[TextIOWrapper] = []

    def take(self, role: str) -> None:
        """Be the only process of a role until it ends, however it ends.

        Raises
        ------
        UserError
            If another process is.
        """
        claim = self._path(role).open("w", encoding="ascii")
        for _ in range(TRIES):
            try:
                fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                # Somebody may only be looking, in `is_taken`.
                time.sleep(0.01)
            else:
                self._held.append(claim)
                return
        claim.close()
        raise UserError(f"{self._store}: `{role}` runs already on this store")

    def is_taken(self, role: str) -> bool:
        """Whether a process of that role lives."""
        path = self._path(role)
        if not path.exists():
            return False
        with path.open("r", encoding="ascii") as claim:
            try:
                fcntl.flock(claim, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def close(self) -> None:
        """Give all up."""
        for claim in self._held:
            claim.close()

    def _path(self, role: str) -> Path:
        return self._store.with_suffix(f".{role}.lock")
