"""The contract: its papers are those of the table, and its payloads stay readable."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from edge.config import Broker
from edge.contract import CHANNELS, STRIDE, channel_of, parse_topic, topic
from edge.envelope import MAX_BYTES, encode
from edge.errors import UserError
from edge.papers.check import TrafficCheck, check_broker, check_payload
from edge.papers.contract import access_list, asyncapi, documents, example_of, json_schema
from edge.publish.mqtt_link import Message
from edge.store.store import Store
from tests.test_publish import config_for, publishing

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs" / "contract"
GOLDEN = sorted((ROOT / "tests" / "golden" / "payloads").glob("*.json"))
PAPERS = documents()
each_channel = pytest.mark.parametrize("channel", CHANNELS, ids=lambda c: c.name)


@pytest.mark.parametrize("name", PAPERS)
def test_the_papers_are_those_of_the_table(name):
    assert (DOCS / name).read_text() == PAPERS[name], "run: make contract"


@pytest.mark.parametrize("path", GOLDEN, ids=lambda p: p.stem)
def test_the_newest_models_read_every_released_payload(path):
    assert check_payload(path.read_bytes()).split("/")[0] == path.stem.rsplit("-", 1)[0]


@each_channel
def test_every_version_has_a_golden_payload(channel):
    assert f"{channel.name}-{channel.version}" in {path.stem for path in GOLDEN}


@each_channel
def test_a_payload_survives_the_way(channel):
    made = example_of(channel)
    payload = encode(made)
    assert len(payload) <= MAX_BYTES
    assert channel.envelope.model_validate_json(payload) == made


@each_channel
def test_a_stream_leads_back_to_its_channel(channel):
    stream = example_of(channel).stream
    assert channel_of(stream) is channel
    assert parse_topic(topic("lab", "pi-1", stream)) == ("lab", "pi-1", stream)


@each_channel
def test_units_and_no_surprises_in_the_schema(channel):
    schema = json_schema(channel)
    assert schema["properties"]["schema"]["const"] == channel.schema_id
    assert "additionalProperties" not in schema


def test_every_reference_of_the_asyncapi_document_leads_somewhere():
    document = asyncapi()

    def references(node):
        if isinstance(node, dict):
            yield from ([node["$ref"]] if "$ref" in node else [])
            for inner in node.values():
                yield from references(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from references(inner)

    for reference in set(references(document)):
        place = document
        for key in reference.removeprefix("#/").split("/"):
            place = place[key]
        assert place


def test_the_access_list_lets_an_edge_write_below_its_own_name_only():
    rules = [line.split(" ", 2) for line in access_list("lab").splitlines() if "pattern" in line]
    mine = [(kind, rule.replace("%u", "pi-1")) for _, kind, rule in rules]
    for channel in CHANNELS:
        stream = example_of(channel).stream
        verb = "write" if channel.direction == "out" else "read"
        assert any(
            k == verb and topic_matches_sub(r, topic("lab", "pi-1", stream)) for k, r in mine
        )
        assert not any(topic_matches_sub(r, topic("lab", "pi-2", stream)) for _, r in mine)


def message(fields=None, **changes):
    made = example_of(STRIDE).model_dump(mode="json", by_alias=True) | (fields or {})
    return Message(
        **{"topic": topic("lab", "pi-1", "gait/stride"), "payload": json.dumps(made).encode()}
        | changes
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (message(topic="evenstride/v1/lab/pi-1/gait/strode"), "no topic of the contract"),
        (message(topic="evenstride/v1/Lab/pi-1/gait/stride"), "no topic of the contract"),
        (message(retain=True), "retained, and should not be"),
        (message({"seq": "x"}), "seq: Input should be a valid integer"),
        (message({"subject": "Anna Muster"}), "not a subject code"),
        (message({"schema": "gait.stride/9.0"}), "schema gait.stride/9.0"),
        (message({"stream": "gait/bout"}), "the envelope says stream gait/bout"),
        (message(payload=b"\xff"), "Invalid JSON"),
    ],
)
def test_the_check_says_what_is_wrong(wrong, said):
    check = TrafficCheck()
    check.see(wrong)
    assert said in " ".join(check.faults)
    assert "Anna" not in " ".join(check.faults)


def test_the_check_finds_holes_and_disorder_and_lets_doubles_pass():
    check = TrafficCheck()
    for name, seq in (("a", 1), ("b", 2), ("b", 2), ("c", 5), ("d", 4)):
        check.see(message({"id": name, "seq": seq}))
    assert check.n_again == 1
    assert dict(check.faults) == {
        "gait/stride: a number in the sequence is missing": 1,
        "gait/stride: out of sequence": 1,
    }


@given(st.text(max_size=80), st.binary(max_size=200))
def test_any_traffic_is_judged_and_never_stumbled_over(text, payload):
    check = TrafficCheck()
    check.see(Message(text, payload))
    check.see(Message(topic("lab", "pi-1", "gait/stride"), payload))
    assert check.faults.total() >= 2
    with pytest.raises(UserError):
        check_payload(payload)


def stream_strides(port, path, stop):
    store = Store(path)
    with publishing(config_for(port), path):
        while not stop.is_set():
            store.add(STRIDE, STRIDE.example, time.monotonic_ns())
            store.commit()
            time.sleep(0.05)
    store.close()


@pytest.fixture
def walking_edge(mosquitto, tmp_path):
    """An edge that sends strides to a broker; gives the broker's port."""
    stop = threading.Event()
    thread = threading.Thread(
        target=stream_strides, args=(mosquitto.port, tmp_path / "store.sqlite", stop)
    )
    thread.start()
    yield mosquitto.port
    stop.set()
    thread.join()


@pytest.mark.broker
def test_our_own_traffic_is_as_the_contract_has_it(walking_edge):
    found = check_broker(Broker(host="127.0.0.1", port=walking_edge), 1.0, "check")
    assert not found.faults
    assert found.n["gait.stride/1.0"] > 5
    assert found.n["status/1.0"] >= 1


@pytest.mark.broker
def test_the_python_example_prints_strides(walking_edge):
    script = ROOT / "docs" / "examples" / "subscriber.py"
    done = subprocess.run(
        [sys.executable, script, "127.0.0.1", str(walking_edge), "3"],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert done.stdout.count(" left stride 1.0") == 3


@pytest.mark.broker
def test_the_javascript_example_prints_strides(walking_edge):
    script = ROOT / "docs" / "examples" / "subscriber.mjs"
    if shutil.which("node") is None or not (script.parent / "node_modules" / "mqtt").exists():
        pytest.skip("no mqtt.js: cd docs/examples && npm install mqtt")
    done = subprocess.run(
        ["node", script, "127.0.0.1", str(walking_edge), "3"],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert done.stdout.count(" left stride 1.0") == 3
