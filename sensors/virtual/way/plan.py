"""What the person shall do: phases in order, each a frozen record."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi


@dataclass(frozen=True, slots=True)
class Stand:
    """Stand still, each foot on the floor or on a flat board under the whole foot."""

    duration_s: float = 3.0
    left_board_m: float = 0.0
    right_board_m: float = 0.0


@dataclass(frozen=True, slots=True)
class Walk:
    """Walk straight on for a number of steps."""

    steps: int = 20
    speed_mps: float = 1.25
    cadence_spm: float = 108.0


@dataclass(frozen=True, slots=True)
class Turn:
    """Turn while stepping, left positive; with length 0 on the spot."""

    angle: float = pi
    steps: int = 6
    step_length_m: float = 0.35
    cadence_spm: float = 105.0


@dataclass(frozen=True, slots=True)
class Jog:
    """Jog straight on: both feet are off the ground between steps."""

    steps: int = 20
    speed_mps: float = 2.4
    cadence_spm: float = 160.0


@dataclass(frozen=True, slots=True)
class Stairs:
    """Climb stairs foot over foot; a negative rise goes down."""

    steps: int = 10
    rise_m: float = 0.17
    going_m: float = 0.29
    cadence_spm: float = 90.0


@dataclass(frozen=True, slots=True)
class Bow:
    """Bow about both hips with straight knees and still feet (docs/fitting.md)."""

    repetitions: int = 5
    angle: float = 0.65
    period_s: float = 4.0

    @property
    def duration_s(self) -> float:
        """Seconds of all repetitions."""
        return self.repetitions * self.period_s


@dataclass(frozen=True, slots=True)
class Sit:
    """Sit down on a hard level seat, stay, and stand up again (docs/leg-length.md)."""

    duration_s: float = 10.0
    hip_height_m: float = 0.52
    pelvic_tilt: float = -0.30
    moving_s: float = 2.0


Stepping = Walk | Turn | Jog | Stairs
Staying = Stand | Bow | Sit
Phase = Stepping | Staying
