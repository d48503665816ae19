"""Provisioning, and what a real broker makes of it: nobody gets in, nobody speaks for another."""

from __future__ import annotations

import logging
import re
import subprocess
import tarfile
import threading
import time
import tomllib
from contextlib import contextmanager

import pytest

from edge.config import Broker, parse_config
from edge.contract import STRIDE, topic
from edge.errors import UserError
from edge.operation.audit import Audit
from edge.operation.provision import Site, open_site
from edge.publish.mqtt_link import Acknowledged, LinkLost, Message, open_link
from edge.publish.publisher import Publisher
from edge.store.store import Store
from tests.mosquitto import PROGRAM, Mosquitto, free_port

WILL = Message(topic("lab", "pi-1", "status"), b"{}", 1, retain=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("site") / "s", "lab", ["127.0.0.1", "localhost"])
    site.create()
    for edge in ("pi-1", "pi-2"):
        site.add_edge(edge)
    for role in ("reader", "operator"):
        site.add_account(role)
    return site


@contextmanager
def broker_of(site, folder):
    if PROGRAM is None:
        pytest.skip("no mosquitto: sudo apt-get install mosquitto")
    conf = (site.folder / "mosquitto.conf").read_text()
    port = free_port()
    broker = Mosquitto(folder, "")
    broker.port = port
    settings = conf.replace("listener 8883", f"listener {port} 127.0.0.1")
    settings = settings.replace("/etc/mosquitto/evenstride", str(site.folder))
    (folder / "mosquitto.conf").write_text(f"user root\npersistence_location {folder}/\n{settings}")
    broker.start()
    try:
        yield port
    finally:
        broker.kill()


@pytest.fixture
def port(site, tmp_path):
    with broker_of(site, tmp_path) as port:
        yield port


def broker_as(site, name, port, **changes):
    return Broker(
        **{
            "host": "127.0.0.1",
            "port": port,
            "tls": True,
            "ca_file": site.folder / "ca.crt",
            "cert_file": site.folder / f"{name}.crt",
            "key_file": site.folder / f"{name}.key",
            **changes,
        }
    )


def said_to(link, message):
    """What the broker says to one message: None where it takes it."""
    mid = link.send(message)
    while True:
        event = link.events.get(timeout=5)
        if isinstance(event, Acknowledged) and event.mid == mid:
            return event.refused


def test_keys_are_for_their_owner_alone(site):
    for key in [*site.folder.glob("*.key"), *site.folder.glob("*.tar")]:
        assert key.stat().st_mode & 0o077 == 0


def test_a_bundle_holds_a_configuration_that_loads(site):
    with tarfile.open(site.folder / "pi-1.tar") as tar:
        assert tar.getmember("etc/credstore/evenstride.mqtt.key").mode == 0o600
        text = tar.extractfile("etc/evenstride/evenstride.toml").read().decode()
    values = tomllib.loads(text)
    config = parse_config(values)
    assert (config.site, config.edge, config.broker.address) == ("lab", "pi-1", ("127.0.0.1", 8883))


def test_a_bundle_brings_what_the_page_needs_and_leaves_it_closed(site):
    with tarfile.open(site.folder / "pi-1.tar") as tar:
        names = tar.getnames()
        settings = tar.extractfile("etc/evenstride/evenstride.toml").read().decode()
        key = tar.getmember("etc/credstore/evenstride.web.key")
    assert "etc/evenstride/web.crt" in names
    assert key.mode == 0o600
    assert parse_config(tomllib.loads(settings)).web.is_local
    opened = tomllib.loads(re.sub(r"^#(?! )", "", settings, flags=re.MULTILINE))
    assert parse_config(opened).web.url == "https://pi-1.local:8750/"


def test_the_brokers_bundle_holds_all_its_files_and_not_the_authoritys_key(site):
    conf = (site.folder / "mosquitto.conf").read_text()
    with tarfile.open(site.folder / "broker.tar") as tar:
        names = {f"/{name}" for name in tar.getnames()}
        assert tar.getmember("etc/mosquitto/evenstride/broker.key").gname == "mosquitto"
    needed = {word for word in conf.split() if word.startswith("/etc/mosquitto/evenstride/")}
    assert names == needed | {"/etc/mosquitto/conf.d/evenstride.conf"}


@pytest.mark.parametrize("name", ["operator", "reader", "broker", "ca", "Pi 1", "../x", ""])
def test_refuses_names_with_rights_and_names_that_are_none(site, name):
    with pytest.raises(UserError, match="edge"):
        site.add_edge(name)


def test_a_site_is_not_made_twice(site):
    with pytest.raises(UserError, match="holds a site already"):
        Site(site.folder, "lab", ["127.0.0.1"]).create()


def test_what_was_issued_stands_in_the_log(site):
    assert Audit(site.folder / "audit.jsonl").verify() >= 5
    assert open_site(site.folder).host == "127.0.0.1"


@pytest.mark.broker
def test_an_edge_speaks_for_itself_and_for_nobody_else(site, port):
    link = open_link(broker_as(site, "pi-1", port), "pi-1", WILL)
    assert said_to(link, Message(topic("lab", "pi-1", "gait/stride"), b"{}")) is None
    for forbidden in (
        topic("lab", "pi-2", "gait/stride"),
        topic("lab", "pi-2", "cmd/start"),
        topic("lab", "pi-1", "cmd/start"),
        topic("other", "pi-1", "gait/stride"),
        "anything/else",
    ):
        assert said_to(link, Message(forbidden, b"{}")) == "Not authorized"
    link.close()


@pytest.mark.broker
def test_an_edge_cannot_hear_another(site, port):
    spy = open_link(broker_as(site, "pi-2", port), "pi-2", None, ["evenstride/v1/#"])
    reader = open_link(broker_as(site, "reader", port), "r", None, ["evenstride/v1/lab/#"])
    sender = open_link(broker_as(site, "pi-1", port), "pi-1", WILL)
    assert said_to(sender, Message(topic("lab", "pi-1", "gait/stride"), b"{}")) is None
    assert isinstance(reader.events.get(timeout=5), Message)
    time.sleep(0.2)
    assert spy.events.empty()
    for link in (spy, reader, sender):
        link.close()


@pytest.mark.broker
def test_only_an_operator_commands(site, port):
    command = Message(topic("lab", "pi-1", "cmd/start"), b"{}")
    edge = open_link(broker_as(site, "pi-1", port), "pi-1", WILL, [topic("lab", "pi-1", "cmd/+")])
    reader = open_link(broker_as(site, "reader", port), "reader")
    assert said_to(reader, command) == "Not authorized"
    operator = open_link(broker_as(site, "operator", port), "operator")
    assert said_to(operator, command) is None
    heard = edge.events.get(timeout=5)
    assert (heard.topic, heard.payload) == (command.topic, command.payload)
    for link in (edge, reader, operator):
        link.close()


def connect(broker):
    open_link(broker, "pi-1", WILL).close()


@pytest.mark.broker
def test_refuses_who_has_no_certificate_or_a_strange_one(site, port, tmp_path):
    strange = Site(tmp_path / "strange", "lab", ["127.0.0.1"])
    strange.create()
    strange.add_edge("pi-1")
    with pytest.raises(LinkLost):
        connect(broker_as(site, "pi-1", port, cert_file=None, key_file=None))
    certificate = {
        "cert_file": strange.folder / "pi-1.crt",
        "key_file": strange.folder / "pi-1.key",
    }
    with pytest.raises(LinkLost):
        connect(broker_as(site, "pi-1", port, **certificate))


@pytest.mark.broker
def test_refuses_a_broker_that_is_not_ours(site, port, tmp_path):
    strange = Site(tmp_path / "strange", "lab", ["127.0.0.1"])
    strange.create()
    with pytest.raises(LinkLost, match=r"its certificate is refused: .*(issuer|self.signed)"):
        connect(broker_as(site, "pi-1", port, ca_file=strange.folder / "ca.crt"))


@pytest.mark.broker
def test_refuses_a_broker_under_another_name(tmp_path):
    site = Site(tmp_path / "s", "lab", ["broker.example.org"])
    site.create()
    site.add_edge("pi-1")
    with (
        broker_of(site, tmp_path) as port,
        pytest.raises(LinkLost, match="its certificate is refused: IP address mismatch"),
    ):
        connect(broker_as(site, "pi-1", port))


@pytest.mark.broker
def test_an_expired_or_revoked_certificate_locks_out(tmp_path):
    site = Site(tmp_path / "s", "lab", ["127.0.0.1"])
    site.create()
    site.add_edge("pi-1", days=-1)
    site.add_edge("pi-2")
    site.add_edge("pi-3")
    site.revoke("pi-2")
    with broker_of(site, tmp_path) as port:
        connect(broker_as(site, "pi-3", port))
        for locked_out in ("pi-1", "pi-2"):
            with pytest.raises(LinkLost):
                connect(broker_as(site, locked_out, port))


@pytest.mark.broker
def test_results_arrive_over_tls_and_no_secret_is_logged(site, port, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    store = Store(tmp_path / "store.sqlite")
    store.add(STRIDE, STRIDE.example, time.monotonic_ns())
    store.commit()
    config = parse_config(
        {"site": "lab", "edge": "pi-1", "broker": broker_as(site, "pi-1", port).model_dump()}
    )
    publisher = Publisher(config, store)
    stop = threading.Event()
    thread = threading.Thread(target=publisher.run, args=(stop,))
    thread.start()
    until = time.monotonic() + 5
    while store.outbox.backlog().depth and time.monotonic() < until:
        time.sleep(0.02)
    stop.set()
    thread.join()
    assert publisher.n_published == 1
    assert publisher.error is None
    key = (site.folder / "pi-1.key").read_text().splitlines()[1]
    assert key not in caplog.text
    store.close()


def test_certificates_say_what_they_are_for(site):
    def text(name):
        command = ["openssl", "x509", "-in", site.folder / f"{name}.crt", "-noout", "-text"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    assert "TLS Web Client Authentication" in text("pi-1")
    assert "TLS Web Server Authentication" in text("broker")
    assert "CA:FALSE" in text("pi-1")
    # The key of the page opens no broker.
    assert "TLS Web Client Authentication" not in text("pi-1.web")
    assert "DNS:pi-1.local" in text("pi-1.web")
    assert "CA:TRUE, pathlen:0" in text("ca")
