"""The records that leave the pipeline: contacts, strides, bouts, leg length, a whole analysis.

The same models stand in `results.json` and, inside the envelope of `contract.py`, on MQTT.
Units end the names. A number that cannot be given is null, and `flags` or `refused` says why.
Times are seconds on the recording's own axis.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from sensors import Segment, Side  # noqa: TC001 (pydantic reads them when the models are made)


class Record(BaseModel):
    """Base of every record: frozen, and a wrong name is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Person(Record):
    """What is known of the person before the first step; nothing of it is needed for strides."""

    height_m: float | None = None
    weight_kg: float | None = None
    sensor_height_m: Annotated[float | None, Field(description="Pelvis sensor above floor")] = None
    hip_width_m: Annotated[float | None, Field(description="Between the hip centres")] = None
    hip_width_sd_m: float | None = None
    caliper_obliquity_rad: Annotated[
        float | None, Field(description="Landmark caliper while standing, right side higher positive")
    ] = None


class Contact(Record):
    """A foot meets the ground (`ic`, initial contact) or leaves it (`fc`, final contact)."""

    side: Side | None = Field(description="null where the pelvis sensor alone cannot tell")
    kind: Literal["ic", "fc"]
    time_s: float
    time_sd_s: float | None = None


class Stride(Record):
    """From one initial contact to the next of the same foot."""

    side: Side
    bout: int = Field(description="Number of the walking bout within the session, from 1")
    stage: Literal["live", "refined"] = Field(
        description="live: published as it closed; refined: two-sided, when the bout was over"
    )
    initial_contact_s: float
    final_contact_s: float | None
    next_initial_contact_s: float
    foot_flat_s: tuple[float, float] | None = None
    length_from_s: float | None = Field(
        default=None, description="Zero-velocity instant from which the length is measured"
    )
    length_to_s: float | None = None
    stride_length_m: float | None = Field(default=None, description="Horizontal")
    stride_length_sd_m: float | None = None
    stride_time_s: float
    stride_time_sd_s: float | None = None
    stance_time_s: float | None = None
    swing_time_s: float | None = None
    speed_mps: float | None = None
    clearance_m: float | None = Field(default=None, description="Greatest lift of the sensor")
    steady: bool = Field(description="Straight, level, in the middle of a bout, of usual duration")
    flags: tuple[str, ...] = ()


class Bout(Record):
    """A stretch of uninterrupted walking."""

    bout: int
    start_s: float
    end_s: float
    n_strides: int
    cadence_spm: float | None = Field(default=None, description="Steps a minute")
    speed_mps: float | None = None
    speed_sd_mps: float | None = None
    stride_length_m: float | None = None
    stride_length_sd_m: float | None = None
    flags: tuple[str, ...] = ()


class LegLength(Record):
    """Functional leg-length asymmetry in standing, from the clinic protocol only."""

    difference_mm: float | None = Field(description="Right longer positive")
    interval_mm: tuple[float, float] | None = Field(default=None, description="95 %")
    refused: str | None = None


class Trajectory(Record):
    """Way of one foot in a level frame, z up, heading arbitrary, beginning at the origin."""

    time_s: tuple[float, ...]
    position_m: tuple[tuple[float, float, float], ...]


class RecordingSummary(Record):
    """What was analysed."""

    duration_s: float
    rate_hz: float
    segments: tuple[Segment, ...]
    valid_share: dict[Segment, float] = Field(
        default_factory=dict, description="Share of ticks with a measured sample"
    )


class Analysis(Record):
    """All results of one recording: the content of `results.json`."""

    schema_: Literal["analysis/1.0"] = Field(default="analysis/1.0", alias="schema")
    recording: RecordingSummary
    contacts: tuple[Contact, ...] = ()
    strides: tuple[Stride, ...] = ()
    bouts: tuple[Bout, ...] = ()
    leg_length: LegLength | None = None
    trajectory: dict[Segment, Trajectory] = Field(default_factory=dict)
