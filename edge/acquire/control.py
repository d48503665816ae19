"""The Unix socket through which other programs speak with `acquire`.

A request is one line of JSON, `{"command": NAME, ...}`; the reply is one line,
`{"ok": true, ...}` or `{"ok": false, "error": SENTENCE}`. A connection may send many.
"""

from __future__ import annotations

import json
import socket
import socketserver
import threading
from typing import TYPE_CHECKING, Any, Self

from edge.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

# A request is a name and a few words; longer than this is a mistake or an attack.
LONGEST_REQUEST = 64 * 1024
TIMEOUT_S = 5.0


class ControlServer:
    """Answers requests, each connection in a thread of its own.

    Parameters
    ----------
    path : Path
        Where the socket is made; a dead one that lies there is replaced.
    commands : mapping of name to callable
        Takes the request, gives the reply. May raise `UserError`.
    """

    def __init__(
        self, path: Path, commands: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and _answers(path):
            raise UserError(f"{path}: another acquire is running; stop it first")
        path.unlink(missing_ok=True)
        self._path = path
        self._server = _Server(str(path), _Handler)
        self._server.commands = commands
        path.chmod(0o660)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.5,), name="control", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._path.unlink(missing_ok=True)


def ask(path: Path, command: str, **arguments: Any) -> dict[str, Any]:
    """Send one request to a running `acquire` and return its reply.

    Raises
    ------
    UserError
        Where nothing listens, or the request is refused.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
            link.settimeout(TIMEOUT_S)
            link.connect(str(path))
            link.sendall(json.dumps({"command": command, **arguments}).encode() + b"\n")
            reply: dict[str, Any] = json.loads(link.makefile("rb").readline())
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path}: acquire does not answer ({error}); start it with: evenstride acquire"
        ) from error
    if not reply.get("ok"):
        raise UserError(str(reply.get("error", "acquire refused without a reason")))
    return reply


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(1.0)
        return link.connect_ex(str(path)) == 0


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False
    commands: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        while line := self.rfile.readline(LONGEST_REQUEST + 1):
            try:
                self.wfile.write(json.dumps(self._reply(line)).encode() + b"\n")
            except (BrokenPipeError, ConnectionResetError):
                return

    def _reply(self, line: bytes) -> dict[str, Any]:
        if len(line) > LONGEST_REQUEST:
            return _refusal(f"a request of more than {LONGEST_REQUEST} bytes")
        try:
            request = json.loads(line)
        except (ValueError, RecursionError):
            return _refusal("a request that is not JSON; expected one object on a line")
        if not isinstance(request, dict) or not isinstance(request.get("command"), str):
            return _refusal('a request without a command; expected {"command": NAME}')
        command = self.server.commands.get(request["command"])
        if command is None:
            known = ", ".join(sorted(self.server.commands))
            return _refusal(f"command {request['command'][:40]!r}; expected one of {known}")
        try:
            return {"ok": True, **command(request)}
        except UserError as error:
            return _refusal(str(error))


def _refusal(sentence: str) -> dict[str, Any]:
    return {"ok": False, "error": sentence}
