"""What every payload has around its data: what, when, by whom, how sure, and in which order."""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from .messages import Subject  # noqa: TC001 (pydantic reads it when the models are made)
from .results import Record

MAX_BYTES = 8192
Data = TypeVar("Data", bound=BaseModel)
TimeQuality = Literal["ntp", "rtc", "unsynced"]


class Algorithm(Record):
    """What computed a result."""

    name: str
    version: str
    params_sha256: str | None = None


class Quality(Record):
    """How much of what should have been measured was."""

    coverage: float | None = Field(default=None, ge=0, le=1)
    gaps: int | None = None
    flags: tuple[str, ...] = ()


class Envelope(Record, Generic[Data]):
    """What every payload has around its `data`."""

    # A refused subject may be somebody's name: it must not stand in the error.
    model_config = ConfigDict(hide_input_in_errors=True)

    schema_: str = Field(alias="schema", description="Name and version: gait.stride/1.0")
    id: str = Field(description="ULID; a message that is sent again keeps it")
    seq: int | None = Field(description="Counts within boot_id and stream; null in the will")
    stream: str = Field(description="Topic below the edge")
    t: str | None = Field(description="When it happened: RFC 3339 UTC; null in the will")
    t_unc_s: float | None = Field(description="Standard uncertainty of t; null where not known")
    time_quality: TimeQuality | None
    t_mono_ns: int | None = Field(description="The same moment by the edge's CLOCK_MONOTONIC")
    boot_id: str = Field(description="The run of the process that made the message")
    session: str | None = None
    subject: Subject | None = None
    algo: Algorithm | None = None
    calib: tuple[str, ...] = Field(
        default=(), description="NODE/ID of each calibration applied (docs/calibration.md)"
    )
    quality: Quality | None = None
    historical: bool = Field(default=False, description="Late: newer ones may be here already")
    data: Data


def encode(envelope: Envelope[Any]) -> bytes:
    """JSON of a payload.

    Raises
    ------
    ValueError
        If it is longer than `MAX_BYTES`: a consumer may rely on that.
    """
    payload = envelope.model_dump_json(by_alias=True).encode()
    if len(payload) > MAX_BYTES:
        raise ValueError(f"{envelope.schema_}: {len(payload)} bytes: expected at most {MAX_BYTES}")
    return payload
