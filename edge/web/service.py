"""`evenstride web` put together: socket, pairing, page, watchdog."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import sys
from typing import TYPE_CHECKING

import uvicorn

from edge.errors import UserError
from edge.operation.service import Service

from .guard import names_of_this_host
from .page import Page
from .pairing import Pairing, load_key, write_secret
from .sight import Sight

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from edge.config import Config, Web

ROLE = "web"
TURN_S = 0.2
# More than a clinic has tablets; whoever opens more connections is turned away with 503.
MOST_CONNECTIONS = 64
# A browser that went out of reach is given up: the kernel counts from the last unanswered byte.
GONE_MS = 20_000
GOODBYE_S = 5


def run_web(config: Config, stop: threading.Event, say: Callable[[str], None]) -> None:
    """Serve the page until told to stop; `say` takes lines for the person at the terminal.

    Raises
    ------
    UserError
        Where the address is taken, or a certificate cannot be read.
    """
    web = config.web
    pairing = None
    if not web.is_local:
        path = config.folders.pairing_code

        def show(code: str) -> None:
            write_secret(path, code)
            # For those who are at the machine: a log that is carried off must not hold it.
            if sys.stdout.isatty():
                say(f"Pairing code for the next tablet: {code[:4]} {code[4:]}")

        pairing = Pairing(load_key(config.folders.pairing_key), show)
        say(f"A pairing code stands in {path}, for root and the service's account.")
    names = names_of_this_host() | set(web.names)
    with _listen(web) as listener, contextlib.ExitStack() as stack:
        if pairing is not None:
            stack.callback(config.folders.pairing_code.unlink, missing_ok=True)
        page = Page(Sight(config), names, pairing, lambda: server.should_exit)
        server = uvicorn.Server(_settings(page, web))
        say(f"The page: {web.url}")
        asyncio.run(_serve(server, listener, stop, Service(ROLE)))


def _listen(web: Web) -> socket.socket:
    family = socket.AF_INET6 if ":" in web.host else socket.AF_INET
    try:
        listener = socket.create_server((web.host, web.port), family=family)
    except OSError as error:
        raise UserError(
            f"web.host and port {web.host}:{web.port}: {error.strerror or error}; "
            "name another under [web]"
        ) from error
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, GONE_MS)
    return listener


def _settings(page: Page, web: Web) -> uvicorn.Config:
    settings = uvicorn.Config(
        page.app,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=GOODBYE_S,
        ssl_certfile=web.cert_file,
        ssl_keyfile=web.key_file,
    )
    try:
        settings.load()
    except (OSError, ssl.SSLError) as error:
        raise UserError(
            f"web.cert_file = {web.cert_file}, key_file = {web.key_file}: cannot be used: "
            f"{error}; expected a certificate and its key, PEM"
        ) from error
    return settings


async def _serve(
    server: uvicorn.Server, listener: socket.socket, stop: threading.Event, service: Service
) -> None:
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    ready = False
    while not serving.done():
        if server.started and not ready:
            ready = True
            service.ready()
        service.progress(ROLE)
        if stop.is_set():
            server.should_exit = True
        await asyncio.sleep(TURN_S)
    service.stopping()
    await serving
