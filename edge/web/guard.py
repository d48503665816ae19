"""Before the page: which names it answers to, who is let in, what browsers may do with it."""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from .pairing import COOKIE

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from .pairing import Pairing

HEADERS = {
    # Nothing from elsewhere, nothing inside the page's own text, no other page around it.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}
# [IPv6] or a name or an IPv4 address, with a port or without.
HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::\d{1,5})?")
PAIR = "/pair"
STATIC = "/static/"
API = "/api/"


class Guard:
    """Middleware around the page.

    Parameters
    ----------
    app : ASGIApp
        The page.
    names : collection of str
        That it answers to, beside addresses. A page elsewhere that makes its own name point here
        (DNS rebinding) is turned away; an address cannot be made to point anywhere.
    pairing : Pairing or None
        None where only this machine can reach the page.
    """

    def __init__(self, app: ASGIApp, names: Collection[str], pairing: Pairing | None) -> None:
        self._app = app
        self._names = {name.lower() for name in names}
        self._pairing = pairing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        answer = self._refusal(HTTPConnection(scope)) or self._app
        await answer(scope, receive, send_guarded)

    def _refusal(self, request: HTTPConnection) -> Response | None:
        host = request.headers.get("host", "")
        if not self._answers_to(host):
            text = f"This page does not answer to {host[:80]!r}: add the name to web.names."
            return PlainTextResponse(text, 421)
        # Not `request.url`: that is made of the name, which a stranger may write as he likes.
        path = request.scope["path"]
        if self._pairing is None or path == PAIR or path.startswith(STATIC):
            return None
        if self._pairing.is_paired(request.cookies.get(COOKIE, "")):
            return None
        if path.startswith(API):
            return JSONResponse({"error": "not paired: open the page and type the code"}, 401)
        return RedirectResponse(PAIR, 303)

    def _answers_to(self, host: str) -> bool:
        found = HOST.fullmatch(host.lower())
        if found is None:
            return False
        name = found[1] or found[2]
        return name in self._names or _is_address(name)


def names_of_this_host() -> set[str]:
    """Under which others find this machine without being told."""
    name = socket.gethostname().lower()
    return {"localhost", name, f"{name.partition('.')[0]}.local"}


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
