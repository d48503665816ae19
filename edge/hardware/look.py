"""Looks at the machine and at the configured nodes, and judges nothing (`doctor` does)."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from serial.tools import list_ports

from edge.errors import UserError
from edge.nodes import open_node
from edge.operation.lapse import days_left
from edge.publish.health import is_encrypted
from sensors.drivers.catalog import SELF_TESTS, recognise
from sensors.errors import SensorError
from sensors.i2c_link import KernelBus, Registers
from sensors.serial_link import LinkState

from .facts import BusFact, CertificateFact, Facts, NodeFact, PortFact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.config import Config, Node
    from sensors import Block
    from sensors.drivers.catalog import Driver
    from sensors.i2c_link import Bus

SYSTEM = Path("/sys")
# Nodes need half a second for their clock, chips half a second for their rate.
LOOK_S = 3.0


def look(config: Config, *, look_s: float = LOOK_S, self_tests: bool = False) -> Facts:
    """Look at everything; takes `look_s` and little more, whatever is missing.

    `self_tests` lets chips test themselves: for sensors at rest that nobody reads.
    """
    folder = config.folders.state
    return Facts(
        machine=_text(Path("/proc/device-tree/model")) or "",
        ports=tuple(_port(port.device, port.description) for port in list_ports.comports()),
        buses=tuple(_bus(path, self_tests) for path in sorted(Path("/dev").glob("i2c-*"))),
        nodes=tuple(_nodes(config, look_s)),
        certificates=tuple(_certificates(config)),
        folder=str(folder),
        folder_writable=os.access(_existing(folder), os.W_OK),
        folder_encrypted=is_encrypted(folder),
        free_bytes=shutil.disk_usage(_existing(folder)).free,
        throttled=_number(SYSTEM / "devices/platform/soc/soc:firmware/get_throttled", 16),
        temperature_c=_temperature(),
        clock_synchronised=_clock_synchronised(),
        modem_manager=_runs("ModemManager"),
    )


def _port(path: str, description: str) -> PortFact:
    timer = SYSTEM / "bus/usb-serial/devices" / Path(path).name / "latency_timer"
    allowed = os.access(path, os.R_OK | os.W_OK)
    return PortFact(path, description, allowed, _number(timer))


def _bus(path: Path, self_tests: bool) -> BusFact:
    number = int(path.name.removeprefix("i2c-"))
    speed = SYSTEM / f"class/i2c-adapter/i2c-{number}/of_node/clock-frequency"
    speed_hz = None
    with contextlib.suppress(OSError):
        speed_hz = int.from_bytes(speed.read_bytes(), "big")  # the device tree is big-endian
    if not os.access(path, os.R_OK | os.W_OK):
        return BusFact(number, allowed=False, speed_hz=speed_hz)
    with contextlib.suppress(SensorError, OSError):
        return bus_fact(number, KernelBus(number), speed_hz, self_tests=self_tests)
    return BusFact(number, True, speed_hz)


def bus_fact(number: int, bus: Bus, speed_hz: int | None, *, self_tests: bool = False) -> BusFact:
    """What answers on a bus, which of it are inertial chips, and how these test themselves."""
    addresses = tuple(bus.scan())
    chips: list[tuple[int, str, str]] = []
    for address in addresses:
        with contextlib.suppress(SensorError):
            known = recognise(bus, address)
            if known is not None:
                chips.append((address, *known))
    tested = []
    for address, driver, _ in chips if self_tests else ():
        if driver in SELF_TESTS:
            with contextlib.suppress(SensorError):
                faults = SELF_TESTS[driver](Registers(bus, address))
                tested.append((address, tuple(faults)))
    return BusFact(number, True, speed_hz, addresses, tuple(chips), tuple(tested))


def _certificates(config: Config) -> Iterator[CertificateFact]:
    now = datetime.now(UTC)
    for path in (config.broker.cert_file, config.web.cert_file):
        if path is not None:
            yield CertificateFact(str(path), days_left(path, now))


def _nodes(config: Config, look_s: float) -> list[NodeFact]:
    nodes = config.nodes
    drivers: dict[str, Driver] = {}
    facts: dict[str, NodeFact] = {}
    for name, node in nodes.items():
        try:
            drivers[name] = open_node(name, node, config.rate_hz)
        except UserError as error:
            # The cause alone: the finding names the node itself.
            facts[name] = NodeFact(name, node.port, node.driver, False, str(error.__cause__))
    blocks: dict[str, list[Block]] = {name: [] for name in drivers}
    until_s = time.monotonic() + look_s
    while drivers and time.monotonic() < until_s:
        for name, driver in drivers.items():
            blocks[name] += driver.read(0.0)
        time.sleep(0.02)
    for name, driver in drivers.items():
        facts[name] = node_fact(name, nodes[name], driver, blocks[name])
        driver.close()
    return [facts[name] for name in nodes]


def node_fact(name: str, node: Node, driver: Driver, blocks: list[Block]) -> NodeFact:
    """What a few seconds of a node show."""
    info, clock = driver.info, driver.clock
    fact = NodeFact(
        name,
        node.port,
        node.driver,
        driver.link.state is LinkState.OPEN,
        driver.link.reason,
        chip=info.chip if info else "",
        segment=node.segment or "",
        stored_segment=info.segment if info else "",
        nominal_hz=info.rate_hz if info else None,
        acc_range_g=info.acc_range_g if info else None,
        gyr_range_deg_s=info.gyr_range_deg_s if info else None,
        received=driver.counters.received,
        lost=driver.counters.lost,
        rejected=driver.rejected,
        time_sd_s=clock.uncertainty_s if clock else None,
    )
    return _with_motion(fact, blocks) if blocks else fact


def _with_motion(fact: NodeFact, blocks: list[Block]) -> NodeFact:
    gyr = np.concatenate([block.gyr for block in blocks])
    acc = np.concatenate([block.acc for block in blocks])
    span_s = (blocks[-1].host_ns[-1] - blocks[0].host_ns[0]) * 1e-9
    return replace(
        fact,
        rate_hz=float((len(gyr) - 1) / span_s) if span_s > 0 else None,
        acc_mps2=float(np.linalg.norm(acc.mean(axis=0))),
        gyr_sd_rad_s=float(gyr.std(axis=0).max()),
        gyr_mean_rad_s=float(np.linalg.norm(gyr.mean(axis=0))),
    )


def _existing(folder: Path) -> Path:
    """The folder itself or the nearest one above it that exists."""
    return next(place for place in (folder, *folder.absolute().parents) if place.exists())


def _clock_synchronised() -> bool | None:
    """Whether systemd says so; None without systemd-timesyncd."""
    folder = Path("/run/systemd/timesync")
    return (folder / "synchronized").exists() if folder.is_dir() else None


def _temperature() -> float | None:
    millidegrees = _number(SYSTEM / "class/thermal/thermal_zone0/temp")
    return None if millidegrees is None else millidegrees / 1000


def _runs(program: str) -> bool:
    return any(_text(comm) == program for comm in Path("/proc").glob("[0-9]*/comm"))


def _number(path: Path, base: int = 10) -> int | None:
    text = _text(path)
    try:
        return None if text is None else int(text, base)
    except ValueError:
        return None


def _text(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace").strip("\0\n ")
    except OSError:
        return None
