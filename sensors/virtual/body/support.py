"""A run of steps in, what carries the pelvis through each of them out."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sin, sqrt
from typing import TYPE_CHECKING

import numpy as np

from .leg_lengths import LegLengths, carried_obliquity, walking_obliquity
from .person import leftward

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sensors.sample import Side
    from sensors.virtual.way.footfalls import Run

    from .person import VirtualPerson

    Floats = NDArray[np.float64]

REFERENCE_STEP_M = 0.70
REFERENCE_SPEED_MPS = 1.25
"""Step and speed at which the person's pelvic amplitudes hold."""
BOUNCE_SHARE = 0.45
"""Of the drop of a stiff inverted pendulum, this much is left (see the shock in `pelvis.py`)."""
JOGGING_BOUNCE_M, JOGGING_SAG_M = 0.04, 0.06
"""In jogging the pelvis is lowest over the stance leg, and swings by 8 cm between flights."""


@dataclass(frozen=True, slots=True, eq=False)
class Support:
    """The pelvis over one stance leg: from the double support before it to the one after.

    Attributes
    ----------
    midstance_s : float
        When the leg is in the middle of carrying alone.
    start, end : (3,) float64
        Midway between the feet before and after.
    heading, turn : float
        Direction at the start, and its change until the end.
    scale : float
        Of all angles: 1 in steps of the reference length.
    surge_m, bounce_m : float
        Amplitudes of the fluctuation forward and up.
    height_m, obliquity : float
        Of the pelvis at mid-stance.
    carried : float
        Mean obliquity of the walk, which the leg length difference leaves.
    wander_m : (4, 3) float64
        Chance of this step: forward, to the leg's side, up at each quarter.
    """

    side: Side
    midstance_s: float
    start: Floats
    end: Floats
    heading: float
    turn: float
    scale: float
    surge_m: float
    bounce_m: float
    height_m: float
    obliquity: float
    carried: float
    wander_m: Floats


def supports_of(person: VirtualPerson, run: Run) -> list[Support]:
    """One for each stance of a run but the first and the last."""
    return [_support(person, run, k) for k in range(1, len(run.stances) - 1)]


def _support(person: VirtualPerson, run: Run, k: int) -> Support:
    old, stance, new = run.stances[k - 1 : k + 2]
    start, end = (old.place + stance.place) / 2, (stance.place + new.place) / 2
    length_m = float(np.hypot(*(end - start)[:2]))
    scale = 0.15 + 0.85 * min(1.2, length_m / REFERENCE_STEP_M)
    obliquity = walking_obliquity(person, stance.side, scale)
    jogging = stance.step is not None and stance.step.bounce < 0
    hip_m = LegLengths.of(person).walking(stance.side) - (JOGGING_SAG_M if jogging else 0.0)
    hip_m += stance.vary[2] * person.variability.midstance_height_m
    rise_m = leftward(stance.side) * person.hip_width_m / 2 * sin(obliquity)
    return Support(
        side=stance.side,
        midstance_s=midstance(run, k),
        start=start,
        end=end,
        heading=(old.heading + stance.heading) / 2,
        turn=(new.heading - old.heading) / 2,
        scale=scale,
        surge_m=person.speed_fluctuation * length_m / REFERENCE_SPEED_MPS / (2 * pi),
        bounce_m=-JOGGING_BOUNCE_M if jogging else _bounce(person, length_m),
        height_m=stance.place[2] + hip_m + rise_m,
        obliquity=obliquity,
        carried=carried_obliquity(person),
        wander_m=scale * np.array(person.variability.pelvis_m) * stance.vary[3:].reshape(4, 3),
    )


def _bounce(person: VirtualPerson, step_m: float) -> float:
    """Amplitude over a stiff leg's arc of one step, less what knee and ankle take off it."""
    leg_m = (person.left.length_m + person.right.length_m) / 2
    arc_m = leg_m * (1 - sqrt(1 - min(0.5, step_m / 2 / leg_m) ** 2))
    return BOUNCE_SHARE * arc_m / 2


def midstance(run: Run, k: int) -> float:
    """Middle of the time in which stance k alone carries the body, or of all of it in jogging."""
    stance, before = run.stances[k], run.stances[k - 1]
    start = max(before.fc_s, run.ic_s[k])
    end = min(run.ic_s[k + 1], stance.fc_s)
    return (start + end) / 2
