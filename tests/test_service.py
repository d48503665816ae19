"""A process as a service: the watchdog, health, and commands that come over MQTT."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.acquire.control import ControlServer
from edge.config import Config, parse_config
from edge.contract import COMMAND, DIAG, INFO, topic
from edge.errors import UserError
from edge.messages import Command
from edge.operation.audit import Audit
from edge.operation.service import Service
from edge.publish.commands import Commands
from edge.publish.health import (
    CertificateWatch,
    ClockWatch,
    Health,
    is_encrypted,
    memory_mb,
    temperature_degc,
)
from edge.publish.mqtt_link import Message, open_link
from edge.publish.publisher import Publisher
from edge.publish.service import describe, run_publish
from edge.store.store import Store
from tests.subscriber import Subscriber


@pytest.fixture
def systemd(tmp_path, monkeypatch):
    """What systemd would hear."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
        link.bind(str(tmp_path / "notify"))
        link.settimeout(0.05)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "300000")

        def heard():
            try:
                return link.recv(1000).decode()
            except TimeoutError:
                return None

        yield heard


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "store.sqlite")
    yield store
    store.close()


def test_the_watchdog_is_fed_only_when_every_worker_went_on(systemd):
    service = Service("read", "record")
    service.ready()
    assert systemd() == "READY=1"
    time.sleep(0.15)
    service.progress("read")
    service.progress("read")
    assert systemd() is None
    service.progress("record")
    assert systemd() == "WATCHDOG=1"
    service.progress("read")
    service.progress("record")
    assert systemd() is None  # fed a moment ago


def test_without_systemd_nothing_happens(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    service = Service("read")
    service.ready()
    service.progress("read")


def test_a_status_is_one_line(systemd):
    Service().status("two\nlines")
    assert systemd() == "STATUS=two lines"


def test_health_tells_what_waits_and_what_room_is_left(store, tmp_path):
    diag = Health(store, tmp_path)(Publisher(Config(), store))
    assert (diag.outbox_depth, diag.outbox_age_s) == (0, None)
    assert diag.disk_free_mb > 0
    assert 5 < memory_mb() < 5000
    assert temperature_degc() is None or -40 < temperature_degc() < 120
    assert is_encrypted(tmp_path / "not" / "there") in {True, False, None}
    assert DIAG.model is type(diag)


def test_says_when_the_wall_clock_jumped_and_not_when_it_drifts(store):
    clock = {"utc": 10**18, "mono": 0}
    watch = ClockWatch(store, lambda: clock["utc"], lambda: clock["mono"])
    for step_ns in (50_000_000, 0, -86_400 * 10**9, 50_000_000):
        clock["utc"] += 10**9 + step_ns
        clock["mono"] += 10**9
        watch.look()
    [event] = [json.loads(payload)["data"] for payload in store.results("event/clock")]
    assert event["values"] == {"step_s": -86_400.0}


def test_says_each_day_that_the_certificate_lapses(store, tmp_path):
    path = tmp_path / "edge.crt"
    made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=edge-1", "-days", "30"]
    subprocess.run(["openssl", *made, "-keyout", tmp_path / "key", "-out", path], check=True)
    began = datetime.now(UTC)
    hours = iter((0, 10 * 24, 10 * 24 + 1, 11 * 24, 31 * 24))
    watch = CertificateWatch(store, path, lambda: began + timedelta(hours=next(hours)))
    for _ in range(5):
        watch.look()
    told = [json.loads(payload)["data"] for payload in store.results("event/certificate")]
    assert [event["severity"] for event in told] == ["alarm", "warning", "warning"]
    assert "has lapsed" in told[0]["message"]
    assert "lapses in 20 days" in told[2]["message"]


def test_without_a_certificate_nothing_is_said_of_it(store, tmp_path):
    (tmp_path / "strange").write_text("none")
    for path in (None, tmp_path / "missing", tmp_path / "strange"):
        CertificateWatch(store, path).look()
    assert store.results("event/certificate") == []


@pytest.fixture
def commands(store, tmp_path):
    """Commands to an `acquire` that knows one."""
    known = {"start": lambda request: {"session": f"for {request['protocol']}", "list": [1]}}
    audit = Audit(tmp_path / "audit.jsonl")
    with ControlServer(tmp_path / "c.sock", known):
        yield Commands(tmp_path / "c.sock", store, audit, time.monotonic_ns)


def replies(store, name):
    return [json.loads(payload)["data"] for payload in store.results(f"cmd/{name}/reply")]


def asked(**arguments):
    return Command(correlation="c-1", arguments=arguments).model_dump_json().encode()


def test_a_command_is_noted_carried_out_and_answered(commands, store, tmp_path):
    commands("start", asked(protocol="stairs", command="stop"))
    [reply] = replies(store, "start")
    assert reply == {
        "correlation": "c-1",
        "ok": True,
        "message": None,
        "result": {"session": "for stairs"},
    }
    assert Audit(tmp_path / "audit.jsonl").verify() == 1


def test_an_unknown_command_is_refused_in_a_sentence(commands, store):
    commands("explode", asked())
    [reply] = replies(store, "explode")
    assert not reply["ok"]
    assert "expected one of start" in reply["message"]


@given(st.text(max_size=40), st.binary(max_size=200))
def test_any_bytes_are_a_command_or_nothing(tmp_path_factory, name, payload):
    folder = tmp_path_factory.mktemp("fuzz")
    commands = Commands(folder / "none.sock", None, Audit(folder / "a.jsonl"), time.monotonic_ns)
    commands(name, payload)
    assert not (folder / "a.jsonl").exists()


@pytest.fixture
def edge(mosquitto, tmp_path):
    """`evenstride publish` with commands on."""
    broker = {"host": "127.0.0.1", "port": mosquitto.port, "commands": True, "retry_s": 0.05}
    folders = {"state": str(tmp_path), "runtime": str(tmp_path)}
    config = parse_config({"broker": broker, "folders": folders})
    stop = threading.Event()
    thread = threading.Thread(target=run_publish, args=(config, stop))
    thread.start()
    yield config
    stop.set()
    thread.join()


@pytest.mark.broker
def test_a_command_over_the_broker_is_answered_there(edge, mosquitto):
    listener = Subscriber(mosquitto.port)
    listener.wait_for(lambda _: listener.payloads("status"))
    operator = open_link(edge.broker, "operator")
    name = topic(edge.site, edge.edge, COMMAND.stream(command="start"))
    operator.send(Message(name, asked(), retain=True))  # kept by the broker: never obeyed later
    operator.send(Message(name, asked()))
    listener.wait_for(lambda _: listener.payloads("cmd/start/reply"))
    assert "acquire does not answer" in listener.payloads("cmd/start/reply")[0]["data"]["message"]
    operator.close()
    listener.close()


@pytest.mark.broker
def test_tells_what_it_is_and_how_it_fares(edge, mosquitto):
    listener = Subscriber(mosquitto.port)
    listener.wait_for(lambda _: listener.payloads("info") and listener.payloads("diag"))
    assert INFO.model.model_validate(listener.payloads("info")[0]["data"]) == describe(edge)
    listener.close()


@pytest.mark.broker
def test_one_publisher_a_store(edge):
    time.sleep(0.3)
    with pytest.raises(UserError, match="`publish` runs already"):
        run_publish(edge, threading.Event())
