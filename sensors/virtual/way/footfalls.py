"""Where and when each foot stands: the records between a plan and the motion made from it.

A stance is one foot on one spot. The first of each foot begins before time, the last never ends.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sensors.sample import Side

    from .plan import Staying

    Floats = NDArray[np.float64]


UNHURRIED_STANCE_S = 0.55


@dataclass(frozen=True, slots=True)
class Step:
    """One step before it has a place.

    `stance_scale` scales the shares of the stride of which the leg tells, `heel_off_scale` that of
    heel-off once more; `bounce` is the sign of the pelvis' bounce (walking rises over the stance
    leg, jogging sinks); `strike_scale` scales the strike angle and the reach of the shank.
    """

    time_s: float
    length_m: float
    turn: float = 0.0
    rise_m: float = 0.0
    stance_scale: float = 1.0
    heel_off_scale: float = 1.0
    bounce: float = 1.0
    strike_scale: float = 1.0


@dataclass(slots=True)
class Stance:
    """One foot on one spot; times in seconds, infinite where there is none.

    Attributes
    ----------
    place : (3,) float64
        Point of the support under the ankle.
    heading : float
        Direction of progression there; the foot itself points outward of it by its toe-out.
    ic_s, flat_from_s, flat_to_s, fc_s : float
        Initial contact, first and last moment of the flat sole, final contact.
    step : Step or None
        The step that led here.
    stays : bool
        Whether the person stands here before going on.
    reach_m, leave_m : float
        Way of the foot from its last place to this one, and on to the next.
    vary : (15,) float64
        Standard normal numbers of this footfall: angles at landing, at leaving, height at
        mid-stance; the pelvis forward, aside, up at each of the four quarters of the step.
    """

    side: Side
    place: Floats
    heading: float
    vary: Floats
    ic_s: float = -inf
    flat_from_s: float = -inf
    flat_to_s: float = inf
    fc_s: float = inf
    step: Step | None = None
    stays: bool = True
    reach_m: float = 0.0
    leave_m: float = 0.0

    @property
    def ease(self) -> float:
        """Scale of the angles reached on the ground: less than 1 where there is little time."""
        return 0.4 + 0.6 * min(1.0, (self.fc_s - self.ic_s) / UNHURRIED_STANCE_S)


@dataclass(frozen=True, slots=True)
class Stay:
    """Time on both feet between two runs of steps.

    `obliquity_noise` is by how much the person stands otherwise this time; `seed` is for the sway.
    """

    start_s: float
    end_s: float
    phase: Staying
    feet: dict[Side, Stance]
    obliquity_noise: float
    seed: int


@dataclass(frozen=True, slots=True)
class Run:
    """Steps without a halt.

    `stances[0]` and `[1]` are those that it starts from, `ic_s` gives each stance the moment of
    its contact, for those two the moment they would have had in steady walking.
    """

    start_s: float
    end_s: float
    stances: list[Stance]
    ic_s: list[float]


@dataclass(slots=True)
class Footfalls:
    """The whole way: stances of each foot, runs and stays in the order of time."""

    stances: dict[Side, list[Stance]]
    stretches: list[Run | Stay] = field(default_factory=list)
    end_s: float = 0.0

    @property
    def runs(self) -> list[Run]:
        """The stretches that are made of steps."""
        return [s for s in self.stretches if isinstance(s, Run)]
