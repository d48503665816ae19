"""Commands that come over MQTT: off unless configured, noted before they are carried out."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from edge.acquire.control import ask
from edge.contract import REPLY
from edge.envelope import MAX_BYTES
from edge.errors import UserError
from edge.messages import Command, Reply

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge.operation.audit import Audit
    from edge.store.store import Store


class Commands:
    """Passes commands on to `acquire` through its socket and stores the replies.

    Parameters
    ----------
    socket : Path
        Of `acquire`.
    store : Store
        Where replies go, to be delivered like results.
    audit : Audit
        Each command stands there before it is carried out.
    now_ns : callable
        For the replies' time.
    """

    def __init__(self, socket: Path, store: Store, audit: Audit, now_ns: Callable[[], int]) -> None:
        self._socket = socket
        self._store = store
        self._audit = audit
        self._now_ns = now_ns

    def __call__(self, name: str, payload: bytes) -> None:
        """Carry out a command; what is no command at all is not answered."""
        if len(payload) > MAX_BYTES or not re.fullmatch(r"[a-z0-9_-]{1,32}", name):
            return
        try:
            command = Command.model_validate_json(payload)
        except ValidationError:
            return
        reply = self._carry_out(name, command)
        self._store.add(REPLY, reply, self._now_ns(), command=name)
        self._store.commit()

    def _carry_out(self, name: str, command: Command) -> Reply:
        try:
            self._audit.note("command", name=name, correlation=command.correlation)
            arguments = {key: value for key, value in command.arguments.items() if key != "command"}
            result = ask(self._socket, name, **arguments)
        except UserError as error:
            return Reply(correlation=command.correlation, ok=False, message=str(error))
        plain = {key: value for key, value in result.items() if _is_plain(value) and key != "ok"}
        return Reply(correlation=command.correlation, ok=True, result=plain)


def _is_plain(value: Any) -> bool:
    return (
        value is None
        or isinstance(value, str | int)
        or (isinstance(value, float) and math.isfinite(value))
    )
