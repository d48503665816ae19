"""`evenstride publish` put together: publisher, health, commands, watchdog."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from edge.envelope import MAX_BYTES
from edge.host_clock import host_clock
from edge.messages import Info
from edge.operation.audit import Audit
from edge.operation.service import Service
from edge.papers.contract import schema_catalogue
from edge.store.store import Store

from .commands import Commands
from .health import CertificateWatch, ClockWatch, Health
from .publisher import Publisher

if TYPE_CHECKING:
    import threading

    from edge.config import Config

MODEL = Path("/proc/device-tree/model")


def run_publish(config: Config, stop: threading.Event) -> None:
    """Deliver until told to stop.

    Raises
    ------
    UserError
        Where another `publish` runs on the same store, or a certificate cannot be read.
    """
    clock = host_clock(config.time.speed)
    store = Store(config.folders.store, clock)
    store.claim("publish")
    service = Service("publish")
    commands = None
    if config.broker.commands:
        audit = Audit(config.folders.audit)
        commands = Commands(config.folders.socket, store, audit, clock)
    watches = ClockWatch(store), CertificateWatch(store, config.broker.cert_file)

    def went_on() -> None:
        service.progress("publish")
        for watch in watches:
            watch.look()

    publisher = Publisher(
        config,
        store,
        clock,
        info=describe(config),
        health=Health(store, config.folders.state),
        command=commands,
        progress=went_on,
    )
    service.ready()
    publisher.run(stop)
    service.stopping()
    store.close()


def describe(config: Config) -> Info:
    """What this edge is and runs."""
    try:
        # The device tree ends its texts with a zero.
        hardware = MODEL.read_text(encoding="utf-8").rstrip("\0")
    except OSError:
        hardware = platform.machine()
    return Info(
        software=f"evenstride {version('evenstride')}",
        python=platform.python_version(),
        hardware=hardware,
        algorithms=(f"gait@{version('evenstride')}",),
        schemas=schema_catalogue(),
        rate_hz=config.rate_hz,
        max_payload_bytes=MAX_BYTES,
    )
