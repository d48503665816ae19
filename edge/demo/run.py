"""Runs the demo: virtual nodes, `acquire`, `publish`, `web`, a broker, and the live table.

These three are the real commands in processes of their own; only the nodes' person and the broker
are the demo's. Nothing is left behind but what was asked to be kept.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.acquire.control import ask
from edge.config import Web
from edge.errors import UserError
from edge.files import write_whole
from edge.host_clock import host_clock
from edge.store.store import Store
from sensors.virtual.node import VirtualNodes

from .broker import ADDRESS, free_port
from .view import Screen
from .wearer import Wearer, recorded_wearer, virtual_wearer

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

SITE, EDGE = "demo", "edge-1"
MQTT_PORT = 1883
LOOK_S = 0.25
START_S = 15.0
# Duration 0 means until Ctrl-C; nobody looks at a demonstration for longer than this.
FOR_EVER_S = 3600.0
LEAVE_S = 20.0
SOCKET = "control.sock"
SECOND_ZERO = "second_zero_ns.txt"
Processes = tuple[subprocess.Popen[bytes], ...]


@dataclass(frozen=True)
class DemoPlan:
    """What the command line asked for."""

    duration_s: float
    speed: float
    source: Path | None
    broker: str | None
    seed: int
    keep: Path | None
    picture: Path | None


class Demo:
    """One run of the demo."""

    def __init__(self, plan: DemoPlan) -> None:
        self._plan = plan
        self._address = (
            _broker_address(plan.broker) if plan.broker else (ADDRESS, free_port(MQTT_PORT))
        )
        self._web = Web(port=free_port(Web().port))

    def run(self, stop: threading.Event) -> None:
        """Walk until the time is over or `stop` is set, deliver what is left, and clean up.

        Raises
        ------
        UserError
            Where the broker does not answer, or a part of the demo ends by itself.
        """
        wearer = self._wearer()
        clock = host_clock(self._plan.speed)
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(_folder(self._plan.keep))
            if self._plan.broker is None:
                port = str(self._address[1])
                stack.enter_context(_process(["-m", "edge.demo.broker", port], folder))
            _wait_for_broker(self._address, START_S if self._plan.broker is None else 0.0)
            nodes = VirtualNodes(list(wearer.nodes.values()), now_ns=clock, speed=self._plan.speed)
            stack.callback(nodes.stop)
            nodes.plug_in()
            config = self._write_config(folder, wearer)
            stack.enter_context(_command("web", config, folder))
            screen = stack.enter_context(
                Screen(self._address, SITE, EDGE, self._web.url, wearer.duration_s)
            )
            publish = stack.enter_context(_command("publish", config, folder))
            with _command("acquire", config, folder) as acquire:
                processes = (acquire, publish)
                _wait_for_acquire(stop, folder, processes)
                nodes.boot()
                # Whoever keeps the folder can compare its times with the person's truth.
                (folder / SECOND_ZERO).write_text(f"{nodes.start_ns}\n", encoding="ascii")
                self._watch(stop, screen, folder, wearer.duration_s, processes)
            if self._plan.picture is not None:
                write_whole(self._plan.picture, screen.picture())
            _deliver_the_rest(folder, screen)

    def _wearer(self) -> Wearer:
        if self._plan.source is not None:
            return recorded_wearer(self._plan.source)
        return virtual_wearer(self._plan.duration_s or FOR_EVER_S, self._plan.seed)

    def _write_config(self, folder: Path, wearer: Wearer) -> Path:
        path = folder / "evenstride.toml"
        host, port = self._address
        nodes = "".join(
            f'[nodes.{node.name}]\nport = "{node.port}"\nsegment = "{segment}"\n'
            for segment, node in wearer.nodes.items()
        )
        # The demo's own broker knows nothing newer.
        mqtt = "auto" if self._plan.broker else "3.1.1"
        path.write_text(
            f'site = "{SITE}"\nedge = "{EDGE}"\nrate_hz = {wearer.rate_hz}\n'
            f'[broker]\nhost = "{host}"\nport = {port}\nmqtt = "{mqtt}"\ninsecure = true\n'
            f"[web]\nport = {self._web.port}\n"
            f'[folders]\nstate = "{folder}"\nruntime = "{folder}"\n'
            f"[time]\nspeed = {self._plan.speed}\n{nodes}",
            encoding="utf-8",
        )
        return path

    def _watch(
        self,
        stop: threading.Event,
        screen: Screen,
        folder: Path,
        duration_s: float,
        processes: Processes,
    ) -> None:
        began_s = time.monotonic()
        while not stop.wait(LOOK_S):
            _check(processes, folder)
            elapsed_s = (time.monotonic() - began_s) * self._plan.speed
            with contextlib.suppress(UserError):  # not up yet, or busy closing a bout
                screen.show(ask(folder / SOCKET, "status"), elapsed_s)
            if elapsed_s > duration_s:
                return


def _broker_address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise UserError(f"--broker {text}: expected HOST:PORT, such as localhost:1883")
    return host, int(port)


def _wait_for_acquire(stop: threading.Event, folder: Path, processes: Processes) -> None:
    """The person starts when all ports are read: nobody watches a demo miss its first step."""
    while not stop.wait(0.05):
        _check(processes, folder)
        with contextlib.suppress(UserError):
            if all(n["link"] != "down" for n in ask(folder / SOCKET, "status")["nodes"].values()):
                return


def _check(processes: Processes, folder: Path) -> None:
    if any(process.poll() is not None for process in processes):
        raise UserError(f"a part of the demo ended: {_last_words(folder)}")


def _wait_for_broker(address: tuple[str, int], patience_s: float) -> None:
    until_s = time.monotonic() + patience_s
    while True:
        try:
            socket.create_connection(address, timeout=1.0).close()
        except OSError as error:
            if time.monotonic() >= until_s:
                raise UserError(
                    f"the broker at {address[0]}:{address[1]} does not answer ({error}); "
                    "start it, or leave out --broker"
                ) from error
            time.sleep(0.1)
        else:
            return


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        try:
            keep.mkdir(parents=True)
        except OSError as error:
            raise UserError(
                f"{keep}: {error.strerror}; name a folder that is not there yet"
            ) from error
        yield keep.resolve()
        return
    # Sockets and ports need short paths: not below a deep working folder.
    folder = Path(tempfile.mkdtemp(prefix="evenstride-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _command(name: str, config: Path, folder: Path) -> Any:
    return _process(["-m", "edge", name, "--config", str(config)], folder)


@contextlib.contextmanager
def _process(arguments: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process that does not hear this terminal's Ctrl-C and is asked to end."""
    with (folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(LEAVE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _deliver_the_rest(folder: Path, screen: Screen) -> None:
    """Give `publish` the time to deliver what the end of the session brought."""
    store = Store(folder / "store.sqlite")
    until_s = time.monotonic() + LEAVE_S
    while store.outbox.backlog().depth and time.monotonic() < until_s:
        time.sleep(0.1)
    screen.finish(store.outbox.backlog().depth)
    store.close()


def _last_words(folder: Path) -> str:
    lines = (folder / "log.txt").read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[-1] if lines else "it said nothing"
