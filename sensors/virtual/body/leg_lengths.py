"""A person's legs and strategy in, hip heights and obliquity out (docs/leg-length.md)."""

from __future__ import annotations

from dataclasses import dataclass
from math import acos, asin, sin
from typing import TYPE_CHECKING

from sensors.sample import Side

from .person import leftward

if TYPE_CHECKING:
    from .person import VirtualPerson

WALKING_SAG_M = 0.012
"""Mid-stance is that much lower than standing: the knee is never quite straight (B)."""
SEGMENT_M = 0.42
"""Thigh and shank, for the bend of a knee that hides a longer leg."""
MIDSTANCE_DROP = 0.55
"""At mid-stance the obliquity is this share of its peak (B)."""


@dataclass(frozen=True, slots=True)
class LegLengths:
    """Heights of the hip centres over the soles that a person's legs and strategy give, metres."""

    standing_left_m: float
    standing_right_m: float
    walking_left_m: float
    walking_right_m: float

    @classmethod
    def of(cls, person: VirtualPerson) -> LegLengths:
        """Hide of the difference what the strategy hides; the mean stays."""
        mean = (person.left.length_m + person.right.length_m) / 2
        half = (person.right.length_m - person.left.length_m) / 2
        standing = half * (1 - person.strategy.hidden_standing)
        walking = half * (1 - person.strategy.hidden_walking)
        low = mean - WALKING_SAG_M
        return cls(mean - standing, mean + standing, low - walking, low + walking)

    def walking(self, side: Side) -> float:
        """Hip height at mid-stance."""
        return self.walking_left_m if side is Side.LEFT else self.walking_right_m


def carried_obliquity(person: VirtualPerson) -> float:
    """Mean obliquity of walking: the part of the difference that the pelvis carries."""
    lengths = LegLengths.of(person)
    difference = lengths.walking_right_m - lengths.walking_left_m
    return asin((1 - person.strategy.midstance_share) * difference / person.hip_width_m)


def walking_obliquity(person: VirtualPerson, side: Side, scale: float = 1.0) -> float:
    """Obliquity at mid-stance of one side, right side higher positive.

    The mean of its sine over the two sides is what the pelvis carries, whatever the drop of either
    side: at mid-stance both sides drop by their mean.
    """
    drop = (person.left.pelvic_drop + person.right.pelvic_drop) / 2 * MIDSTANCE_DROP
    return asin(sin(carried_obliquity(person)) - leftward(side) * sin(drop) * scale)


def knee_bend(person: VirtualPerson, side: Side, *, walking: bool) -> float:
    """Shank forward of its usual pitch by this while the longer leg hides its length.

    Thigh and shank lean apart by equal angles, each `SEGMENT_M` long (docs/leg-length.md: 10 deg
    of knee flexion hide 3.2 mm).
    """
    longer = -leftward(side) * (person.right.length_m - person.left.length_m)
    strategy = person.strategy
    hidden = strategy.hidden_walking if walking else strategy.hidden_standing
    hidden_m = max(0.0, longer) * max(0.0, hidden)
    return acos(1 - hidden_m / (2 * SEGMENT_M))
