"""The control socket: one line of JSON in, one line out, whatever is sent."""

from __future__ import annotations

import json
import socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.acquire.control import ControlServer, ask
from edge.clinic.live import LiveWindow
from edge.errors import UserError


def refuse(request):
    raise UserError(f"no {request['what']} here; expected a node")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "control.sock"
    with ControlServer(path, {"echo": lambda r: {"heard": r["word"]}, "refuse": refuse}):
        yield path


def raw(path, data: bytes) -> list[dict]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(2.0)
        link.connect(str(path))
        link.sendall(data)
        link.shutdown(socket.SHUT_WR)
        return [json.loads(line) for line in link.makefile("rb")]


def test_a_command_is_answered(path):
    assert ask(path, "echo", word="stride") == {"ok": True, "heard": "stride"}


def test_a_connection_may_send_many(path):
    line = b'{"command": "echo", "word": 1}\n'
    assert [r["heard"] for r in raw(path, line * 3)] == [1, 1, 1]


def test_a_refusal_reaches_the_person_as_it_was_said(path):
    with pytest.raises(UserError, match="no shoe here; expected a node"):
        ask(path, "refuse", what="shoe")


def test_an_unknown_command_is_told_the_known_ones(path):
    with pytest.raises(UserError, match="expected one of echo, refuse"):
        ask(path, "dance")


def test_nothing_listening_is_one_sentence_with_the_next_step(tmp_path):
    with pytest.raises(UserError, match="start it with: evenstride acquire"):
        ask(tmp_path / "none.sock", "status")


def test_a_second_server_on_the_same_socket_is_refused(path):
    with pytest.raises(UserError, match="another acquire is running"):
        ControlServer(path, {})


def test_a_dead_socket_is_replaced(tmp_path):
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(path))
    with ControlServer(path, {"echo": lambda _: {}}):
        assert ask(path, "echo")["ok"]


@pytest.mark.parametrize("label", [{}, [], None, 7, "remark"])
def test_a_mark_under_no_known_label_is_refused(tmp_path, label):
    with (
        ControlServer(tmp_path / "control.sock", LiveWindow(lambda _: None).commands()),
        pytest.raises(UserError, match="mark: expected a label"),
    ):
        ask(tmp_path / "control.sock", "mark", label=label, what={})


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200))
def test_whatever_is_sent_is_answered_line_by_line(path, data):
    replies = raw(path, data + b"\n")
    assert len(replies) == data.count(b"\n") + 1
    assert not any(reply["ok"] for reply in replies)
