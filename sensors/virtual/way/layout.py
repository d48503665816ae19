"""Phases in, footfalls out: where and when each foot stands, before anything moves."""

from __future__ import annotations

from dataclasses import replace
from math import cos, sin
from typing import TYPE_CHECKING

import numpy as np

from sensors.sample import Side
from sensors.virtual.body.person import leftward

from .footfalls import Footfalls, Run, Stance, Stay, Step
from .plan import Bow, Jog, Sit, Stairs, Stand, Turn, Walk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sensors.virtual.body.person import VirtualPerson

    from .plan import Phase, Staying, Stepping

INITIATION_S = 0.5
"""From the end of standing to the first heel-off."""
SETTLING_S = 0.9
"""From the last contact until the body stands still."""
FIRST_STEP = 0.75
"""The first step from standing is shorter than the others by this factor."""


def lay_out(person: VirtualPerson, plan: Sequence[Phase], rng: np.random.Generator) -> Footfalls:
    """Give every footfall of a plan, beginning at the origin with heading 0 (east)."""
    return _Layout(person, rng).follow(plan)


class _Layout:
    """Walks the plan once, step by step."""

    def __init__(self, person: VirtualPerson, rng: np.random.Generator) -> None:
        self.person, self.rng = person, rng
        self.centre, self.heading = np.zeros(3), 0.0
        self.boards = dict.fromkeys(Side, 0.0)
        self.posture = 0.0
        # Chance is drawn for the first side first: a mirrored person walks the mirror image.
        first = person.first_side
        self.sides = (first, Side.LEFT if first is Side.RIGHT else Side.RIGHT)
        self.way = Footfalls({side: [self._stance(side)] for side in self.sides})

    def follow(self, plan: Sequence[Phase]) -> Footfalls:
        waiting: list[Stepping] = []
        for phase in plan:
            if isinstance(phase, Stand | Bow | Sit):
                self._run(_steps(waiting))
                waiting = []
                self._stay(phase)
            else:
                waiting.append(phase)
        self._run(_steps(waiting))
        return self.way

    def _stay(self, phase: Staying) -> None:
        boards = dict.fromkeys(Side, 0.0)
        if isinstance(phase, Stand):
            boards = {Side.LEFT: phase.left_board_m, Side.RIGHT: phase.right_board_m}
        if boards != self.boards:
            self.boards = boards
            self._run([Step(0.7, 0.0), Step(0.7, 0.0)])
        start = self.way.end_s
        feet = {side: self.way.stances[side][-1] for side in Side}
        if not self.way.stretches or isinstance(self.way.stretches[-1], Run):
            chance = -leftward(self.person.first_side) * self.rng.standard_normal()
            self.posture = self.person.variability.posture_obliquity * chance
        seed = int(self.rng.integers(2**32))
        self.way.end_s = start + phase.duration_s
        self.way.stretches.append(Stay(start, self.way.end_s, phase, feet, self.posture, seed))

    def _run(self, steps: list[Step]) -> None:
        if not steps:
            return
        stances = [self.way.stances[side][-1] for side in self.sides]
        for k, step in enumerate(steps):
            stance = self._place(self.sides[k % 2], step)
            stances.append(stance)
            self.way.stances[stance.side].append(stance)
        start = self.way.end_s
        ic_s = self._contacts(start, [s.step for s in stances[2:] if s.step])
        self._time(stances, ic_s)
        self.way.end_s = ic_s[-1] + SETTLING_S
        self.way.stretches.append(Run(start, self.way.end_s, stances, ic_s))

    def _place(self, side: Side, step: Step) -> Stance:
        """Go on by one step; the leg's share and chance change its length and time."""
        leg, vary = self.person.leg(side), self.person.variability
        chance = self.rng.standard_normal(2)
        time_s = step.time_s * 2 * leg.step_time_share * (1 + vary.step_time * chance[0])
        length_m = step.length_m * 2 * leg.step_length_share * (1 + vary.step_length * chance[1])
        taken = replace(step, time_s=time_s, length_m=length_m)
        middle = self.heading + step.turn / 2
        self.heading += step.turn
        self.centre += [cos(middle) * taken.length_m, sin(middle) * taken.length_m, step.rise_m]
        return self._stance(side, taken)

    def _stance(self, side: Side, step: Step | None = None) -> Stance:
        chance = self.rng.standard_normal(16)
        aside = self.person.step_width_m / 2 + self.person.variability.step_width_m * chance[15]
        aside *= leftward(side)
        offset = [-sin(self.heading) * aside, cos(self.heading) * aside, self.boards[side]]
        return Stance(side, self.centre + offset, self.heading, chance[:15], step=step)

    def _contacts(self, start_s: float, steps: list[Step]) -> list[float]:
        """Moments of contact, the first two those that a steady walker would have had."""
        pace = steps[0].time_s
        scale = steps[0].stance_scale
        heel_off = self.person.leg(self.person.first_side).heel_off_share * scale * 2 * pace
        times = [start_s + INITIATION_S - heel_off]
        for time in [pace, *(step.time_s for step in steps)]:
            times.append(times[-1] + time)
        return times

    def _time(self, stances: list[Stance], ic_s: list[float]) -> None:
        for k, stance in enumerate(stances):
            leg = self.person.leg(stance.side)
            going_on = k + 2 < len(stances)
            stance.stays = k < 2 or not going_on
            near = (stances[min(k + 2, len(stances) - 1)].step, stance.step)
            step = near[1] or near[0]
            scale = step.stance_scale if step else 1.0
            stride_s = ic_s[k + 2] - ic_s[k] if going_on else 2 * (ic_s[-1] - ic_s[-2])
            if k >= 2:
                stance.ic_s = ic_s[k]
                stance.flat_from_s = ic_s[k] + leg.foot_flat_share * scale * stride_s
            if going_on:
                early = step.heel_off_scale if step else 1.0
                stance.flat_to_s = ic_s[k] + leg.heel_off_share * early * scale * stride_s
                stance.fc_s = ic_s[k] + leg.stance_share * scale * stride_s
                way = stances[k + 2].place - stance.place
                stance.leave_m = stances[k + 2].reach_m = float(np.hypot(way[0], way[1]))


def _steps(phases: Sequence[Stepping]) -> list[Step]:
    """Steps of one run; the last closes the feet, the first is shorter."""
    steps = [step for phase in phases for step in _steps_of(phase)]
    if not steps:
        return []
    first, last = steps[0], steps[-1]
    steps[0] = replace(first, length_m=FIRST_STEP * first.length_m)
    return [*steps, Step(last.time_s, 0.0)]


def _steps_of(phase: Stepping) -> list[Step]:
    time = 60 / phase.cadence_spm
    match phase:
        case Walk():
            # Stance takes more of a slow stride: about 1 point of 63 for each 0.2 m/s.
            scale = float(np.clip(1 + 0.08 * (1.25 - phase.speed_mps), 0.94, 1.08))
            step = Step(time, phase.speed_mps * time, stance_scale=scale)
        case Jog():
            # Stance of 35 to 40 % of the stride leaves two flights in it.
            step = Step(
                time,
                phase.speed_mps * time,
                stance_scale=0.60,
                heel_off_scale=0.72,
                bounce=-1.0,
                strike_scale=0.4,
            )
        case Stairs():
            step = Step(time, phase.going_m, 0.0, phase.rise_m, strike_scale=0.0)
        case Turn():
            step = Step(time, phase.step_length_m, phase.angle / phase.steps)
    return [step] * phase.steps
