"""The audit log: every change to it shows."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import UserError
from edge.operation.audit import Audit


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "state" / "audit.jsonl"
    for i in range(5):
        Audit(path).note("assign", node="left-foot", number=i)
    return path


def test_a_chain_as_written_is_whole(path):
    assert Audit(path).verify() == 5
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: [*lines[:2], *lines[3:]], "line 3: does not follow"),
        (lambda lines: [lines[1], lines[0], *lines[2:]], "line 1: does not follow"),
        (lambda lines: [lines[0].replace("left", "rigt"), *lines[1:]], "line 1: was altered"),
        (lambda lines: [*lines[:4], lines[4][:30] + "\n"], "line 5: torn"),
    ],
)
def test_finds_a_line_taken_out_swapped_altered_or_torn(path, change, said):
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(change(lines)))
    with pytest.raises(UserError, match=said):
        Audit(path).verify()


def test_several_writers_make_one_chain(path):
    def write():
        for _ in range(20):
            Audit(path).note("start")

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Audit(path).verify() == 85


def test_what_cannot_be_noted_is_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be written"):
        Audit(tmp_path / "file" / "audit.jsonl").note("start")


@given(st.binary(min_size=1, max_size=200))
def test_any_bytes_are_whole_or_refused(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("fuzz") / "audit.jsonl"
    path.write_bytes(data)
    with pytest.raises(UserError, match="line 1"):
        Audit(path).verify()
