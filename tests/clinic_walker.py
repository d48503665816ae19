"""The virtual person led through the clinic protocol: five sensors, raw signals, known truth."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import TYPE_CHECKING

import numpy as np

from cext import quaternion
from edge.gait.leg_length import Phase
from edge.timegrid import Span
from sensors import Segment, Side
from sensors.virtual import (
    Bow,
    Leg,
    LegLengthStrategy,
    Sit,
    Stand,
    Turn,
    Variability,
    VirtualPerson,
    Walk,
)
from sensors.virtual.signals import Imperfections
from sensors.virtual.walker import Walker

if TYPE_CHECKING:
    from sensors.virtual import WalkTruth

RATE_HZ = 100.0
ABOUT_TURN = Turn(pi, 4, 0.0)
# Sitting down and standing up are in the plan's seconds.
SEAT_MARGIN_S = 2.5
STAND_MARGIN_S = 0.3


@dataclass(frozen=True)
class Recording:
    span: Span
    phases: tuple[Phase, ...]
    truth: WalkTruth

    def without(self, *numbers: int) -> Recording:
        kept = tuple(p for i, p in enumerate(self.phases) if i not in numbers)
        return Recording(self.span, kept, self.truth)


def legs(difference_m: float, **more) -> VirtualPerson:
    return VirtualPerson(
        left=Leg(length_m=0.9 - difference_m / 2),
        right=Leg(length_m=0.9 + difference_m / 2),
        **more,
    )


def steady(difference_m: float, strategy: LegLengthStrategy | None = None) -> VirtualPerson:
    """Every step and every standing like the other."""
    return legs(
        difference_m,
        variability=Variability.none(),
        strategy=strategy or LegLengthStrategy(),
    )


def _plan(board_m: float, seat: bool, steps: int):
    """Activities in order, each with the label of its phase."""

    def standing(**label):
        left = board_m if label.get("board_side") is Side.LEFT else 0.0
        right = board_m if label.get("board_side") is Side.RIGHT else 0.0
        return Stand(10.6, left, right), {"phase": "stand", **label}

    both = [{"facing": "a"}, {"facing": "b"}]
    yield from (standing(placement=k, **facing) for k in (1, 2, 3) for facing in both)
    yield Bow(6), {"phase": "bows"}
    if board_m:
        for side in Side:
            board = {"board_mm": board_m * 1e3, "board_side": side}
            yield from (standing(**board, **facing) for facing in both)
    if seat:
        yield from ((Sit(15.0), {"phase": "seat", **facing}) for facing in both)
    yield Walk(steps), {"phase": "walk"}
    yield from (standing(placement=4, repeat=True, **facing) for facing in both)


def record(
    person: VirtualPerson,
    sensors: dict[Segment, Imperfections] | None = None,
    *,
    board_m: float = 0.0,
    seat: bool = False,
    steps: int = 80,
    skin_deg: float = 0.0,
    seed: int = 1,
) -> Recording:
    """One protocol; `skin_deg` is how far the pelvis sensor rolls on the skin with every stride."""
    labelled = list(_plan(board_m, seat, steps))
    walker = Walker(person, [part for doing, _ in labelled for part in (doing, ABOUT_TURN)], seed)
    time_s = np.arange(round(walker.end_s * RATE_HZ)) / RATE_HZ
    sensors = sensors or {}
    read = [walker.sensor(s, sensors.get(s))(time_s) for s in Segment]
    gyr, acc = (np.stack([getattr(r, name) for r in read], axis=1) for name in ("gyr", "acc"))
    if skin_deg:
        k = tuple(Segment).index(Segment.PELVIS)
        gyr[:, k], acc[:, k] = _on_skin(gyr[:, k], acc[:, k], time_s, skin_deg)
    good = np.ones((len(time_s), len(Segment)), dtype=bool)
    span = Span(RATE_HZ, 0.0, tuple(Segment), gyr, acc, None, good, ~good)
    return Recording(span, tuple(_phases(walker.truth, labelled)), walker.truth)


def _phases(truth: WalkTruth, labelled):
    stays = iter(truth.stays)
    walk = max(truth.runs_s, key=lambda run: run[1] - run[0])
    for _, label in labelled:
        if label["phase"] == "walk":
            yield Phase(start_s=walk[0], end_s=walk[1], **label)
            continue
        stay = next(stays)
        margin = {"seat": SEAT_MARGIN_S, "stand": STAND_MARGIN_S}.get(label["phase"], 0.0)
        yield Phase(start_s=stay.start_s + margin, end_s=stay.end_s - margin, **label)


def _on_skin(gyr, acc, time_s, skin_deg):
    """The sensor rolls against the bone, with the stride and with the step."""
    wave = 2 * np.pi * 0.9 * time_s
    roll = np.radians(skin_deg) * (np.sin(wave) + 0.6 * np.sin(2 * wave + 1.0))
    # Only movement of the body moves the skin.
    moving = np.linalg.norm(gyr, axis=1)
    roll *= np.convolve(np.minimum(moving, 0.5) / 0.5, np.ones(100) / 100, "same")
    vector = np.zeros((len(roll), 3))
    vector[:, 0] = roll
    back = quaternion.conjugate(quaternion.from_rotation_vector(vector))
    rate = np.gradient(vector, 1 / RATE_HZ, axis=0)
    return quaternion.rotate(back, gyr) + rate, quaternion.rotate(back, acc)


def drawn_sensors(rng: np.random.Generator) -> dict[Segment, Imperfections]:
    """Five sensors worn by eye, after calibration."""
    return {segment: _drawn(rng) for segment in Segment}


def _drawn(rng: np.random.Generator) -> Imperfections:
    roll, pitch, yaw = np.radians(rng.normal(0, (2, 6, 4)))
    mount = quaternion.from_rotation_vector([roll, np.radians(10) + pitch, yaw])
    return Imperfections(
        q_sensor_to_segment=tuple(mount),
        gyr_bias=tuple(np.radians(rng.normal(0, 0.2, 3))),
        acc_bias=tuple(rng.normal(0, 0.03, 3)),
        gyr_scale=tuple(1 + rng.normal(0, 5e-3, 3)),
        acc_scale=tuple(1 + rng.normal(0, 3e-3, 3)),
        gyr_misalignment=tuple(np.radians(rng.normal(0, 0.3, 3))),
        gyr_noise=float(np.radians(0.1)),
        acc_noise=0.02,
        seed=int(rng.integers(1 << 30)),
    )
