"""The one table of channels: topic, QoS, retain, payload and example of all that goes over MQTT.

The publisher, the AsyncAPI document, the JSON Schemas, the table in the docs and the broker's
access list are all made from `CHANNELS`. A new topic is a row here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from sensors import Segment, Side

from .config import NAME
from .envelope import MAX_BYTES, Envelope
from .messages import (
    Command,
    Diag,
    Event,
    Info,
    NodeStatus,
    Reply,
    Session,
    Status,
)
from .results import (
    Bout,
    BoutMetrics,
    Comparison,
    Effect,
    LegLength,
    Metric,
    Record,
    Stride,
    Summary,
)

ROOT = "evenstride/v1"


@dataclass(frozen=True, slots=True)
class Channel:
    """A row of the table.

    Attributes
    ----------
    suffix : str
        Topic below the edge; a name in braces is filled in.
    example : Record
        A payload's data; its type is the channel's model.
    cadence : str
        How often to expect one.
    qos : int
        Of MQTT.
    retain : bool
        Whether the broker keeps the last one for those who come later.
    latest : bool
        Whether an undelivered one is worth nothing once a newer one exists.
    drop_order : int or None
        When the outbox is full, lower ones go first; None: never dropped.
    direction : str
        `out` from the edge, `in` to it.
    version : str
        Of the payload; minor ones only add.
    """

    suffix: str
    example: Record
    cadence: str
    qos: int = 1
    retain: bool = False
    latest: bool = False
    drop_order: int | None = None
    direction: Literal["out", "in"] = "out"
    version: str = "1.0"

    @property
    def name(self) -> str:
        """`gait.stride` for `gait/stride`, `node.status` for `node/{node}/status`."""
        return ".".join(p for p in self.suffix.split("/") if not p.startswith("{"))

    @property
    def schema_id(self) -> str:
        """Name and version, as the envelope states it."""
        return f"{self.name}/{self.version}"

    @property
    def model(self) -> type[Record]:
        """Type of the data."""
        return type(self.example)

    @property
    def envelope(self) -> Any:
        """Type of the whole payload."""
        return _envelope_of(self.model)

    def stream(self, **address: str) -> str:
        """Fill in the names: the topic below the edge."""
        return self.suffix.format(**address)


@cache
def _envelope_of(model: type[Record]) -> Any:
    """The type is kept: pydantic would forget it, and take milliseconds to make it anew."""
    return Envelope[model]  # type: ignore[valid-type]


STATUS = Channel(
    "status",
    Status(state="recording", since="2026-03-02T09:14:07.120000Z"),
    "on change, and as last will",
    retain=True,
    latest=True,
)
INFO = Channel(
    "info",
    Info(
        software="evenstride 0.1.0",
        python="3.11.2",
        hardware="Raspberry Pi 4 Model B Rev 1.4",
        algorithms=("strides@1.0.0",),
        schemas={"gait.stride/1.0": "9f2c6b0e"},
        rate_hz=200.0,
        max_payload_bytes=MAX_BYTES,
    ),
    "at each connect",
    retain=True,
    latest=True,
)
NODE_STATUS = Channel(
    "node/{node}/status",
    NodeStatus(
        segment=Segment.LEFT_FOOT,
        link="up",
        rate_hz=199.98,
        n_samples=120_000,
        n_lost=3,
        loss_ppm=25.0,
        clock_sd_s=0.00002,
        clock_drift_ppm=-11.4,
        battery_v=3.92,
        temperature_degc=31.5,
    ),
    "on change, else every 60 s",
    retain=True,
    latest=True,
)
SESSION = Channel(
    "session",
    Session(
        session="01JNAV6W2T4Y8ZQ0M3K5R7P9XD",
        subject="K7Q2-M9XD-0",
        protocol="free-living",
        started="2026-03-02T09:14:07.120000Z",
        assignments={"left-foot": Segment.LEFT_FOOT, "pelvis": Segment.PELVIS},
        calibrations=("left-foot/3f9a0c12ab45",),
    ),
    "on change; an empty payload when it ends",
    retain=True,
    latest=True,
)
STRIDE = Channel(
    "gait/stride",
    Stride(
        side=Side.LEFT,
        bout=3,
        stage="live",
        initial_contact_s=412.135,
        final_contact_s=412.79,
        next_initial_contact_s=413.21,
        foot_flat_s=(412.26, 412.58),
        length_from_s=412.42,
        length_to_s=413.5,
        stride_length_m=1.312,
        stride_length_sd_m=0.018,
        stride_time_s=1.075,
        stride_time_sd_s=0.007,
        stance_time_s=0.655,
        swing_time_s=0.42,
        speed_mps=1.22,
        clearance_m=0.061,
        steady=True,
    ),
    "one a stride: 1 to 2 a second while walking",
    drop_order=3,
)
BOUT = Channel(
    "gait/bout",
    Bout(
        bout=3,
        start_s=405.2,
        end_s=431.9,
        n_strides=46,
        cadence_spm=111.4,
        speed_mps=1.21,
        speed_sd_mps=0.03,
        stride_length_m=1.3,
        stride_length_sd_m=0.012,
    ),
    "one when a bout of walking is over",
    drop_order=4,
)
PELVIC_DROP = Metric(
    name="pelvic_drop_deg",
    side="left",
    value=3.4,
    unit="deg",
    sd=0.6,
    interval=(2.4, 4.4),
    n=19,
)
METRICS = Channel(
    "gait/metrics/{family}",
    BoutMetrics(
        bout=3,
        family="pelvis",
        speed_mps=1.21,
        metrics=(
            PELVIC_DROP,
            Metric(
                name="pelvic_drop_deg",
                side="right_minus_left",
                value=None,
                unit="deg",
                n=19,
                reason="19 steady strides, 30 needed",
            ),
        ),
    ),
    "one a family when a bout of walking is over",
    drop_order=4,
)
SUMMARY_EXAMPLE = Summary(
    start_s=7200.0,
    end_s=10_800.0,
    coverage=0.997,
    walking_s=611.0,
    n_bouts=14,
    n_steps=1102,
    n_strides_steady=804,
    speed_mps=1.12,
    speed_sd_mps=0.14,
    cadence_spm=107.0,
    metrics=(PELVIC_DROP,),
)
SUMMARY_HOUR = Channel(
    "summary/hour",
    SUMMARY_EXAMPLE,
    "one an hour of a session, some minutes after it",
    retain=True,
)
SUMMARY_DAY = Channel(
    "summary/day",
    SUMMARY_EXAMPLE.model_copy(update={"start_s": 0.0, "end_s": 86_400.0, "coverage": 0.61}),
    "one a day of a session, and when the session ends",
    retain=True,
)
COMPARISON = Channel(
    "clinic/comparison",
    Comparison(
        before="without",
        after="insole",
        speed_mps=1.18,
        shared_share=0.91,
        n_before=164,
        n_after=171,
        effects=(
            Effect(
                name="stance_asymmetry",
                side="both",
                unit="%",
                before=5.2,
                after=3.1,
                change=-2.1,
                interval=(-3.3, -0.9),
                detectable_change=1.2,
                sure=True,
            ),
        ),
        verdict="Stance asymmetry fell by 2.1 points (95 % 0.9 to 3.3).",
    ),
    "one a comparison of two conditions at matched speed",
)
LEG_LENGTH = Channel(
    "clinic/leg_length",
    LegLength(difference_mm=7.5, interval_mm=(3.1, 11.9)),
    "one a clinic protocol, never from free walking",
    retain=True,
)
EVENT = Channel(
    "event/{kind}",
    Event(
        kind="link",
        severity="warning",
        message="node left-foot is silent since 2.1 s",
        node="left-foot",
        values={"silent_s": 2.1},
    ),
    "as it happens",
)
DIAG = Channel(
    "diag",
    Diag(
        outbox_depth=12,
        outbox_age_s=0.4,
        outbox_mb=0.006,
        n_dropped=0,
        n_published=86_400,
        lag_s=0.06,
        disk_free_mb=21_400.0,
        cpu_share=0.11,
        memory_mb=92.0,
        temperature_degc=51.2,
        throttled=False,
    ),
    "every 60 s",
    qos=0,
    latest=True,
    drop_order=1,
)
COMMAND = Channel(
    "cmd/{command}",
    Command(correlation="c-0017", arguments={"protocol": "free-living"}),
    "when somebody asks; off unless configured",
    direction="in",
)
REPLY = Channel(
    "cmd/{command}/reply",
    Reply(correlation="c-0017", ok=True, result={"session": "01JNAV6W2T4Y8ZQ0M3K5R7P9XD"}),
    "one a command",
)

CHANNELS = (
    STATUS,
    INFO,
    NODE_STATUS,
    SESSION,
    STRIDE,
    BOUT,
    METRICS,
    SUMMARY_HOUR,
    SUMMARY_DAY,
    LEG_LENGTH,
    COMPARISON,
    EVENT,
    DIAG,
    COMMAND,
    REPLY,
)


def topic(site: str, edge: str, stream: str) -> str:
    """Whole topic of a stream of one edge."""
    return f"{ROOT}/{site}/{edge}/{stream}"


def channel_of(stream: str) -> Channel | None:
    """Find the row that a topic below the edge belongs to."""
    for channel in CHANNELS:
        pattern = re.sub(r"\{\w+\}", "[a-z0-9_-]{1,32}", channel.suffix)
        if re.fullmatch(pattern, stream):
            return channel
    return None


def parse_topic(text: str) -> tuple[str, str, str] | None:
    """Split a topic into site, edge and stream; None where it is not one of ours."""
    found = re.fullmatch(rf"{ROOT}/([^/]+)/([^/]+)/(.+)", text)
    if found is None or not all(re.fullmatch(NAME, part) for part in found.groups()[:2]):
        return None
    site, edge, stream = found.groups()
    return site, edge, stream
