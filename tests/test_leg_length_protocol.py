"""The clinic protocol as data, and an operator who walks it in a terminal."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from rich.console import Console

from edge.clinic import INTAKE, LEG_LENGTH, ProtocolRun, hip_width_from_asis_m, info_of
from edge.clinic.terminal import show_result, walk_protocol
from edge.gait.leg_length import read_phases
from edge.results import LegLength
from edge.timegrid import Span
from sensors import Segment, Side
from tests.clinic_person import Protocol, obliquity_of, person

TRUE_MM = 12.0


@dataclass
class Clinic:
    """A patient who does what the current step asks, a second sensor-less foot apart.

    `badly` holds the numbers of trials (in the order made) in which the patient sways.
    """

    badly: set[int] = field(default_factory=set)
    marks: list[tuple[str, dict]] = field(default_factory=list)
    published: list[LegLength] = field(default_factory=list)
    slept_s: float = 0.0
    trials: int = 0

    def sleep(self, seconds: float) -> None:
        self.slept_s += seconds

    def mark(self, label: str, what: dict) -> None:
        self.marks.append((label, what))

    def publish(self, result: LegLength) -> None:
        self.published.append(result)

    def last(self, seconds: float) -> Span:
        kept = [what for kind, what in self.marks if kind == "phase"]
        step = LEG_LENGTH[len(kept) + self.skipped(kept)]
        sway = 3.0 if self.trials in self.badly else 0.1
        self.trials += 1
        span = self.perform(step, seconds, sway)
        return replace(span, start_s=self.slept_s - seconds)

    def skipped(self, kept) -> int:
        return 0

    def perform(self, step, seconds, sway) -> Span:
        doing = Protocol(obliquity_of(TRUE_MM / 1e3))
        if step.phase == "bows":
            doing.bow([0.3, -0.3] * 4)
        elif step.phase == "seat":
            doing.sit(facing=step.facing)
        else:
            board = (step.board_mm if step.board_side is Side.RIGHT else -step.board_mm) / 1e3
            raised = obliquity_of(TRUE_MM / 1e3 + board) - doing.obliquity
            doing.stand(facing=step.facing, seconds=seconds, sway=sway, change=raised)
        span = doing.span()
        return span.part(0, round(seconds * span.rate_hz))


def operator(*answers: str):
    """Types the intake, then the answers one after the other, then Enter for ever."""
    intake = {"ASIS": "238", "Body height": "1,75", "Walks with an aid": "n"}
    queue = list(answers)

    def ask(prompt: str) -> str:
        for words, typed in intake.items():
            if words in prompt:
                return intake.pop(words) if words == "Body height" else typed
        if "Enter starts" in prompt or "Enter repeats" in prompt:
            return queue.pop(0) if queue else ("k" if "repeats" in prompt else "")
        return "175" if "Body height" in prompt else ""

    return ask


def walked(clinic: Clinic, *answers: str):
    screen = Console(file=io.StringIO(), width=100)
    run = walk_protocol(clinic, clinic.sleep, screen, operator(*answers))
    return run, screen.file.getvalue()


def test_the_steps_are_data_that_any_page_can_read():
    rows = [step.model_dump(mode="json") for step in LEG_LENGTH]
    assert json.loads(json.dumps(rows)) == rows
    numbers = [step.number for step in LEG_LENGTH]
    assert len(set(numbers)) == len(numbers)
    assert {number[:2] for number in numbers} == {f"P{i}" for i in range(1, 8)}
    for step in LEG_LENGTH:
        assert step.operator
        read_phases([step.label | {"start_s": 0.0, "end_s": step.seconds}])


def test_the_steps_that_must_be_done_are_enough_for_a_number():
    """Every rule about missing trials is met by the steps that cannot be left out."""
    clinic = Clinic()
    run = ProtocolRun(tuple(s for s in LEG_LENGTH if not s.optional and s.phase != "walk"))
    while run.step is not None:
        span = clinic.perform(run.step, run.step.seconds, 0.1)
        run.keep(run.judge(span), span)
    result = run.estimate(person())
    assert result.refused is None
    assert result.difference_mm == pytest.approx(TRUE_MM, abs=0.3)


def test_an_operator_is_led_through_every_step():
    clinic = Clinic()
    run, screen = walked(clinic)
    assert run.step is None
    assert len(run.phases) == len(LEG_LENGTH)
    assert "8 bows count" in screen
    assert "Eight slow bows" in screen
    (result,) = clinic.published
    assert result.refused is None
    assert result.difference_mm == pytest.approx(TRUE_MM, abs=0.3)
    assert [board.change_mm for board in result.boards] == pytest.approx([-12, -6, 6, 12], abs=0.3)
    assert "Right minus left" in screen
    kinds = [kind for kind, _ in clinic.marks]
    assert kinds == ["info"] + ["phase"] * len(LEG_LENGTH)
    assert clinic.marks[0][1] == {
        "Height": 175.0, "walking_aid": False, "hip_width_mm": 171.7, "hip_width_sd_mm": 10.3,
    }  # fmt: skip


def test_a_bad_trial_is_told_at_once_and_repeated():
    clinic = Clinic(badly={1})
    run, screen = walked(clinic, "", "", "", "")
    assert "Repeat: the pelvis swayed by" in screen
    rejected = [what for kind, what in clinic.marks if kind == "rejected"]
    assert [what["number"] for what in rejected] == ["P2.1a"]
    first = next(p for p in run.phases if p["phase"] == "stand")
    assert first["start_s"] > rejected[0]["end_s"]


def test_steps_can_be_left_out_done_again_and_ended():
    clinic = Clinic()
    clinic.skipped = lambda kept: 1
    run, _ = walked(clinic, "x", "s", "", "s", "b", "", "q")
    assert run.step.number == "P2.1b"
    assert len(run.phases) == 1
    stands = [what for kind, what in clinic.marks if kind == "phase"]
    assert len(stands) == 2
    assert stands[0]["start_s"] < run.phases[0]["start_s"]


def test_a_step_that_is_needed_cannot_be_left_out():
    run = ProtocolRun(LEG_LENGTH)
    run.skip()
    with pytest.raises(ValueError, match=r"P2\.1a cannot be left out"):
        run.skip()


def test_facings_that_differ_and_a_sensor_that_moved_are_said_at_once():
    still = Protocol(3.0)
    for posture in (0.0, 2.5, 3.0):
        still.stand(posture)
    a, b, late = (still.span().part(i * 1000, (i + 1) * 1000) for i in range(3))
    run = ProtocolRun(tuple(s for s in LEG_LENGTH if s.number in ("P2.1a", "P2.1b", "P7a")))
    run.keep(run.judge(a), a)
    verdict = run.judge(b)
    assert not verdict.good
    assert "differ by 2.5 deg" in verdict.sentence
    run.keep(run.judge(a), a)
    assert "has the sensor moved?" in run.judge(late).sentence


def test_a_silent_pelvis_sensor_and_shallow_bows_are_said_at_once():
    doing = Protocol(3.0)
    doing.stand()
    doing.bow([0.0] * 8, depth=12)
    whole = doing.span()
    standing, bows = whole.part(0, 1000), whole.part(1000, len(whole))
    steps = [s for s in LEG_LENGTH if s.number in {"P2.1a", "P3"}]
    run = ProtocolRun(steps)
    run.keep(run.judge(standing), standing)
    assert "0 of 8 bows count: it went down by 12 deg only" in run.judge(bows).sentence
    assert "does not send" in run.judge(replace(bows, segments=(Segment.LEFT_FOOT,))).sentence
    assert "Stand first" in ProtocolRun(steps[1:]).judge(bows).sentence


def test_hip_width_and_conditions_come_from_the_intake():
    assert hip_width_from_asis_m(0.240) == pytest.approx(0.173, abs=1e-4)
    answers = {question.key: None for question in INTAKE}
    assert info_of(answers) == {}
    answers |= {"scoliosis": True, "hip_contracture": False, "shoe_insert": True}
    assert info_of(answers) == {"conditions": ["scoliosis"], "shoe_insert": True}


def test_a_result_reads_as_a_number_with_its_interval_or_the_reason_for_none():
    def shown(**fields) -> str:
        screen = Console(file=io.StringIO(), width=120)
        show_result(LegLength(**fields), screen)
        return screen.file.getvalue()

    number = shown(
        difference_mm=11.6, interval_mm=(2.1, 21.1), longer_side="right", p_abs_ge_10=0.63,
        references_used=("bows",), flags=("shoe_insert",),
    )  # fmt: skip
    assert "+12 mm, 95 % +2 to +21" in number
    assert "right" in number
    assert "shoe insert" in number
    assert "anatomical" not in number
    assert "the floor slopes" in shown(difference_mm=None, refused="the floor slopes")


def test_a_walk_is_judged_by_its_steady_strides():
    quiet = np.zeros((500, 2, 3))
    quiet[..., 2] = 9.81
    good = np.ones((500, 2), dtype=bool)
    segments = (Segment.PELVIS, Segment.LEFT_FOOT)
    span = Span(100.0, 0.0, segments, np.zeros((500, 2, 3)), quiet, None, good, ~good)
    (walk,) = (s for s in LEG_LENGTH if s.phase == "walk")
    assert "0 steady strides, 30 are needed" in ProtocolRun([walk]).judge(span).sentence
