"""Holds a live broker's traffic against the table of channels."""

from __future__ import annotations

import json
import time
from collections import Counter
from queue import Empty
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from edge.contract import ROOT, Channel, channel_of, parse_topic
from edge.envelope import MAX_BYTES
from edge.errors import UserError
from edge.publish.mqtt_link import LinkLost, Message, open_link

if TYPE_CHECKING:
    from edge.config import Broker


class TrafficCheck:
    """Judges messages one after the other.

    Attributes
    ----------
    n : Counter of schema id
        Messages that are as they should be.
    n_again : int
        Messages that came a second time with the same id, as QoS 1 may.
    faults : Counter of sentence
        What is wrong, and how often.
    """

    def __init__(self) -> None:
        self.n: Counter[str] = Counter()
        self.n_again = 0
        self.faults: Counter[str] = Counter()
        self._ids: set[str] = set()
        self._last: dict[tuple[str, str, str, bool], int] = {}

    def see(self, message: Message) -> None:
        """Judge a message."""
        parts = parse_topic(message.topic)
        channel = channel_of(parts[2]) if parts else None
        if parts is None or channel is None:
            self._fault(message.topic, "no topic of the contract")
            return
        if message.retain and not channel.retain:
            self._fault(parts[2], "retained, and should not be")
        if len(message.payload) > MAX_BYTES:
            self._fault(parts[2], f"{len(message.payload)} bytes, at most {MAX_BYTES} are allowed")
        if not message.payload and channel.retain:
            self.n[channel.schema_id] += 1
            return
        if channel.direction == "out":
            self._see_envelope(channel, parts[1], parts[2], message.payload)

    def _see_envelope(self, channel: Channel, edge: str, stream: str, payload: bytes) -> None:
        try:
            made = channel.envelope.model_validate_json(payload)
        except ValidationError as error:
            for fault in error.errors(include_input=False):
                self._fault(stream, f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}")
            return
        if made.schema_ != channel.schema_id:
            self._fault(stream, f"schema {made.schema_}: this program knows {channel.schema_id}")
        if made.stream != stream:
            self._fault(stream, f"the envelope says stream {made.stream}")
        if made.id in self._ids:
            self.n_again += 1
            return
        self._ids.add(made.id)
        self._see_order(channel, edge, made)
        self.n[channel.schema_id] += 1

    def _see_order(self, channel: Channel, edge: str, made: Any) -> None:
        if made.seq is None:
            return
        key = (edge, made.boot_id, made.stream, made.historical)
        last = self._last.get(key)
        self._last[key] = made.seq
        if last is not None and made.seq < last:
            self._fault(made.stream, "out of sequence")
        # States overtake each other on purpose; and a first message may be anywhere.
        elif last is not None and made.seq > last + 1 and not (channel.latest or made.historical):
            self._fault(made.stream, "a number in the sequence is missing")

    def _fault(self, stream: str, what: str) -> None:
        self.faults[f"{stream}: {what}"] += 1

    def report(self) -> str:
        """Write what was seen, as text for a person."""
        lines = [f"{n:8d}  {schema}" for schema, n in sorted(self.n.items())]
        lines.append(f"{self.n_again:8d}  came again with the same id")
        lines += [f"{n:8d}  FAULT {fault}" for fault, n in sorted(self.faults.items())]
        return "\n".join(lines)


def check_broker(broker: Broker, duration_s: float, client_id: str) -> TrafficCheck:
    """Listen to everything of ours at a broker for some seconds.

    Raises
    ------
    UserError
        If the broker cannot be reached, or is lost.
    """
    check = TrafficCheck()
    try:
        link = open_link(broker, client_id, subscriptions=[f"{ROOT}/#"])
        until_s = time.monotonic() + duration_s
        while (left_s := until_s - time.monotonic()) > 0:
            link.check()
            try:
                event = link.events.get(timeout=min(left_s, 0.2))
            except Empty:
                continue
            if isinstance(event, Message):
                check.see(event)
        link.close()
    except LinkLost as lost:
        raise UserError(f"{lost}; is it running, and is the address right?") from None
    return check


def check_payload(text: bytes) -> str:
    """Judge one payload from a file: its schema id, if it is as it should be.

    Raises
    ------
    UserError
        Saying which field is wrong.
    """
    try:
        stream = json.loads(text)["stream"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UserError(
            "the payload: not an envelope of ours: expected JSON with `stream`"
        ) from None
    channel = channel_of(str(stream))
    if channel is None:
        raise UserError(f"stream {str(stream)[:60]!r}: expected one of the table of channels")
    try:
        channel.envelope.model_validate_json(text)
    except ValidationError as error:
        fault = error.errors(include_input=False)[0]
        raise UserError(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}") from None
    return channel.schema_id
