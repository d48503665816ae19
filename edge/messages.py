"""Payloads that are no results: what an edge, its nodes and its sessions say about themselves.

Results (`Stride`, `Bout`, `LegLength`) stand in `results.py`; the envelope and the topics of both
in `contract.py`. Units end the names; a number that is not known is null.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from sensors import Segment  # noqa: TC001 (pydantic reads it when the models are made)

from .errors import UserError
from .pseudonym import PATTERN, check_subject
from .results import Record


def _pseudonym(text: str) -> str:
    try:
        return check_subject(text)
    except UserError as error:
        raise ValueError(str(error)) from None


Subject = Annotated[
    str,
    AfterValidator(_pseudonym),
    Field(json_schema_extra={"pattern": PATTERN}, description="Pseudonym with a check character"),
]

State = Literal["init", "ready", "recording", "sleeping", "offline", "lost"]


class Status(Record):
    """Life of the edge. After a crash the broker changes only this: see the page on topics."""

    state: State = Field(
        description="init: starting; ready: sensors read; recording: a session runs; "
        "sleeping: delivery runs, acquisition does not; offline: stopped; lost: the will"
    )
    since: str | None = Field(default=None, description="RFC 3339 UTC; null in the will")


class Info(Record):
    """What this edge is and runs."""

    software: str
    python: str
    hardware: str
    algorithms: tuple[str, ...] = Field(default=(), description="name@version")
    schemas: dict[str, str] = Field(description="Schema id to SHA-256 of its JSON Schema")
    rate_hz: float
    max_payload_bytes: int


# A shoe that hits a door frame exceeds any range; one that does so with its steps sits loosely.
SATURATED_SHARE = 1e-4


class NodeStatus(Record):
    """Link and health of one sensor node."""

    segment: Segment | None
    link: Literal["up", "stalled", "down"]
    rate_hz: float | None = Field(default=None, description="Measured over the last seconds")
    n_samples: int
    n_lost: int
    loss_ppm: float | None = None
    n_saturated: int = 0
    clock_sd_s: float | None = Field(default=None, description="Standard uncertainty of its time")
    clock_drift_ppm: float | None = None
    battery_v: float | None = None
    temperature_degc: float | None = None


class Session(Record):
    """The session that runs; an empty payload takes its place when it ends."""

    # A refused subject may be somebody's name: it must not stand in the error.
    model_config = ConfigDict(hide_input_in_errors=True)

    session: str
    subject: Subject | None = None
    protocol: str | None = None
    started: str = Field(description="RFC 3339 UTC")
    assignments: dict[str, Segment] = Field(default_factory=dict, description="Node to segment")
    calibrations: tuple[str, ...] = Field(
        default=(), description="NODE/ID of each that is applied (docs/calibration.md)"
    )


EventKind = Literal[
    "calibration", "certificate", "clock", "fitting", "link", "outbox", "range", "storage", "supply"
]


class Event(Record):
    """Something that a person should know of; its kind stands in the topic too."""

    kind: EventKind
    severity: Literal["info", "warning", "alarm"]
    message: str = Field(description="One sentence, without personal data")
    node: str | None = None
    values: dict[str, float] = Field(default_factory=dict)


class Diag(Record):
    """Health of the machine and of delivery."""

    outbox_depth: int
    outbox_age_s: float | None = Field(description="Of the oldest undelivered result")
    outbox_mb: float
    n_dropped: int = Field(description="Results given up for want of room, since start")
    n_published: int = Field(description="Acknowledged since start")
    lag_s: float | None = Field(default=None, description="From a fact to its acknowledgement")
    disk_free_mb: float | None = None
    cpu_share: float | None = Field(default=None, description="Of all cores, over a minute")
    memory_mb: float | None = Field(default=None, description="Of this process")
    temperature_degc: float | None = None
    throttled: bool | None = Field(default=None, description="Supply too weak or chip too hot")


class Command(Record):
    """A request; refused unless the configuration has `commands = true`."""

    correlation: str = Field(min_length=1, max_length=64)
    arguments: dict[str, str | float | bool | None] = Field(default_factory=dict)


class Reply(Record):
    """The answer to the command with the same correlation."""

    correlation: str
    ok: bool
    message: str | None = None
    result: dict[str, str | float | bool | None] = Field(default_factory=dict)
