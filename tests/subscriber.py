"""A consumer as an integrator would write one: hears everything, and keeps it in order."""

from __future__ import annotations

import json
import threading
import time

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion


class Subscriber:
    """Hears every topic of ours; comes back by itself when the broker was away."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[str, dict | None, bool]] = []
        self._news = threading.Condition()
        # A session that outlives the link: what comes while it is away is kept by the broker.
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"subscriber-{id(self)}",
            protocol=MQTTProtocolVersion.MQTTv311,
            clean_session=False,
        )
        self._client.reconnect_delay_set(0.05, 0.2)
        self._ready = threading.Event()
        self._client.on_connect = lambda client, *_: client.subscribe("evenstride/#", qos=1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_disconnect = lambda *_: self._ready.clear()
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self.wait_until_subscribed()

    def wait_until_subscribed(self) -> None:
        assert self._ready.wait(5)

    def wait_until_quiet(self, seconds: float = 0.1) -> None:
        n = -1
        while n != len(self.heard):
            n = len(self.heard)
            time.sleep(seconds)

    def wait_until_lost(self) -> None:
        while self._ready.is_set():
            time.sleep(0.005)

    def _on_message(self, _client, _data, message) -> None:
        payload = json.loads(message.payload) if message.payload else None
        with self._news:
            self.heard.append((message.topic, payload, message.retain))
            self._news.notify_all()

    def wait_for(self, condition, timeout_s: float = 10.0) -> None:
        """Wait until `condition(self.heard)` holds."""
        until = time.monotonic() + timeout_s
        with self._news:
            while not condition(self.heard):
                assert self._news.wait(until - time.monotonic()), self.heard[-1:]

    def payloads(self, stream: str) -> list[dict | None]:
        """What came on one stream, in order."""
        with self._news:
            return [payload for topic, payload, _ in self.heard if topic.endswith("/" + stream)]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
