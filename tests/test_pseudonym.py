"""Subject codes: made at random, and nothing else passes for one."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import UserError
from edge.messages import Session
from edge.pseudonym import LETTERS, check_subject, new_subject

CODE = "K7Q2-M9XD-0"
PLACES = [i for i, letter in enumerate(CODE) if letter != "-"]


def test_new_codes_pass_and_differ():
    codes = {new_subject() for _ in range(200)}
    assert len(codes) == 200
    assert all(check_subject(code) == code for code in codes)


@pytest.mark.parametrize("name", ["Anna Muster", "1971-04-12", "12.04.1971", "", "PAT-0012345"])
def test_refuses_names_and_dates_without_repeating_them(name):
    with pytest.raises(UserError) as caught:
        check_subject(name)
    assert not name or name not in str(caught.value)


@given(st.sampled_from(PLACES), st.sampled_from(LETTERS))
def test_finds_one_mistyped_character(place, letter):
    typed = CODE[:place] + letter + CODE[place + 1 :]
    if typed == CODE:
        return
    with pytest.raises(UserError):
        check_subject(typed)


@pytest.mark.parametrize(("left", "right"), list(itertools.pairwise(PLACES)))
def test_finds_two_swapped_neighbours(left, right):
    typed = list(CODE)
    typed[left], typed[right] = typed[right], typed[left]
    with pytest.raises(UserError):
        check_subject("".join(typed))


@given(st.text(max_size=20))
def test_any_text_is_a_code_or_is_refused(text):
    with contextlib.suppress(UserError):
        assert check_subject(text) == text


def test_a_session_refuses_a_name_and_does_not_print_it():
    with pytest.raises(ValueError, match="not a subject code") as caught:
        Session(session="s", subject="Anna Muster", started="2026-01-01T00:00:00Z")
    assert "Anna" not in str(caught.value)
