"""Soft tissue between bone and sensor: contacts in, the sensor's own motion on the segment out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sensors.sample import Side

from .body.curve import Curve, States, least_jerk
from .body.kinematics import turning

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from .body.kinematics import Kinematics, Motion
    from .truth.records import TrueContact

    Floats = NDArray[np.float64]
    Vector = tuple[float, float, float]

SKIN_AXES = "xyz"
HALF_WAVES = 4
"""So many half waves of the ringing are followed; then it has died away."""
SETTLING_S = 0.5
"""Skin is at rest so long after the last contact of a run."""


@dataclass(frozen=True, slots=True)
class Skin:
    """How a sensor moves on its segment; the default is a shin sensor on a lean leg.

    Skin turns by 2 to 4 deg about the shank (docs/gait.md); the spreads of `stride_turn` and
    `walking_turn` for a pelvis are `(0.010, 0.0, 0.0)` and `(0.007, 0.0, 0.0)`.

    Attributes
    ----------
    ring_turn, ring_shift_m : (3,) floats
        Ringing after each contact felt: about and along the segment's axes, first half wave.
    ring_hz, ring_decay_s : float
        Its frequency and the time in which it falls to 1/e.
    stride_turn : (3,) floats
        Rotation with the stride: this after each right contact, the opposite after each left one.
    walking_turn : (3,) floats
        Rotation while walking against standing.
    """

    ring_turn: Vector = (0.0, 0.01, 0.04)
    ring_shift_m: Vector = (0.0005, 0.0005, -0.0010)
    ring_hz: float = 12.0
    ring_decay_s: float = 0.05
    stride_turn: Vector = (0.0, 0.0, 0.0)
    walking_turn: Vector = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class SkinMotion:
    """Motion of a place of the skin; its frame is the segment's where the skin is at rest.

    Attributes
    ----------
    segment : Motion
        The bone's.
    place_m : (3,) floats
        The place where the skin is at rest, segment frame.
    slip : Curve
        Six channels: rotation about x, y, z; shift along x, y, z of the segment.
    """

    segment: Motion
    place_m: Vector
    slip: Curve

    def evaluate(self, time_s: Floats) -> Kinematics:
        """Motion of the place at times (n,)."""
        turn = turning([self.slip.channel(k) for k in range(3)], SKIN_AXES, time_s)
        value, rate, acceleration = (part[:, 3:] for part in self.slip.evaluate(time_s))
        bone = self.segment.evaluate(time_s).at_point(self.place_m)
        return bone.carrying(States(value, rate, acceleration), turn)


def slip_of(
    skin: Skin,
    contacts: Sequence[TrueContact],
    felt: Collection[Side],
    runs_s: Sequence[tuple[float, float]],
) -> Curve:
    """Slip of the skin: it rings with the contacts of the sides `felt`, and rests between runs."""
    ringing = np.array((*skin.ring_turn, *skin.ring_shift_m))
    with_stride = np.array((*skin.stride_turn, 0.0, 0.0, 0.0))
    walking = np.array((*skin.walking_turn, 0.0, 0.0, 0.0))
    knots: dict[float, tuple[Floats, bool]] = {-1e3: (0 * ringing, True)}
    for start_s, end_s in runs_s:
        knots[start_s] = knots[end_s + SETTLING_S] = (0 * ringing, True)
    for contact in contacts:
        if contact.kind == "fc":
            continue
        base = walking + (with_stride if contact.side is Side.RIGHT else -with_stride)
        rings = contact.side in felt
        # At rest before and after the ringing: a curve left free there would swing out into the
        # long gaps between contacts.
        knots[contact.time_s] = (base, rings)
        for wave in range(HALF_WAVES if rings else 0):
            later_s = (wave + 0.5) / (2 * skin.ring_hz)
            size = (-1) ** wave * np.exp(-later_s / skin.ring_decay_s)
            knots[contact.time_s + later_s] = (base + size * ringing, False)
        if rings:
            knots[contact.time_s + (HALF_WAVES + 0.5) / (2 * skin.ring_hz)] = (base, True)
    times = np.array(sorted(knots))
    values = [knots[time][0] for time in times]
    pinned = np.array([knots[time][1] for time in times])
    if len(times) == 1:
        times, values, pinned = np.array([-1e3, 0.0]), values * 2, np.array([True, True])
    return least_jerk(times, States.at_rest(values), pinned)
