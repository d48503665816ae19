"""The records that leave the pipeline: contacts, strides, bouts, leg length, a whole analysis.

The same models stand in `results.json` and, inside the envelope of `contract.py`, on MQTT.
Units end the names. A number that cannot be given is null, and `flags` or `refused` says why.
Times are seconds on the recording's own axis.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sensors import Segment, Side  # noqa: TC001 (pydantic reads them when the models are made)


class Record(BaseModel):
    """Base of every record: frozen, and a wrong name is an error."""

    # Built when first used: each command needs a few of them.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)


class Person(Record):
    """What is known of the person before the first step; nothing of it is needed for strides."""

    height_m: float | None = None
    weight_kg: float | None = None
    sensor_height_m: Annotated[float | None, Field(description="Pelvis sensor above floor")] = None
    hip_width_m: Annotated[float | None, Field(description="Between the hip centres")] = None
    hip_width_sd_m: float | None = None
    caliper_obliquity_rad: Annotated[
        float | None,
        Field(description="Landmark caliper while standing, right side higher positive"),
    ] = None
    conditions: tuple[
        Literal["scoliosis", "pelvic_deformity", "hip_contracture", "prosthesis"], ...
    ] = Field(default=(), description="Intake: leg length is not given with any of these")
    high_bmi_accepted: Annotated[
        bool, Field(description="The clinic wants leg length in spite of a BMI above 35")
    ] = False
    walking_aid: bool = False
    shoe_insert: Annotated[bool, Field(description="A lift or an orthosis is in a shoe")] = False


class Contact(Record):
    """A foot meets the ground (`ic`, initial contact) or leaves it (`fc`, final contact)."""

    side: Side | None = Field(description="null where the pelvis sensor alone cannot tell")
    kind: Literal["ic", "fc"]
    time_s: float
    time_sd_s: float | None = None


class Stride(Record):
    """From one initial contact to the next of the same foot."""

    side: Side | None = Field(description="null where the pelvis sensor alone cannot tell")
    bout: int = Field(
        description="Number of the walking bout within the session, from 1; 0: in none"
    )
    stage: Literal["live", "refined"] = Field(
        description="live: as it closed, by the feet; refined: two-sided, when the bout was over"
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
    stride_time_s: float | None = Field(
        default=None, description="null where the foot had been standing before the swing"
    )
    stride_time_sd_s: float | None = None
    stance_time_s: float | None = None
    swing_time_s: float | None = None
    speed_mps: float | None = None
    clearance_m: float | None = Field(default=None, description="Greatest lift of the sensor")
    step_time_s: float | None = Field(
        default=None, description="From the other foot's contact before to this initial contact"
    )
    double_support_s: float | None = Field(
        default=None, description="From this initial contact until the other foot leaves"
    )
    single_support_s: float | None = None
    double_support_pct: float | None = Field(
        default=None, description="Both feet on the ground, of the stride; negative: flight"
    )
    stance_pct: float | None = Field(default=None, description="Of the stride")
    foot_flat_pct: float | None = Field(default=None, description="Sole flat, of the stride")
    heel_rise_pct: float | None = Field(
        default=None, description="From heel-off to final contact, of the stride"
    )
    foot_strike_angle_deg: float | None = Field(
        default=None, description="At initial contact against flat foot, toe up positive"
    )
    push_off_angle_deg: float | None = Field(
        default=None, description="At final contact against flat foot, toe down positive"
    )
    toe_out_change_deg: float | None = Field(
        default=None, description="Against the median of this foot's walk; the level is not seen"
    )
    landing_inversion_deg: float | None = Field(
        default=None, description="Roll at initial contact against flat foot, sole inward positive"
    )
    eversion_rate_degps: float | None = Field(
        default=None, description="Greatest between initial contact and flat foot"
    )
    push_off_eversion_deg: float | None = Field(
        default=None, description="Roll at final contact against flat foot; over the big toe: +"
    )
    time_to_foot_flat_s: float | None = None
    push_off_rate_degps: float | None = Field(
        default=None, description="Greatest rate, toe down, from heel-off to final contact"
    )
    circumduction_m: float | None = Field(
        default=None, description="Greatest distance of the swing sideways from its straight way"
    )
    shank_range_deg: float | None = Field(default=None, description="Of pitch over the stride")
    shank_swing_rate_degps: float | None = None
    shank_pitch_at_contact_deg: float | None = Field(
        default=None, description="Against standing; top of the shank forward positive"
    )
    shank_pitch_at_midstance_deg: float | None = Field(
        default=None, description="At half of the stance"
    )
    shank_pitch_at_push_off_deg: float | None = None
    shank_rotation_deg: float | None = Field(
        default=None, description="Inward, greatest in early stance less that at contact"
    )
    shank_rotation_rate_degps: float | None = Field(
        default=None, description="That rotation by the time it takes from initial contact"
    )
    shank_lean_change_deg: float | None = Field(
        default=None, description="Medial lean at flat foot less that at contact"
    )
    ankle_range_deg: float | None = Field(
        default=None, description="Of foot pitch less shank pitch"
    )
    ankle_push_off_rate_degps: float | None = None
    shank_shock_g: float | None = Field(
        default=None, description="Greatest acceleration along the shank about initial contact"
    )
    pelvis_shock_g: float | None = None
    shock_attenuation: float | None = Field(
        default=None, description="1 less pelvis shock by shank shock"
    )
    shock_transfer_active_db: float | None = Field(
        default=None, description="Power at the pelvis by that at the shank in stance, 3 to 8 Hz"
    )
    shock_transfer_impact_db: float | None = Field(default=None, description="9 to 20 Hz")
    obliquity_range_deg: float | None = None
    pelvic_tilt_range_deg: float | None = None
    pelvic_rotation_range_deg: float | None = None
    pelvic_drop_deg: float | None = Field(
        default=None, description="Of the other side, early in this side's stance"
    )
    pelvic_step_advance_m: float | None = Field(
        default=None,
        description="Pelvis, from the other foot's contact to this one; no step length",
    )
    pelvic_push_off_mps: float | None = Field(
        default=None, description="Forward velocity gained from mid-stance to the other's contact"
    )
    pelvic_excursion_m: float | None = Field(
        default=None, description="Greatest way of the pelvis toward this foot from its mean place"
    )
    harmonic_ratio_forward: float | None = None
    harmonic_ratio_lateral: float | None = None
    harmonic_ratio_vertical: float | None = None
    harmonic_share_forward_pct: float | None = Field(
        default=None, description="Improved harmonic ratio: 100 is two like steps"
    )
    harmonic_share_lateral_pct: float | None = None
    harmonic_share_vertical_pct: float | None = None
    step_regularity: float | None = Field(
        default=None, description="Correlation of the two steps, upward acceleration of the pelvis"
    )
    stride_regularity: float | None = Field(
        default=None, description="Correlation with the stride before"
    )
    eversion_rotation_ratio: float | None = Field(
        default=None, description="Inward rotation of the shank by eversion of the foot"
    )
    eversion_rotation_angle_deg: float | None = Field(
        default=None, description="Vector coding: 45 is one to one, 0 is no rotation"
    )
    eversion_rotation_lag_s: float | None = Field(
        default=None, description="By how much the shank trails the foot"
    )
    rotation_drop_ratio: float | None = Field(
        default=None, description="Drop of the other side of the pelvis by rotation of the shank"
    )
    rotation_drop_angle_deg: float | None = None
    rotation_drop_lag_s: float | None = None
    rotation_pelvis_ratio: float | None = Field(
        default=None, description="Turn of the pelvis toward the leg by rotation of the shank"
    )
    rotation_pelvis_angle_deg: float | None = None
    rotation_pelvis_lag_s: float | None = None
    steady: bool = Field(description="Straight, level, in the middle of a bout, of usual duration")
    flags: tuple[str, ...] = ()


class Bout(Record):
    """A stretch of uninterrupted walking; one of over an hour is closed, flagged `continues`."""

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


class Metric(Record):
    """One number about a set of strides, with how sure it is, or why it is withheld."""

    name: str = Field(description="A field of the stride, or what is made of several")
    side: Literal["left", "right", "both", "right_minus_left"]
    value: float | None
    unit: str = Field(description="1 where it has none")
    sd: float | None = Field(default=None, description="From stride to stride")
    interval: tuple[float, float] | None = Field(
        default=None, description="95 %: chance from stride to stride, and the method's own error"
    )
    n: int = Field(
        description="Strides it is made of; of a difference, of the lesser side; of a trend, bouts"
    )
    reason: str | None = Field(default=None, description="Why there is no value")

    @model_validator(mode="after")
    def _value_or_reason(self) -> Self:
        if (self.value is None) == (self.reason is None):
            raise ValueError(f"{self.name}: expected a value or a reason, and not both")
        if self.value is not None and self.interval is None:
            raise ValueError(f"{self.name}: a value without an interval")
        return self


class BoutMetrics(Record):
    """What one family of metrics says about a bout's steady strides."""

    bout: int
    family: str
    speed_mps: float | None = Field(description="Mean of these strides: compare at like speeds")
    metrics: tuple[Metric, ...]
    flags: tuple[str, ...] = ()


class Effect(Record):
    """What changed in one number between two conditions, at matched speed."""

    name: str
    side: Literal["left", "right", "both"]
    unit: str
    before: float
    after: float
    change: float = Field(description="After less before")
    interval: tuple[float, float] = Field(description="95 %, of the change")
    detectable_change: float = Field(description="Smallest one that these strides would show")
    sure: bool = Field(description="Beyond chance among all effects of the comparison together")


class Comparison(Record):
    """Two conditions, such as without and with an insole, of one person in one fitting."""

    before: str = Field(description="Name of the condition")
    after: str
    refused: str | None = Field(default=None, description="Why nothing is compared")
    speed_mps: float | None = Field(default=None, description="Mean of both, once matched")
    shared_share: float | None = Field(
        default=None, description="Part of the strides of each that the other's speeds match"
    )
    n_before: int = Field(default=0, description="Steady strides of both feet")
    n_after: int = 0
    effects: tuple[Effect, ...] = ()
    withheld: dict[str, str] = Field(default_factory=dict, description="Name and side to reason")
    guarded_more: tuple[str, ...] = Field(
        default=(), description="Components of a guarded gait that surely grew; no diagnosis"
    )
    guarded_less: tuple[str, ...] = ()
    verdict: str = Field(description="In plain words")
    basis: Literal["within-session only"] = Field(
        default="within-session only",
        description="No repeatability study of re-placed sensors stands behind the intervals yet",
    )


class Summary(Record):
    """What an hour or a day of a session held; both count from the beginning of the session."""

    start_s: float
    end_s: float
    coverage: float = Field(ge=0, le=1, description="Share of the time in which samples came")
    walking_s: float
    n_bouts: int = Field(description="That began in it")
    n_steps: int = Field(
        description="Landings of either foot, twice those of one where one is worn"
    )
    n_strides_steady: int
    speed_mps: float | None = Field(description="Mean over the bouts by their time")
    speed_sd_mps: float | None = Field(default=None, description="From bout to bout")
    cadence_spm: float | None = None
    metrics: tuple[Metric, ...] = Field(default=(), description="Of all steady strides together")
    trends: tuple[Metric, ...] = Field(
        default=(), description="Of a day: change in 8 h at equal speed; believe three days"
    )


class BoardChange(Record):
    """What a full-foot board under one foot did to the standing difference, sensor left on."""

    board_mm: float
    board_side: Side
    change_mm: float = Field(description="With the board minus without; right up positive")
    interval_mm: tuple[float, float] = Field(description="95 %")


class LegLength(Record):
    """Functional leg-length asymmetry in standing, from the clinic protocol only.

    Hip-centre heights with both knees straight, on a level floor, shoes as worn. Every signed
    number is right minus left. `docs/leg-length.md` says what the interval holds.
    """

    difference_mm: float | None = Field(description="Right longer positive")
    interval_mm: tuple[float, float] | None = Field(default=None, description="95 %, with K")
    refused: str | None = Field(default=None, description="Why there is no difference")
    sd_mm: float | None = Field(default=None, description="With K")
    longer_side: Literal["right", "left", "undetermined"] | None = Field(
        default=None, description="undetermined: the interval holds zero"
    )
    p_abs_ge_5: float | None = Field(default=None, description="Probability of 5 mm or more")
    p_abs_ge_10: float | None = None
    p_abs_ge_20: float | None = None
    obliquity_deg: float | None = Field(
        default=None, description="Hip line in standing, right side higher positive"
    )
    obliquity_interval_deg: tuple[float, float] | None = Field(
        default=None, description="95 %, with K"
    )
    references_used: tuple[Literal["bows", "seat", "caliper"], ...] = ()
    k_factor: float | None = Field(
        default=None, description="Widens the interval until the spreads are measured on people"
    )
    hip_width_mm: float | None = None
    hip_width_sd_mm: float | None = None
    n_placements: int = 0
    n_bows: int = 0
    boards: tuple[BoardChange, ...] = ()
    lift_slope_deg_per_mm: float | None = Field(
        default=None, description="Obliquity for every millimetre put under the right foot"
    )
    hidden_share_c: float | None = Field(
        default=None, description="Share of a board that the posture takes back"
    )
    levelling_board_mm: float | None = Field(
        default=None, description="Board that levels the hips; under the shorter side"
    )
    levelling_board_sd_mm: float | None = None
    pelvic_midstance_difference_mm: float | None = Field(
        default=None, description="D: pelvis height at right mid-stance minus left, walking"
    )
    pelvic_midstance_difference_interval_mm: tuple[float, float] | None = Field(
        default=None, description="95 %"
    )
    dynamic_minus_standing_mm: float | None = Field(
        default=None, description="Difference while walking minus difference while standing"
    )
    dynamic_minus_standing_interval_mm: tuple[float, float] | None = Field(
        default=None, description="95 %"
    )
    share_seen_walking: float | None = Field(
        default=None, description="D over the difference, where that is beyond 2 SD"
    )
    walking_titration_mm: float | None = Field(
        default=None, description="Difference from walking with lifts: a second opinion"
    )
    walking_titration_sd_mm: float | None = None
    walking_refused: str | None = Field(default=None, description="Why there is no D")
    n_strides: int = 0
    speed_mps: float | None = None
    flags: tuple[str, ...] = ()


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
    metrics: tuple[BoutMetrics, ...] = ()
    hours: tuple[Summary, ...] = ()
    days: tuple[Summary, ...] = ()
    standing: tuple[Metric, ...] = Field(default=(), description="Sway, of a protocol's standing")
    leg_length: LegLength | None = None
    trajectory: dict[Segment, Trajectory] = Field(default_factory=dict)
