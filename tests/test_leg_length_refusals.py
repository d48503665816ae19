"""Every rule that withholds the number or warns: once triggered, once nearly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge.errors import UserError
from edge.gait.leg_length import Phase, estimate_leg_length, read_phases
from edge.gait.leg_length.standing import read_trial
from sensors import Segment, Side
from tests.clinic_person import Sensor, about, obliquity_of, person, turned, usual


def scaled(share: float) -> Sensor:
    return Sensor(acc_scale=np.full(3, 1 + share))


def seated(error: float):
    protocol = usual()
    protocol.sit(error)
    protocol.sit(error, "b")
    return protocol


def without(protocol, *numbers: int):
    """The protocol with some of its phases missing."""
    protocol.phases = [p for i, p in enumerate(protocol.phases) if i not in numbers]
    return protocol


def caliper(reading: float) -> dict:
    return {"caliper_obliquity_rad": np.radians(reading)}


def built(height_m: float, weight_kg: float, **more) -> dict:
    return {"height_m": height_m, "weight_kg": weight_kg, **more}


# (what is wrong, protocol and person that trigger the rule, the same that nearly do, the reason)
RULES = {
    "no zero reference": (
        (usual(bow_rolls=()), {}),
        (usual(bow_rolls=()), caliper(3.0)),
        "no zero reference",
    ),
    "seat without bows": (
        (without(seated(0.0), 6), {}),
        (seated(0.0), {}),
        "the seat is no zero reference",
    ),
    "no half-turn": (
        (without(usual(), 1, 3, 5), {}),
        (usual(), {}),
        "half-turn",
    ),
    "two placements": (
        (without(usual(), 5), {}),
        (usual(), {}),
        "only 2 of 3 placements",
    ),
    "placements differ": (
        (usual(postures=(0, 0, 1.6, 1.6, 0, 0, 0.5, 0.5)), {}),
        (usual(postures=(0, 0, 1.4, 1.4, 0, 0, 0.5, 0.5)), {}),
        "placements differ by 1.6 deg",
    ),
    "three bows": (
        (usual(bow_rolls=(0.0,) * 3), {}),
        (usual(bow_rolls=(0.0,) * 4), {}),
        "only 3 bows count",
    ),
    "bows spread": (
        (usual(bow_rolls=(4, -4, 4, -4, 4, -4), bow_yaws=(3, 3, -3, -3, 3, -3)), {}),
        (usual(bow_rolls=(3, -3, 3, -3, 3, -3), bow_yaws=(2, 2, -2, -2, 2, -2)), {}),
        "axes of the bows spread",
    ),
    "shallow bows": (
        (usual(depth=18), {}),
        (usual(depth=22), {}),
        "bows went down by 18 deg only",
    ),
    "sensor moved": (
        (usual(postures=(0,) * 6 + (1.3, 1.3)), {}),
        (usual(postures=(0,) * 6 + (1.1, 1.1)), {}),
        "the pelvis sensor has moved",
    ),
    "references disagree": (
        (usual(3.0), caliper(9.0)),
        (usual(3.0), caliper(7.5)),
        "bows and caliper disagree",
    ),
    "accelerometer off": (
        (usual(sensor=scaled(0.011)), {}),
        (usual(sensor=scaled(0.009)), {}),
        "1.1 % off gravity",
    ),
    "floor slopes": (
        (usual(floor=1.1), {}),
        (usual(floor=0.9), {}),
        "the floor slopes",
    ),
    "no hip width": (
        (usual(), {"hip_width_m": None}),
        (usual(), {"hip_width_m": 0.15}),
        "hip-centre width",
    ),
    "intake": (
        (usual(), {"conditions": ("scoliosis", "prosthesis")}),
        (usual(), {"conditions": ()}),
        "the intake names scoliosis and a prosthesis",
    ),
    "bmi": (
        (usual(), built(1.70, 102)),
        (usual(), built(1.70, 101)),
        "the BMI is 35",
    ),
    "bmi overridden": (
        (usual(), built(1.70, 120)),
        (usual(), built(1.70, 120, high_bmi_accepted=True)),
        "the BMI is 42",
    ),
}


@pytest.mark.parametrize(("triggers", "nearly", "reason"), RULES.values(), ids=RULES)
def test_refuses_with_the_reason_and_only_then(triggers, nearly, reason):
    protocol, known = triggers
    result = estimate_leg_length(protocol.span(), protocol.phases, person(**known))
    assert result.difference_mm is None
    assert result.interval_mm is None
    assert result.longer_side is None
    assert reason in result.refused
    assert "anatomical" not in result.refused

    protocol, known = nearly
    result = estimate_leg_length(protocol.span(), protocol.phases, person(**known))
    assert result.refused is None
    assert result.difference_mm is not None


def test_several_reasons_are_all_named():
    protocol = usual(floor=1.5, bow_rolls=(0.0,) * 3)
    result = estimate_leg_length(protocol.span(), protocol.phases, person())
    assert "floor slopes" in result.refused
    assert "3 bows" in result.refused


def test_without_a_pelvis_sensor_or_any_standing_there_is_a_reason():
    protocol = usual()
    span = replace(protocol.span(), segments=(Segment.LEFT_FOOT,))
    assert "pelvis sensor" in estimate_leg_length(span, protocol.phases, person()).refused
    assert "still standing" in estimate_leg_length(protocol.span(), (), person()).refused


def test_a_recording_that_ends_too_early_is_refused():
    protocol = usual()
    result = estimate_leg_length(protocol.span().part(0, 3500), protocol.phases, person())
    assert "placements" in result.refused


def with_boards(reached: float, bent: float = 0.0):
    """Boards of 6 and 12 mm under either foot, of which a share reaches the hips."""
    protocol = usual(2.0)
    for side, sign in ((Side.LEFT, -1), (Side.RIGHT, 1)):
        for board_mm in (6, 12):
            lifted = sign * board_mm / 1e3 * reached + (bent if board_mm == 12 else 0.0)
            change = obliquity_of(0.006 + lifted) - obliquity_of(0.006)
            for facing in "ab":
                protocol.stand(facing=facing, change=change, board_mm=board_mm, board_side=side)
    return protocol


@pytest.mark.parametrize(
    ("reached", "bent", "flagged"),
    [
        (0.70, 0.0, {"posture_compensates"}),
        (0.80, 0.0, set()),
        (1.20, 0.0, set()),
        (1.30, 0.0, {"posture_compensates"}),
        (1.0, 0.006, {"boards_not_linear"}),
        (1.0, 0.003, set()),
    ],
)
def test_boards_that_do_not_reach_the_hips_are_flagged(reached, bent, flagged):
    protocol = with_boards(reached, bent)
    result = estimate_leg_length(protocol.span(), protocol.phases, person())
    assert len(result.boards) == 4
    assert set(result.flags) == flagged


def test_a_missing_last_standing_and_an_insert_are_flagged():
    protocol = without(usual(), 7, 8)
    result = estimate_leg_length(protocol.span(), protocol.phases, person(shoe_insert=True))
    assert result.refused is None
    assert set(result.flags) == {"sensor_shift_unchecked", "shoe_insert"}


def test_phases_that_make_no_sense_are_named():
    good = {"phase": "stand", "start_s": 0.0, "end_s": 10.0}
    assert read_phases([good | {"note": "extra keys are passed over"}]) == (Phase(**good),)
    for wrong, message in (
        ({"phase": "jump"}, "phase 2: phase = 'jump'"),
        ({"end_s": -1.0}, "not after"),
        ({"board_mm": 10}, "board_side"),
        ({"start_s": None}, "start_s = None"),
    ):
        with pytest.raises(UserError, match=message):
            read_phases([good, good | wrong])
    with pytest.raises(UserError, match="phase 1: end_s is missing"):
        read_phases([{"phase": "stand", "start_s": 0.0}])
    with pytest.raises(UserError, match="3 is no phase"):
        read_phases([3])


def test_a_turned_sensor_is_refused_for_the_same_reasons():
    protocol = usual(floor=1.1, sensor=Sensor(turned(25, 40, 70)))
    result = estimate_leg_length(protocol.span(), protocol.phases, person())
    assert (
        result.refused == "both directions differ by 2.2 deg: the floor slopes, choose a level spot"
    )


def trial(roll_deg: np.ndarray, lost: int = 0):
    """Ten seconds at these obliquities, some of the first samples lost."""
    gyr, acc = Sensor().read(about("x", -roll_deg))
    valid = np.arange(len(acc)) >= lost
    return read_trial(Phase(phase="stand", start_s=0, end_s=10), 100.0, acc, gyr, valid)


TIME = np.linspace(0, 1, 1000)
UNSTILL = {
    "sway": (trial(1.0 * np.sin(40 * TIME)), trial(0.8 * np.sin(40 * TIME)), "swayed by 0.6 deg"),
    "drift": (trial(1.0 * TIME), trial(0.8 * TIME), "drifted by 0.7 deg"),
    "lost samples": (trial(0 * TIME, 110), trial(0 * TIME, 90), "11 % of the samples are missing"),
    "too short": (trial(0 * TIME[:390]), trial(0 * TIME[:410]), "only 4 s were recorded"),
}


@pytest.mark.parametrize(("triggers", "nearly", "fault"), UNSTILL.values(), ids=UNSTILL)
def test_a_trial_that_was_not_still_is_rejected_and_only_then(triggers, nearly, fault):
    assert fault in triggers.fault
    assert nearly.fault is None
