"""The service that reads the nodes, records, analyses and stores: `evenstride acquire`.

Each node's driver has a thread that stamps bytes as they come. Everything else happens in the one
thread that calls `run`; the control socket's threads only read what that thread replaces whole.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from edge.algorithms import gait_algorithm
from edge.calibrated import load_corrections
from edge.clinic.live import CLINIC_COMMANDS
from edge.contract import NODE_STATUS, SESSION, STATUS
from edge.errors import UserError
from edge.messages import Session as SessionMessage
from edge.messages import Status
from edge.nodes import open_node, too_narrow
from edge.operation.audit import Audit
from edge.operation.lapse import lapse_in_words
from edge.operation.service import Service
from edge.recording.manifest import Header
from edge.recording.retention import prune_recordings, recover_all
from edge.recording.writer import RecordingWriter
from edge.store.identity import new_ulid, utc_text
from edge.store.store import Context, Store

from .control import ControlServer
from .node_watch import NodeWatch
from .session import Session

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from edge.calibrated import Corrections
    from edge.config import Config
    from edge.messages import State
    from sensors.drivers.catalog import Driver
    from sensors.framing import Hello

# Nodes send 20 times a second. Each turn costs nearly the same, whatever it finds; live strides
# come twice a second.
TURN_S = 0.25
ROLE = "acquire"
# How long sealing what a crash left open may take on a Pi: ten minutes of samples, and some more.
RECOVERY_S = 120.0
PROTOCOL = "free-living"
# Time to bring a sensor back to the bench.
CALIBRATE_DAYS = 14.0
# Of the reserve: so much left is worth a word before the recording stops.
NEARLY_FULL = 2.0


class Acquisition:
    """Reads the nodes of a configuration until told to stop.

    Parameters
    ----------
    config : Config
        Nodes, folders, rate.
    now_ns : callable
        Host clock, nanoseconds.
    subject : str or None
        Pseudonym of the person.

    Raises
    ------
    UserError
        Where no port is there, or another `acquire` runs on the same store.
    """

    def __init__(
        self, config: Config, now_ns: Callable[[], int], subject: str | None = None
    ) -> None:
        _check_ports(config)
        self._config = config
        self._now_ns = now_ns
        self._store = Store(config.folders.store, now_ns)
        self._store.claim(ROLE)
        self._service = Service(ROLE)
        self._audit = Audit(config.folders.audit)
        self._make_room()
        self._subject = subject
        self._told_stop = self._told_full = False
        self._session: Session | None = None
        self._drivers: dict[str, Driver] = {
            name: open_node(name, node, config.rate_hz, now_ns)
            for name, node in config.nodes.items()
        }
        self._watches = {
            name: NodeWatch(name, driver, config.nodes[name].segment, now_ns)
            for name, driver in self._drivers.items()
        }

    def run(self, stop: threading.Event) -> None:
        """Acquire until `stop` is set; then finish the session and leave the store in order."""
        commands = {"status": lambda _: self.status(), "nodes": lambda _: self.nodes()} | {
            name: self._of_session(name) for name in CLINIC_COMMANDS
        }
        with ControlServer(self._config.folders.socket, commands):
            try:
                self._begin()
                self._service.ready()
                while not stop.is_set():
                    began_s = time.monotonic()
                    self._turn()
                    self._service.progress(ROLE)
                    stop.wait(max(TURN_S - (time.monotonic() - began_s), 0.0))
            finally:
                self._service.stopping()
                self._end()

    def status(self) -> dict[str, Any]:
        """What a front end shows: nodes, last strides, counts, what waits for the broker."""
        session = self._session
        backlog = self._store.outbox.backlog()
        return self.nodes() | {
            "strides": [s.model_dump(mode="json") for s in session.strides] if session else [],
            "counts": {
                "strides": session.n_strides if session else 0,
                "bouts": session.n_bouts if session else 0,
                "late": session.n_late if session else 0,
            },
            "outbox": {"depth": backlog.depth, "bytes": backlog.bytes},
        }

    def nodes(self) -> dict[str, Any]:
        """How nodes fare and what runs: for those who ask often, for the store is not asked."""
        return {
            "nodes": {name: w.status.model_dump(mode="json") for name, w in self._watches.items()},
            "session": self._session.about.session if self._session else None,
        }

    def _of_session(self, name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
        """A request that the running session answers."""

        def answer(request: dict[str, Any]) -> dict[str, Any]:
            if self._session is None:
                raise UserError("no session runs yet; try again in a second")
            return self._session.window.commands()[name](request)

        return answer

    def _make_room(self) -> None:
        """Close what a crash left open, and delete samples that are too old."""
        folder, storage = self._config.folders.recordings, self._config.storage
        self._service.busy(RECOVERY_S)
        for left in recover_all(folder):
            message = f"recording {left.name} was left open by a crash and is closed now"
            self._store.tell("storage", "warning", message)
        for pruned in prune_recordings(folder, storage.raw_days, storage.reserve_mb):
            self._audit.note("delete", recording=pruned.folder.name, reason=pruned.reason)

    def _begin(self) -> None:
        placements = {name: n.segment for name, n in self._config.nodes.items() if n.segment}
        corrections = load_corrections(self._config.folders.calibration, self._config.nodes)
        about = Context(
            session=new_ulid(time.time_ns()),
            subject=self._subject,
            algo=gait_algorithm(),
            calib=corrections.ids,
        )
        origin_ns = self._now_ns()
        header = Header(
            session=str(about.session),
            rate_hz=self._config.rate_hz,
            origin_ns=origin_ns,
            placements=placements,
            subject=self._subject,
            site=self._config.site,
            edge=self._config.edge,
            protocol=PROTOCOL,
            config_sha256=self._config.sha256(),
            calibrations=corrections.records,
        )
        writer = RecordingWriter(
            self._config.folders.recordings / str(about.session),
            header,
            self._now_ns,
            reserve_mb=self._config.storage.reserve_mb,
        )
        self._session = Session(
            rate_hz=self._config.rate_hz,
            placements=placements,
            origin_ns=origin_ns,
            writer=writer,
            store=self._store,
            about=about,
            corrections=corrections,
        )
        message = SessionMessage(
            session=str(about.session),
            subject=self._subject,
            protocol=PROTOCOL,
            started=utc_text(time.time_ns()),
            assignments=placements,
            calibrations=corrections.ids,
        )
        self._tell_calibrations(corrections)
        self._audit.note("start", session=about.session, config_sha256=header.config_sha256)
        self._store.add(SESSION, message, origin_ns, about)
        self._tell_state("recording")

    def _turn(self) -> None:
        assert self._session is not None  # noqa: S101 (begun before the first turn)
        blocks = []
        for name, driver in self._drivers.items():
            new = driver.read(0.0)
            blocks += new
            watch = self._watches[name]
            link = watch.status.link
            if watch.look(new):
                self._store.add(NODE_STATUS, watch.status, self._now_ns(), node=name)
                if (exceeded := watch.range_exceeded()) is not None:
                    self._store.tell("range", "warning", exceeded, node=name)
            if watch.status.link != link:
                self._tell_link(name, watch)
            hello = watch.new_hello()
            if hello is not None:
                self._tell_misfit(name, hello)
            self._session.note(name, hello, driver.take_exchanges())
        self._session.take(blocks)
        self._tell_disk()
        self._store.commit()

    def _tell_link(self, name: str, watch: NodeWatch) -> None:
        """A node that went or came is worth an event: somebody may still be near it."""
        severity: Literal["info", "warning"] = "info" if watch.status.link == "up" else "warning"
        self._store.tell("link", severity, watch.sentence(), node=name)

    def _tell_misfit(self, name: str, hello: Hello) -> None:
        """What makes a whole day worthless is said at once."""
        segment = self._config.nodes[name].segment
        narrow = too_narrow(segment, hello.acc_range_g, hello.gyr_range_deg_s)
        if narrow:
            self._store.tell("fitting", "warning", f"node {name}: {narrow}", node=name)
        if segment and hello.segment and hello.segment != segment:
            message = f"node {name}: configured as {segment}, it was named for {hello.segment}"
            self._store.tell("fitting", "warning", message, node=name)

    def _tell_calibrations(self, corrections: Corrections) -> None:
        """What must be calibrated anew, before the results say so by their flags."""
        for node, days in corrections.days_left(self._config.nodes, datetime.now(UTC)).items():
            if days < CALIBRATE_DAYS:
                when = lapse_in_words(days)
                message = f"node {node}: its calibration {when}; see: evenstride calibrate --help"
                self._store.tell("calibration", "warning", message, node=node, days=days)

    def _tell_disk(self) -> None:
        """Say once that the disk fills up, and once that raw samples are no longer recorded."""
        assert self._session is not None  # noqa: S101 (begun before the first turn)
        stopped, free_mb = self._session.stopped, self._session.free_mb
        reserve_mb = self._config.storage.reserve_mb
        if stopped and not self._told_stop:
            self._told_stop = True
            self._store.tell("storage", "alarm", f"raw samples are no longer recorded: {stopped}")
        elif free_mb < NEARLY_FULL * reserve_mb and not self._told_full:
            self._told_full = True
            message = (
                f"{free_mb:.0f} MB are left on the disk; at {reserve_mb:.0f} MB raw samples are no "
                "longer recorded: make room with evenstride recording prune"
            )
            self._store.tell("storage", "warning", message, free_mb=free_mb)

    def _end(self) -> None:
        for driver in self._drivers.values():
            driver.close()
        if self._session is not None:
            self._turn()
            self._session.finish()
            self._store.clear(SESSION)
        self._tell_state("offline")
        self._store.close()
        if self._session is not None:
            # Last: a log that cannot be written must not keep results from the disk.
            self._audit.note("stop", session=self._session.about.session)

    def _tell_state(self, state: State) -> None:
        since = utc_text(time.time_ns())
        self._store.add(STATUS, Status(state=state, since=since), self._now_ns())
        self._store.commit()


def _is_there(port: str) -> bool:
    """Whether a port exists; a socket always does, a bus by its number."""
    place = port.partition(":")[0]
    # `i2c-1/0x6a` is a chip on the bus /dev/i2c-1; a path stands for itself.
    device = Path(place) if place.startswith("/") else Path("/dev", place.partition("/")[0])
    return place == "udp" or device.exists()


def _check_ports(config: Config) -> None:
    """Some port must be there; nodes that are missing are waited for, for the others are of use."""
    if not config.nodes:
        raise UserError(
            "no nodes are configured; name each under [nodes.NAME] with its port and segment"
        )
    if not any(_is_there(node.port) for node in config.nodes.values()):
        name, node = next(iter(config.nodes.items()))
        raise UserError(
            f"nodes.{name}.port = {node.port!r}: no such port, nor that of another node; "
            "plug a node in, or see: evenstride nodes"
        )
