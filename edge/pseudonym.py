"""Subject codes: random, with a check character, so that neither a name nor a date passes for one.

Eight characters of Crockford's base 32 (no I, L, O, U) and one check character, written
`K7Q2-M9XD-0`: 2^40 codes, and one mistyped character or two swapped neighbours are always found.
Which person wears a code stays at the clinic; nothing here can be traced back.
"""

from __future__ import annotations

import secrets

from .errors import UserError

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# A prime above 32 finds every single error and every swap; Crockford gives it these five more.
CHECKS = LETTERS + "*~$=U"
PATTERN = r"^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]$"


def new_subject() -> str:
    """Draw a code for a person."""
    while True:
        code = "".join(secrets.choice(LETTERS) for _ in range(8))
        check = _check(code)
        # The five extra check characters are awkward in topics and on paper: draw again.
        if check in LETTERS:
            return f"{code[:4]}-{code[4:]}-{check}"


def check_subject(text: str) -> str:
    """Hand back a code that is one.

    Raises
    ------
    UserError
        For anything else. The text itself is not repeated: it may be somebody's name.
    """
    bare = text.replace("-", "")
    well_formed = len(text) == 11 and text[4] == text[9] == "-" and set(bare) <= set(LETTERS)
    if not well_formed or len(bare) != 9 or _check(bare[:8]) != bare[8]:
        raise UserError(
            "subject: not a subject code: expected one such as K7Q2-M9XD-0 from "
            "`evenstride subject`, never a name, a date of birth or a record number"
        )
    return text


def _check(code: str) -> str:
    number = 0
    for letter in code:
        number = number * 32 + LETTERS.index(letter)
    return CHECKS[number % 37]
