"""The way from the store to a real broker: in order, once, whatever becomes of the broker."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from edge.config import parse_config
from edge.contract import BOUT, SESSION, STATUS, STRIDE
from edge.messages import Session, Status
from edge.publish.mqtt_link import LinkLost
from edge.publish.publisher import Publisher
from edge.store.store import Store
from tests.mosquitto import Mosquitto, free_port, wait_for_port
from tests.proxy import Proxy
from tests.subscriber import Subscriber

pytestmark = pytest.mark.broker


@pytest.fixture
def subscriber(mosquitto):
    subscriber = Subscriber(mosquitto.port)
    yield subscriber
    subscriber.close()


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "store.sqlite")
    yield store
    store.close()


def config_for(port: int, **broker):
    values = {"host": "127.0.0.1", "port": port, "retry_s": 0.05, "patience_s": 0.3, **broker}
    return parse_config({"site": "lab", "edge": "pi-1", "broker": values})


@contextmanager
def publishing(config, store_path, **options):
    """Run a publisher in a thread, with a store of its own, as a process of its own would."""
    store = Store(store_path)
    publisher = Publisher(config, store, **options)
    stop = threading.Event()
    thread = threading.Thread(target=publisher.run, args=(stop,))
    thread.start()
    try:
        yield publisher
    finally:
        stop.set()
        thread.join(10)
        store.close()
        assert not thread.is_alive()


def add_strides(store, n):
    ids = [store.add(STRIDE, STRIDE.example, time.monotonic_ns()) for _ in range(n)]
    store.commit()
    return ids


def drained(store):
    until = time.monotonic() + 10
    while store.outbox.backlog().depth and time.monotonic() < until:
        time.sleep(0.01)
    return store.outbox.backlog().depth == 0


def test_delivers_in_order_and_empties_the_outbox(mosquitto, subscriber, store, tmp_path):
    with publishing(config_for(mosquitto.port), tmp_path / "store.sqlite") as publisher:
        ids = add_strides(store, 500)
        assert drained(store)
    strides = subscriber.payloads("gait/stride")
    assert [s["id"] for s in strides] == ids
    assert [s["seq"] for s in strides] == list(range(500))
    assert not any(s["historical"] for s in strides)
    assert publisher.n_published == 500


def test_every_result_arrives_although_the_broker_is_killed(store, tmp_path, mosquitto):
    subscriber, proxy = Subscriber(mosquitto.port), Proxy(mosquitto.port)
    ids = []
    with publishing(config_for(proxy.port), tmp_path / "store.sqlite"):
        for _ in range(5):
            ids += add_strides(store, 200)
            # What a broker has acknowledged and not passed on when it is killed is its own loss:
            # so it gets to pass on what it has, while no acknowledgement gets through.
            proxy.mode = "half_open"
            subscriber.wait_until_quiet()
            mosquitto.kill()
            # It forgets who listened: the way opens when the consumer is back.
            proxy.mode = "refusing"
            ids += add_strides(store, 100)
            subscriber.wait_until_lost()
            mosquitto.start()
            subscriber.wait_until_subscribed()
            proxy.mode = "open"
        assert drained(store)
    subscriber.wait_for(lambda _: in_order(subscriber.payloads("gait/stride"), ids))
    subscriber.close()
    proxy.close()


@pytest.mark.parametrize("fault", ["cut", "refusing", "half_open", "slow"])
def test_every_result_arrives_over_a_bad_wire(fault, store, tmp_path, mosquitto, monkeypatch):
    subscriber, proxy = Subscriber(mosquitto.port), Proxy(mosquitto.port)
    ids = []
    with publishing(config_for(proxy.port), tmp_path / "store.sqlite"):
        for _ in range(5):
            ids += add_strides(store, 100)
            proxy.mode = fault
            if fault in {"cut", "refusing"}:
                proxy.cut()
            ids += add_strides(store, 50)
            time.sleep(0.2)
            proxy.mode = "open"
        assert drained(store)
    subscriber.wait_for(lambda _: in_order(subscriber.payloads("gait/stride"), ids))
    subscriber.close()
    proxy.close()


def in_order(strides, ids):
    """Whether all came, each lane in order once what is sent again is dropped by its id."""
    lanes = {True: {}, False: {}}
    for stride in strides:
        if not any(stride["id"] in lane for lane in lanes.values()):
            lanes[stride["historical"]][stride["id"]] = stride["seq"]
    ordered = all(list(lane.values()) == sorted(lane.values()) for lane in lanes.values())
    return ordered and {**lanes[True], **lanes[False]}.keys() == set(ids)


def test_what_waited_is_historical_and_comes_after_what_is_live(
    mosquitto, subscriber, store, tmp_path, monkeypatch
):
    monkeypatch.setattr("edge.publish.delivery.LIVE_NS", 0)
    old = add_strides(store, 50)
    with publishing(
        config_for(mosquitto.port, backfill_per_s=200), tmp_path / "store.sqlite"
    ) as publisher:
        while not publisher.connected:
            time.sleep(0.005)
        new = add_strides(store, 5)
        assert drained(store)
    strides = subscriber.payloads("gait/stride")
    assert [s["id"] for s in strides if s["historical"]] == old
    assert [s["id"] for s in strides if not s["historical"]] == new


def test_a_stopped_broker_is_left_and_found_again(mosquitto, subscriber, store, tmp_path):
    with publishing(config_for(mosquitto.port), tmp_path / "store.sqlite") as publisher:
        first = add_strides(store, 3)
        assert drained(store)
        mosquitto.signal(signal.SIGSTOP)
        second = add_strides(store, 3)
        time.sleep(0.8)
        mosquitto.signal(signal.SIGCONT)
        assert drained(store)
        assert publisher.n_connects >= 2
    assert {s["id"] for s in subscriber.payloads("gait/stride")} == {*first, *second}


def test_retained_values_are_told_again_after_the_broker_forgot(mosquitto, store, tmp_path):
    store.claim("acquire")
    store.add(STATUS, Status(state="recording"), time.monotonic_ns())
    store.add(SESSION, SESSION.example, time.monotonic_ns())
    store.commit()
    with publishing(config_for(mosquitto.port), tmp_path / "store.sqlite"):
        assert drained(store)
        mosquitto.kill()
        mosquitto.start()
        late = Subscriber(mosquitto.port)
        late.wait_for(lambda heard: {"status", "session"} <= {t.split("/")[4] for t, _, _ in heard})
        assert late.payloads("status")[-1]["data"]["state"] == "recording"
        late.close()


def test_a_session_that_ends_leaves_an_empty_payload(mosquitto, subscriber, store, tmp_path):
    with publishing(config_for(mosquitto.port), tmp_path / "store.sqlite"):
        running = Session(session="s", started="2026-01-01T00:00:00.000000Z")
        store.add(SESSION, running, time.monotonic_ns())
        store.commit()
        assert drained(store)
        store.clear(SESSION)
        store.commit()
        subscriber.wait_for(lambda _: subscriber.payloads("session")[-1:] == [None])


def test_says_sleeping_without_acquire_and_offline_at_the_end(
    mosquitto, subscriber, store, tmp_path
):
    with publishing(config_for(mosquitto.port), tmp_path / "store.sqlite") as publisher:
        while not publisher.connected:
            time.sleep(0.005)
        subscriber.wait_for(lambda heard: heard)
    subscriber.wait_for(lambda heard: len(heard) >= 2)
    states = [s["data"]["state"] for s in subscriber.payloads("status")]
    assert states == ["sleeping", "offline"]


def test_the_broker_says_lost_when_the_publisher_dies(mosquitto, subscriber, store):
    config = config_for(mosquitto.port)
    link = Publisher(config, store)._open()
    link.abandon()
    subscriber.wait_for(lambda heard: heard)
    [will] = subscriber.payloads("status")
    assert will["data"]["state"] == "lost"
    assert will["boot_id"] == store.boot_id
    assert will["t"] is None


def test_a_burst_from_an_outage_does_not_hold_up_what_is_live(
    mosquitto, subscriber, store, tmp_path, monkeypatch
):
    monkeypatch.setattr("edge.publish.delivery.LIVE_NS", 0)
    add_strides(store, 3000)
    with publishing(config_for(mosquitto.port), tmp_path / "store.sqlite") as publisher:
        while not publisher.connected:
            time.sleep(0.005)
        store.add(BOUT, BOUT.example, time.monotonic_ns())
        store.commit()
        subscriber.wait_for(lambda _: subscriber.payloads("gait/bout"))
        assert store.outbox.backlog().depth > 1000
        assert drained(store)
        assert publisher.lag_s < 5.0


def test_names_a_broker_that_is_not_there(tmp_path, store):
    with pytest.raises(LinkLost, match=r"broker 127.0.0.1:1: Connection refused"):
        Publisher(config_for(1), store).probe()


def test_names_a_broker_that_refuses(tmp_path, store):
    broker = Mosquitto(tmp_path, "allow_anonymous false")
    broker.start()
    try:
        with pytest.raises(LinkLost, match=r"refused: Not authorized"):
            Publisher(config_for(broker.port), store).probe()
    finally:
        broker.kill()


@pytest.mark.parametrize("mqtt", ["auto", "3.1.1"])
def test_speaks_the_older_protocol_to_a_broker_that_knows_no_better(mqtt, store, tmp_path):
    pytest.importorskip("amqtt", reason="the demo's broker is not installed")
    port = free_port()
    broker = subprocess.Popen([sys.executable, "-m", "edge.demo.broker", str(port)])
    try:
        wait_for_port(port)
        subscriber = Subscriber(port)
        with publishing(config_for(port, mqtt=mqtt), tmp_path / "store.sqlite"):
            ids = add_strides(store, 20)
            assert drained(store)
        subscriber.wait_for(lambda _: in_order(subscriber.payloads("gait/stride"), ids))
        subscriber.close()
    finally:
        broker.terminate()
        broker.wait()
