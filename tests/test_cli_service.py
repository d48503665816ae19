"""The commands for recordings, provisioning, the contract and the log, as a person types them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from edge.acquire.status import describe_status
from edge.cli.app import app
from edge.errors import UserError
from edge.operation.audit import Audit
from edge.pseudonym import check_subject
from tests.test_recording import record, turns


def evenstride(*words):
    done = CliRunner().invoke(app, [str(word) for word in words])
    if isinstance(done.exception, UserError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "evenstride.toml"
    path.write_text(f'[folders]\nstate = "{tmp_path}"\nruntime = "{tmp_path}"\n')
    return path


def test_a_recording_is_described_verified_and_recovered(tmp_path):
    record(tmp_path / "r", turns(40), close=False)
    assert "not finished" in refusal("recording", "verify", tmp_path / "r")
    assert "recovered" in evenstride("recording", "recover", tmp_path / "r")
    assert "as it was recorded" in evenstride("recording", "verify", tmp_path / "r")
    assert "left (left_foot): 330 samples, 0 lost" in evenstride(
        "recording", "info", tmp_path / "r"
    )


def refusal(*words):
    with pytest.raises(UserError) as caught:
        evenstride(*words)
    return str(caught.value)


def test_pruning_says_what_it_would_do_and_notes_what_it_did(tmp_path, config):
    (tmp_path / "recordings").mkdir()
    record(tmp_path / "recordings" / "old", turns(40), utc_ns=lambda: 10**18)
    assert "1 recordings would be pruned" in evenstride(
        "recording", "prune", "--dry-run", "-c", config
    )
    assert "older than 30 days" in evenstride("recording", "prune", "-c", config)
    assert "1 lines, as they were written" in evenstride("audit", "-c", config)


def test_an_altered_log_is_said(tmp_path, config):
    Audit(tmp_path / "audit.jsonl").note("start")
    (tmp_path / "audit.jsonl").write_text("{}\n")
    assert "line 1" in refusal("audit", "-c", config)


def test_makes_a_subject_code():
    assert check_subject(evenstride("subject").strip())


def test_provisions_a_site_from_the_command_line(tmp_path):
    place = tmp_path / "site"
    evenstride("provision", "site", place, "--site", "lab", "--host", "localhost")
    assert "pi-7.tar" in evenstride("provision", "edge", place, "pi-7")
    assert "reader.crt" in evenstride("provision", "account", place, "reader")
    assert "broker.tar" in evenstride("provision", "revoke", place, "pi-7")
    assert "expected one of reader, operator" in refusal("provision", "account", place, "boss")
    assert "holds no site" in refusal("provision", "edge", tmp_path, "pi-8")


def test_writes_the_papers_of_the_contract(tmp_path):
    evenstride("contract", "write", tmp_path)
    assert json.loads((tmp_path / "asyncapi.json").read_text())["asyncapi"] == "3.0.0"


@pytest.mark.parametrize(
    "words",
    [
        ["recording", "verify", "/nowhere"],
        ["contract", "check", "--broker", "localhost:1"],
        ["publish", "--config", "/nowhere.toml"],
        ["status", "--config", "/nowhere.toml"],
        ["web", "--config", "/nowhere.toml"],
    ],
)
def test_bad_input_is_one_sentence_and_status_2(words):
    command = [sys.executable, "-m", "edge", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("evenstride: ")
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_a_status_names_nodes_results_and_what_waits(tmp_path):
    told = {
        "session": "s-1",
        "nodes": {
            "left": {"link": "up", "segment": "left_foot", "rate_hz": 199.9, "n_lost": 3},
            "spare": {"link": "down", "segment": None, "rate_hz": None, "n_lost": 0},
        },
        "counts": {"strides": 40, "bouts": 2},
        "outbox": {"depth": 5, "bytes": 10_000},
    }
    text = describe_status(told, tmp_path)
    assert "left: up, left_foot, 199.9 Hz, 3 lost" in text
    assert "spare: down, not assigned, rate not known yet" in text
    assert "5 waiting, 0.01 MB" in text
