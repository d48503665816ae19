"""The leg-length protocol P1 to P7 as data: what is asked, how long, and what to say.

The terminal and the page walk the same rows; `verdict.py` says whether a trial was good. Why each
trial is there: docs/leg-length.md, "What each trial removes".
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from edge.gait.leg_length.phases import Facing  # noqa: TC001 (pydantic reads it)
from edge.results import Record
from sensors import Side

BOARDS_MM = (6.0, 12.0)
PLACEMENTS = 3
STAND_S = 10.0
BOW_S = 40.0
WALK_S = 100.0


class Question(Record):
    """One line of the intake; the answer stands in the recording's `info` under `key`."""

    key: str
    text: str
    kind: Literal["number", "yes_no"]
    low: float | None = None
    high: float | None = None


class Step(Record):
    """One trial of the protocol."""

    number: str = Field(description="P1 to P7, and which of them")
    title: str
    phase: Literal["table", "stand", "bows", "seat", "walk"]
    seconds: float
    operator: str = Field(description="What the operator does")
    patient: str = Field(description="What the operator says")
    placement: int = 1
    facing: Facing = "a"
    board_mm: float = 0.0
    board_side: Side | None = None
    knees: Literal["straight", "natural"] = "straight"
    repeat: bool = False
    optional: bool = False

    @property
    def label(self) -> dict[str, Any]:
        """What marks the trial in the recording, without its times."""
        wanted = {"phase", "placement", "facing", "board_mm", "board_side", "knees", "repeat"}
        return self.model_dump(mode="json", include=wanted, exclude_defaults=True)


INTAKE = (
    Question(key="Height", text="Body height, cm", kind="number", low=80, high=230),
    Question(key="Weight", text="Body weight, kg", kind="number", low=15, high=250),
    Question(
        key="asis_width_mm",
        text="Distance between the two front spines of the pelvis (ASIS) by caliper, mm",
        kind="number",
        low=120,
        high=400,
    ),
    Question(
        key="caliper_obliquity_deg",
        text="Landmark caliper while standing, degrees, right side higher positive",
        kind="number",
        low=-15,
        high=15,
    ),
    Question(key="scoliosis", text="Scoliosis?", kind="yes_no"),
    Question(key="pelvic_deformity", text="Deformity of the pelvis?", kind="yes_no"),
    Question(key="hip_contracture", text="Hip contracture?", kind="yes_no"),
    Question(key="prosthesis", text="Prosthesis with a socket?", kind="yes_no"),
    Question(key="walking_aid", text="Walks with an aid?", kind="yes_no"),
    Question(key="shoe_insert", text="Lift or orthosis in a shoe?", kind="yes_no"),
)
CONDITIONS = ("scoliosis", "pelvic_deformity", "hip_contracture", "prosthesis")
# Of the width that the regression gives: about 5 mm a side.
WIDTH_SD_SHARE = 0.06


def hip_width_from_asis_m(asis_width_m: float) -> float:
    """Width between the hip centres from the distance between the ASIS.

    Harrington et al. 2007, J Biomech 40:595: lateral offset 0.33 PW + 7.3 mm a side.
    """
    return 2.0 * (0.33 * asis_width_m + 0.0073)


def info_of(answers: dict[str, Any]) -> dict[str, Any]:
    """Answers of the intake as a recording's `info`; what was not answered is left out."""
    info = {k: v for k, v in answers.items() if k not in CONDITIONS and v is not None}
    asis_mm = info.pop("asis_width_mm", None)
    if asis_mm is not None:
        width_mm = 1e3 * hip_width_from_asis_m(asis_mm / 1e3)
        info["hip_width_mm"] = round(width_mm, 1)
        info["hip_width_sd_mm"] = round(WIDTH_SD_SHARE * width_mm, 1)
    ticked = [condition for condition in CONDITIONS if answers.get(condition)]
    return info | ({"conditions": ticked} if ticked else {})


WAY = {"a": "facing the wall", "b": "turned round, facing away from it"}
STILL = "Stand tall, knees straight, weight on both feet, look ahead. Please do not speak."


def _stand(number: str, title: str, operator: str, facing: Facing, **more: Any) -> Step:
    return Step(
        number=number + facing,
        title=f"{title}, {WAY[facing]}",
        phase="stand",
        seconds=STAND_S,
        operator=operator if facing == "a" else "Same spot, half a turn. " + operator,
        patient=more.pop("patient", STILL),
        facing=facing,
        **more,
    )


def _both(number: str, title: str, operator: str, **more: Any) -> list[Step]:
    return [_stand(number, title, operator, facing, **more) for facing in ("a", "b")]


def _placements() -> list[Step]:
    steps = []
    for k in range(1, PLACEMENTS + 1):
        operator = "Feet on the template, straight ahead." + (
            "" if k == 1 else " First let the person step off and on again."
        )
        steps += _both(f"P2.{k}", f"Standing, placement {k}", operator, placement=k)
    return steps


def _boards() -> list[Step]:
    return [
        step
        for side in Side
        for board_mm in BOARDS_MM
        for step in _both(
            f"P4.{side.value}.{board_mm:.0f}",
            f"Board of {board_mm:.0f} mm under the {side.value} foot",
            f"Flat board under the whole {side.value} foot, both feet on the template.",
            board_mm=board_mm,
            board_side=side,
            optional=True,
        )
    ]


def _seat() -> list[Step]:
    return [
        Step(
            number=f"P5{facing}",
            title=f"Sitting on the hard stool, {WAY[facing]}",
            phase="seat",
            seconds=STAND_S,
            operator="Hard, level stool; both seat bones on it, feet flat, thighs level.",
            patient="Sit upright and still, hands on the thighs.",
            facing=facing,
            optional=True,
        )
        for facing in ("a", "b")
    ]


LEG_LENGTH: tuple[Step, ...] = (
    Step(
        number="P1",
        title="Sensors still on the table",
        phase="table",
        seconds=10.0,
        operator="Lay all sensors on the table and do not touch it. Fasten them afterwards.",
        patient="",
        optional=True,
    ),
    *_placements(),
    _stand(
        "P2.n",
        "Standing at ease",
        "Feet stay on the template.",
        "a",
        patient="Stand as you always stand, at ease.",
        knees="natural",
        optional=True,
    ),
    Step(
        number="P3",
        title="Eight slow bows from the hips",
        phase="bows",
        seconds=BOW_S,
        operator="Show it: back straight, knees straight, hinge at the hips, hands along the "
        "thighs; two seconds down, two seconds up, 30 to 45 degrees. Feet do not move.",
        patient="Bow eight times, slowly, as I show you. Keep knees and back straight.",
    ),
    *_boards(),
    *_seat(),
    Step(
        number="P6",
        title="Walking, 60 straight strides",
        phase="walk",
        seconds=WALK_S,
        operator="Longest straight way there is, usual shoes, nobody alongside.",
        patient="Walk at your own usual pace until I call. Then stop and stand.",
    ),
    *_both(
        "P7",
        "Standing once more",
        "Feet on the template as at first. Nobody has touched the pelvis sensor.",
        placement=PLACEMENTS + 1,
        repeat=True,
    ),
)
