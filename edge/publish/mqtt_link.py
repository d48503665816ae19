"""One connection to a broker: opened once, used until it is lost, never reused.

paho's network thread does the reading and writing; what it reports waits in `events` for the
publisher's own thread. A new connection is a new link, so no state of an old one can leak into it.
"""

from __future__ import annotations

import queue
import ssl
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.config import Broker

MQTT_5 = MQTTProtocolVersion.MQTTv5
MQTT_311 = MQTTProtocolVersion.MQTTv311
VERSIONS = {"auto": (MQTT_5, MQTT_311), "5": (MQTT_5,), "3.1.1": (MQTT_311,)}
# MQTT 5, 3.2.2.2: unsupported protocol version; an older broker may say 1 as in MQTT 3.1.1.
WRONG_VERSION = {1, 132}
CONNECT_S = 5.0
# How long to wait for the answer to the first packet. One that knows no MQTT 5 may misread ours and
# wait for more of it, so there the patience is less.
ANSWER_S = {MQTT_5: 4.0, MQTT_311: 10.0}
# Enough for a wide-area round trip, few enough that live results never queue long behind old ones.
WINDOW = 100


class LinkLost(Exception):  # noqa: N818 (the rooms call it so)
    """There is no connection, or no longer one; the message says why."""


class WrongVersion(LinkLost):
    """The broker speaks, but not this version of MQTT."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent, or came in."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The broker has taken a message, or says why not."""

    mid: int
    refused: str | None


class Link:
    """A connection to a broker.

    Parameters
    ----------
    broker : Broker
        Address, TLS, keep-alive.
    client_id : str
        Name at the broker; whoever comes later with the same one drives this one out.
    will : Message, optional
        What the broker publishes when this link breaks.
    subscriptions : sequence of str
        Topics to hear, at QoS 1.
    version : MQTTProtocolVersion
        5 or 3.1.1.

    Attributes
    ----------
    events : SimpleQueue
        `Acknowledged` and incoming `Message`s; None wakes the reader when the link is lost.
    window : int
        Messages that may be under way at once.
    """

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        will: Message | None = None,
        subscriptions: Sequence[str] = (),
        version: MQTTProtocolVersion = MQTT_5,
    ) -> None:
        self.events: queue.SimpleQueue[Acknowledged | Message | None] = queue.SimpleQueue()
        self.window = WINDOW
        self._broker = broker
        self._version = version
        self._subscriptions = subscriptions
        self._answered = threading.Event()
        self._lost: str | None = None
        self._wrong_version = False
        self._client = self._make_client(client_id, will)

    def _make_client(self, client_id: str, will: Message | None) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=self._version,
            reconnect_on_failure=False,
        )
        if will is not None:
            client.will_set(will.topic, will.payload, will.qos, will.retain)
        client.max_inflight_messages_set(WINDOW)
        client.connect_timeout = CONNECT_S
        if self._broker.tls:
            client.tls_set_context(tls_context(self._broker))
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        return client

    def open(self) -> None:
        """Connect and wait for the broker's answer.

        Raises
        ------
        LinkLost
            Saying address and reason.
        """
        host, port = self._broker.address
        try:
            self._client.connect(host, port, self._broker.keepalive_s)
        except (OSError, ValueError) as error:
            raise LinkLost(f"broker {host}:{port}: {_reason(error)}") from None
        self._client.loop_start()
        if not self._answered.wait(ANSWER_S[self._version]):
            self._lost, self._wrong_version = "no answer", True
        if self._lost is not None:
            self._client.loop_stop()
            kind = WrongVersion if self._wrong_version else LinkLost
            raise kind(f"broker {host}:{port}: {self._lost}")

    def send(self, message: Message) -> int:
        """Hand a message to the network thread; its number comes back in an `Acknowledged`.

        Raises
        ------
        LinkLost
            If the link is gone.
        """
        self.check()
        extra = None
        if self._version == MQTT_5 and message.payload:
            extra = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            extra.PayloadFormatIndicator = 1
            extra.ContentType = "application/json"
        info = self._client.publish(
            message.topic, message.payload, message.qos, message.retain, extra
        )
        if info.rc not in {MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_QUEUE_SIZE}:
            raise LinkLost(f"not sent: {info.rc.name}")
        return info.mid

    def check(self) -> None:
        """Raise `LinkLost` if the link is gone."""
        if self._lost is not None:
            raise LinkLost(self._lost)

    def close(self) -> None:
        """Say goodbye, so that the broker keeps the will to itself."""
        self._client.disconnect()
        self._client.loop_stop()

    def abandon(self) -> None:
        """Break off without a goodbye: the broker publishes the will."""
        self._lost = self._lost or "abandoned"
        # Without on_disconnect's help: a half-open socket would wait for the keep-alive.
        if (socket := self._client.socket()) is not None:
            socket.close()
        self._client.loop_stop()

    # The rest runs in paho's network thread.

    def _on_connect(self, client: Client, _data: Any, _flags: Any, code: Any, props: Any) -> None:
        if code.is_failure:
            self._lost = f"refused: {code}"
            self._wrong_version = code.value in WRONG_VERSION
        else:
            self.window = min(WINDOW, getattr(props, "ReceiveMaximum", WINDOW))
            for topic in self._subscriptions:
                client.subscribe(topic, qos=1)
        self._answered.set()

    def _on_connect_fail(self, _client: Client, _data: Any) -> None:
        self._lost = "connection failed"
        self._answered.set()

    def _on_disconnect(
        self, _client: Client, _data: Any, _flags: Any, code: Any, _props: Any
    ) -> None:
        # Closed before any answer: how some brokers of MQTT 3.1.1 meet a client of MQTT 5.
        self._wrong_version |= not self._answered.is_set()
        self._lost = self._lost or f"lost: {code}"
        self._answered.set()
        self.events.put(None)

    def _on_publish(self, _client: Client, _data: Any, mid: int, code: Any, _props: Any) -> None:
        self.events.put(Acknowledged(mid, str(code) if code.is_failure else None))

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        payload = bytes(message.payload)
        self.events.put(Message(message.topic, payload, message.qos, message.retain))


def open_link(
    broker: Broker,
    client_id: str,
    will: Message | None = None,
    subscriptions: Sequence[str] = (),
) -> Link:
    """Connect by the version the configuration names; `auto`: by 5, else by 3.1.1.

    Raises
    ------
    LinkLost
        Saying address and reason.
    """
    versions = VERSIONS[broker.mqtt]
    for version in versions:
        link = Link(broker, client_id, will, subscriptions, version)
        try:
            link.open()
        except WrongVersion:
            if version is versions[-1]:
                raise
        else:
            break
    return link


def tls_context(broker: Broker) -> ssl.SSLContext:
    """TLS 1.2 or later; the broker's name and signature are always checked.

    Raises
    ------
    UserError
        Naming the file that cannot be used; never what is in it.
    """
    file = broker.ca_file
    try:
        context = ssl.create_default_context(cafile=broker.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if broker.cert_file is not None and broker.key_file is not None:
            file = broker.cert_file
            context.load_cert_chain(broker.cert_file, broker.key_file)
    except (OSError, ssl.SSLError) as error:
        why = error.strerror or error
        raise UserError(f"{file} (or its key): {why}: expected a certificate in PEM") from None
    return context


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is refused: {error.verify_message}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)
