"""What a person can put right: said in one sentence, without a traceback."""

from __future__ import annotations

import sys
from typing import NoReturn


class UserError(Exception):
    """A fault in what a person gave us: a file, a key, a port, a broker's address.

    The message is one sentence that names the thing, its value, what was expected and, where it is
    not obvious, the next step. The command line prints it and leaves with exit status 2.
    """


def leave(error: Exception) -> NoReturn:
    """End the program with the sentence that the error bears."""
    sys.stderr.write(f"evenstride: {error}\n")
    sys.exit(2)
