"""Tablets that may open the page: a code that is typed once, a sealed cookie from then on.

The code is for whoever can read it on the edge itself. Guessing does not help: of a hundred million
codes, five may be tried a minute.
"""

from __future__ import annotations

import hmac
import os
import secrets
import time
from collections import deque
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from edge.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# A browser takes a cookie of this prefix over TLS only, from this host only, for all of the page.
COOKIE = "__Host-evenstride"
LASTS_S = 30 * 86_400
DIGITS = 8
MOST_WRONG, WINDOW_S = 5, 60.0
Outcome = Literal["paired", "wrong", "wait"]


class Pairing:
    """Who has been let in.

    Parameters
    ----------
    key : bytes
        Seals cookies; another key unpairs all tablets.
    show : callable
        Takes each new code: a code lets in one tablet.
    now_s : callable
        Wall clock, seconds.
    mono_s : callable
        Monotonic clock, seconds.
    """

    def __init__(
        self,
        key: bytes,
        show: Callable[[str], None],
        now_s: Callable[[], float] = time.time,
        mono_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._key = key
        self._show = show
        self._now_s = now_s
        self._mono_s = mono_s
        self._wrong_s: deque[float] = deque(maxlen=MOST_WRONG)
        self._code = ""
        self._renew()

    def take(self, typed: str) -> Outcome:
        """Compare a code that somebody typed; spaces and dashes do not count."""
        if len(self._wrong_s) == MOST_WRONG and self._mono_s() - self._wrong_s[0] < WINDOW_S:
            return "wait"
        digits = typed.replace(" ", "").replace("-", "").encode()
        if not hmac.compare_digest(digits, self._code.encode()):
            self._wrong_s.append(self._mono_s())
            return "wrong"
        self._renew()
        return "paired"

    def cookie(self) -> str:
        """A sealed value for a tablet that was let in."""
        what = f"{round(self._now_s()) + LASTS_S}.{secrets.token_hex(8)}"
        return f"{what}.{self._seal(what)}"

    def is_paired(self, cookie: str) -> bool:
        """Whether a cookie is one of ours and not too old."""
        what, _, seal = cookie.rpartition(".")
        if not hmac.compare_digest(seal.encode(), self._seal(what).encode()):
            return False
        return int(what.partition(".")[0]) > self._now_s()

    def _seal(self, what: str) -> str:
        return hmac.new(self._key, what.encode(), sha256).hexdigest()

    def _renew(self) -> None:
        self._code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
        self._show(self._code)


def load_key(path: Path) -> bytes:
    """The key of this edge; made where there is none."""
    if not path.exists():
        write_secret(path, secrets.token_hex(32))
    try:
        return bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: no key of ours ({error}); delete it to pair anew") from error


def write_secret(path: Path, text: str) -> None:
    """Write a file that its owner alone can read.

    Raises
    ------
    UserError
        Where the folder cannot be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        number = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(number, "w", encoding="ascii") as file:
            file.write(text + "\n")
        beside.replace(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}") from error
