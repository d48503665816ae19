"""The configuration: one TOML file in, one frozen record out.

Every error names the file, the key, its value and what was expected. Nothing here opens a port or
makes a folder.
"""

from __future__ import annotations

import difflib
import hashlib
import socket
import tomllib
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sensors import Segment

from .errors import UserError

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

    from sensors.drivers.chip import Setup

# Site, edge and nodes stand in topics, file names and certificates: hence so few characters.
NAME = r"^[a-z0-9-]{1,32}$"
Name = Annotated[str, Field(pattern=NAME)]
# pydantic's words for a pattern show a regular expression; people read words.
EXPECTED = {NAME: "1 to 32 of a-z, 0-9 and -"}


# A landing foot feels more than 8 g, and shin and foot swing faster than 1000 deg/s.
LEAST_ON_A_LEG = {"acc_range_g": 16.0, "gyr_range_deg_s": 2000.0}
# What the configuration asks of a chip; other devices keep what is set in them.
CHIP_KEYS = {"rate_hz", *LEAST_ON_A_LEG}


class Section(BaseModel):
    """A table of the file: frozen, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class Broker(Section):
    """Where results go."""

    host: str = Field(default="localhost", min_length=1, description="Name or address")
    port: int | None = Field(default=None, ge=1, le=65535, description="8883 with TLS, else 1883")
    tls: bool = Field(default=False, description="TLS 1.2 or later")
    ca_file: Path | None = Field(default=None, description="Who may have signed the broker")
    cert_file: Path | None = Field(default=None, description="This edge's certificate")
    key_file: Path | None = Field(default=None, description="Its private key, or a credential")
    insecure: bool = Field(default=False, description="Allows plain text to another machine")
    commands: bool = Field(default=False, description="Listens to cmd/..., certificates needed")
    mqtt: Literal["auto", "5", "3.1.1"] = Field(
        default="auto", description="Version; auto: 5, or 3.1.1 where the broker knows no better"
    )
    keepalive_s: int = Field(default=30, ge=5, le=600, description="Of MQTT")
    retry_s: float = Field(
        default=1.0, gt=0, le=60, description="First wait for a lost broker; doubles to 60 s"
    )
    patience_s: float = Field(
        default=20.0, gt=0, description="So long without any acknowledgement: lost"
    )
    backfill_per_s: float = Field(
        default=1000.0, gt=0, description="At most, of what an outage left"
    )

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return self.host, self.port or (8883 if self.tls else 1883)

    @property
    def is_local(self) -> bool:
        """Whether the way to the broker never leaves this machine."""
        return _is_loopback(self.host)

    @model_validator(mode="after")
    def _trusts_the_way(self) -> Broker:
        if not (self.tls or self.is_local or self.insecure):
            raise ValueError(
                f"plain text to {self.host!r}, which is another machine: expected tls = true, "
                "or insecure = true to allow it on purpose"
            )
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("expected cert_file and key_file together, or neither")
        if self.cert_file is not None and not self.tls:
            raise ValueError("a certificate is of use with tls = true only")
        if self.commands and self.cert_file is None and not self.is_local:
            raise ValueError("commands = true from another machine needs cert_file and key_file")
        return self


class Web(Section):
    """The page for tablets; `evenstride web` serves it."""

    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address to listen on; 0.0.0.0: every network, with cert_file and key_file",
    )
    port: int = Field(default=8750, ge=1, le=65535, description="Of the page")
    names: tuple[str, ...] = Field(
        default=(), description="It answers to these too, beside the host's name and addresses"
    )
    cert_file: Path | None = Field(default=None, description="The page's certificate")
    key_file: Path | None = Field(default=None, description="Its private key, or a credential")

    @property
    def is_local(self) -> bool:
        """Whether no other machine can open the page."""
        return _is_loopback(self.host)

    @property
    def url(self) -> str:
        """What to type into a browser."""
        scheme = "http" if self.cert_file is None else "https"
        host = self.host
        if host in {"0.0.0.0", "::"}:  # noqa: S104 (compared, not bound)
            host = self.names[0] if self.names else f"{socket.gethostname()}.local"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}/"

    @model_validator(mode="after")
    def _is_closed_to_strangers(self) -> Web:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("expected cert_file and key_file together, or neither")
        if not self.is_local and self.cert_file is None:
            raise ValueError(
                f"host {self.host!r} opens the page to other machines: expected cert_file and "
                "key_file, or host = '127.0.0.1'"
            )
        return self


class Node(Section):
    """A sensor node: what it hangs on and which segment wears it."""

    port: str = Field(min_length=1, description="/dev/serial/by-id/..., or an I2C bus as i2c-1")
    segment: Segment | None = Field(default=None, description="None until it is assigned")
    driver: str = Field(default="node", description="As in the table of devices.md")
    rate_hz: float | None = Field(
        default=None, gt=0, description="Of an I2C chip, at least; without it the grid's"
    )
    acc_range_g: float = Field(default=16.0, gt=0, description="Of an I2C chip, at least")
    gyr_range_deg_s: float = Field(default=2000.0, gt=0, description="Of an I2C chip, at least")

    def setup(self, grid_hz: float) -> Setup:
        """What its chip is asked for."""
        # Late: drivers bring NumPy along, which `publish` does without.
        from sensors.drivers.chip import Setup  # noqa: PLC0415

        return Setup(self.rate_hz or grid_hz, self.acc_range_g, self.gyr_range_deg_s)

    @model_validator(mode="after")
    def _is_fit_for_its_segment(self) -> Node:
        for key, least in LEAST_ON_A_LEG.items():
            if is_on_a_leg(self.segment) and getattr(self, key) < least:
                raise ValueError(
                    f"{key} = {getattr(self, key):g} on {self.segment}: expected {least:g} or "
                    "more, for a step is cut off below it"
                )
        return self


class Folders(Section):
    """Where files go."""

    state: Path = Field(
        default=Path("/var/lib/evenstride"),
        description="Store, recordings, calibrations, audit log",
    )
    runtime: Path = Field(
        default=Path("/run/evenstride"), description="Control socket, pairing code of the page"
    )

    @property
    def store(self) -> Path:
        """Results and outbox."""
        return self.state / "store.sqlite"

    @property
    def recordings(self) -> Path:
        """One folder a recording."""
        return self.state / "recordings"

    @property
    def calibration(self) -> Path:
        """Calibrations, certificates, placements."""
        return self.state / "calibration"

    @property
    def audit(self) -> Path:
        """Hash-chained log of who did what."""
        return self.state / "audit.jsonl"

    @property
    def socket(self) -> Path:
        """Control socket of `acquire`."""
        return self.runtime / "control.sock"

    @property
    def pairing_code(self) -> Path:
        """What a tablet is asked for once."""
        return self.runtime / "pairing-code"

    @property
    def pairing_key(self) -> Path:
        """Seals the cookies of paired tablets; deleting it unpairs them all."""
        return self.state / "pairing.key"


class Storage(Section):
    """How much may be kept, and for how long."""

    reserve_mb: float = Field(default=500.0, ge=0, description="Below it raw recording stops")
    outbox_mb: float = Field(default=2000.0, gt=0, description="Undelivered results")
    outbox_days: float = Field(default=90.0, gt=0, description="Undelivered results")
    raw_days: float = Field(default=30.0, gt=0, description="Raw samples")
    result_days: float = Field(default=100.0, gt=0, description="Delivered results")


class Time(Section):
    """How fast the host's clock runs; anything but 1 is for virtual nodes."""

    speed: float = Field(default=1.0, gt=0, le=100, description="Times real time")


class Config(Section):
    """The whole file."""

    site: Name = Field(default="home", description="As in topics")
    edge: Name = Field(default="edge-1", description="As in topics and its certificate")
    rate_hz: float = Field(default=200.0, ge=25, le=1000, description="Of the common time grid")
    broker: Broker = Broker()
    web: Web = Web()
    nodes: dict[Name, Node] = Field(default_factory=dict)
    folders: Folders = Folders()
    storage: Storage = Storage()
    time: Time = Time()

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Config:
        segments = [node.segment for node in self.nodes.values() if node.segment]
        twice = sorted({s.value for s in segments if segments.count(s) > 1})
        if twice:
            raise ValueError(f"segment {twice[0]!r} has two nodes: expected one node a segment")
        virtual = all(
            Path(n.port).resolve().parent == Path("/dev/pts") for n in self.nodes.values()
        )
        if self.time.speed != 1.0 and not virtual:
            raise ValueError(
                f"time.speed = {self.time.speed:g} with real nodes: expected 1, "
                "for only virtual nodes run faster"
            )
        for name, node in self.nodes.items():
            _check_chip(name, node, self.rate_hz)
        return self

    def sha256(self) -> str:
        """Fingerprint of all values, defaults included."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def is_on_a_leg(segment: Segment | None) -> bool:
    """Whether a sensor on the segment feels landings and swings in full."""
    return segment is not None and segment is not Segment.PELVIS


def _check_chip(name: str, node: Node, grid_hz: float) -> None:
    """Refuse what the node's chip cannot do, or a device that is not set from here."""
    if node.driver == "node" and not CHIP_KEYS & node.model_fields_set:
        return
    from sensors.drivers.catalog import reach_of  # noqa: PLC0415 (as in `Node.setup`)

    reach = reach_of(node.driver)
    if reach is not None:
        try:
            reach.settings(node.setup(grid_hz))
        except ValueError as error:
            raise ValueError(f"nodes.{name}.{error}") from None
    elif given := sorted(CHIP_KEYS & node.model_fields_set):
        raise ValueError(
            f"nodes.{name}.{given[0]}: a {node.driver!r} is not set from here; "
            "leave the key out, and set the device itself"
        )


def load_config(path: Path) -> Config:
    """Read and check a configuration file.

    Raises
    ------
    UserError
        One line for each fault, with the key, its value and what was expected.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: not a text file: expected TOML in UTF-8") from None
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UserError(f"{path}: not valid TOML: {error}") from None
    return parse_config(values, str(path))


def parse_config(values: dict[str, Any], name: str = "configuration") -> Config:
    """Check values that are already read; `name` begins every error."""
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        faults = (f"{name}: {_sentence(fault)}" for fault in error.errors())
        raise UserError("\n".join(faults)) from None


def _sentence(fault: ErrorDetails) -> str:
    # pydantic marks a wrong key of a table with this last word: it is no key of ours.
    places = [str(place) for place in fault["loc"] if place != "[key]"]
    key = ".".join(places)
    value = fault["input"]
    match fault["type"]:
        case "extra_forbidden":
            return f"{key} is not a key{_nearest(places)}"
        case "missing":
            return f"{key} is missing: expected {_table(places[:-1])[places[-1]].description}"
        case "value_error":
            said = fault["msg"].removeprefix("Value error, ")
            return f"{key}: {said}" if key else said
        case "string_pattern_mismatch":
            return f"{key} = {value!r}: expected {EXPECTED[fault['ctx']['pattern']]}"
        case _:
            return f"{key} = {value!r}: {_wanted(fault)}"


def _wanted(fault: ErrorDetails) -> str:
    if fault["type"] in {"model_type", "dict_type"}:
        return "expected a table"
    said = fault["msg"].replace("Input should be", "expected")
    return said.replace("String should have", "expected")


def _nearest(places: list[str]) -> str:
    """Say which keys the table has, the likeliest first."""
    known = list(_table(places[:-1]))
    close = difflib.get_close_matches(places[-1], known, n=1)
    if close:
        return f"; did you mean {close[0]}?"
    return f": expected one of {', '.join(known)}"


def _table(places: list[str]) -> dict[str, FieldInfo]:
    model: type[BaseModel] = Config
    for place in places:
        if place not in model.model_fields:  # the name of a node
            continue
        inner: Any = model.model_fields[place].annotation
        model = get_args(inner)[1] if get_args(inner) else inner
    return dict(model.model_fields)
