"""The moments at which a foot meets the ground and leaves it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cext import lowpass, positive_run

from .motion import jerk_norm

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .motion import FootMotion
    from .swings import Swings


@dataclass(frozen=True, slots=True)
class ContactParameters:
    """Where in the signals the contacts lie.

    Attributes
    ----------
    zero_hz : float
        Smoothing of the rate for the end of the forward swing.
    braked_from, braked_to : float
        A foot lands while its speed falls between these shares of the swing's greatest.
    impact_after_s, impact_spread_s : float
        The impact follows the end of the swing by this, give or take.
    impact_weight : float
        Of the centre of the impact, against the end of the swing.
    push_hz : float
        Smoothing of the rate for the push-off.
    push_reach_s, push_after_s : float
        The push-off is sought this long before the swing; the toes leave the ground this long
        after its fastest moment.
    """

    zero_hz: float = 15.0
    braked_from: float = 0.5
    braked_to: float = 0.15
    impact_after_s: float = 0.03
    impact_spread_s: float = 0.035
    impact_weight: float = 0.6
    push_hz: float = 10.0
    push_reach_s: float = 0.25
    push_after_s: float = 0.034


CONTACTS = ContactParameters()


def initial_contacts(
    motion: FootMotion,
    swing_rate: NDArray[np.float64],
    swings: Swings,
    parameters: ContactParameters = CONTACTS,
) -> NDArray[np.float64]:
    """Time at which the foot lands after each swing (m,), s.

    Notes
    -----
    The forward swing ends with a zero of the swing rate. In turning and closing steps, whose
    pitch says little, that zero may lie far off, but no foot lands before it brakes nor after it
    stands: the zero is held within the braking. The landing is the mean of it and of the centre
    of the impact, the squared jerk weighted by its distance from where the impact is expected.
    """
    p, rate_hz, time_s = parameters, motion.rate_hz, motion.time_s
    rate = lowpass(swing_rate, rate_hz, p.zero_hz)
    _, ends = positive_run(rate, swings.peak)
    velocity = motion.velocity_mps
    speed = np.sqrt(velocity[:, 0] ** 2 + velocity[:, 1] ** 2)
    jerk = jerk_norm(motion.acc, rate_hz) ** 2
    reach = round(3.0 * p.impact_spread_s * rate_hz)
    landed = np.empty(len(swings))
    for i, end in enumerate(ends):
        swing = slice(swings.still_before[i], swings.still_after[i] + 1)
        from_s, to_s = _braking(speed[swing], time_s[swing], p)
        end_s = min(max(_crossing(rate, time_s, end - 1, 0.0), from_s), to_s)
        tick = int(np.searchsorted(time_s, end_s))
        near = slice(max(0, tick - reach), tick + round(p.impact_after_s * rate_hz) + reach)
        expected = (time_s[near] - end_s - p.impact_after_s) / p.impact_spread_s
        impact = jerk[near] * np.exp(-0.5 * expected**2)
        centre_s = (time_s[near] @ impact) / max(impact.sum(), 1e-12)
        landed[i] = end_s + p.impact_weight * (centre_s - end_s)
    return landed


def final_contacts(
    motion: FootMotion,
    swing_rate: NDArray[np.float64],
    swings: Swings,
    parameters: ContactParameters = CONTACTS,
) -> NDArray[np.float64]:
    """Time at which the foot leaves the ground before each swing (m,), s.

    A little after the heel rises fastest: the peak of the plantarflexion rate.
    """
    p, rate_hz = parameters, motion.rate_hz
    rise = -lowpass(swing_rate, rate_hz, p.push_hz)
    reach = round(p.push_reach_s * rate_hz)
    left = np.empty(len(swings))
    for i, begin in enumerate(swings.begin):
        first = max(int(swings.still_before[i]), int(begin) - reach)
        tick = first + int(np.argmax(rise[first : begin + 1]))
        left[i] = motion.time_s[tick] + _beyond_tick(rise, tick) / rate_hz + p.push_after_s
    return left


def _braking(
    speed: NDArray[np.float64], time_s: NDArray[np.float64], p: ContactParameters
) -> tuple[float, float]:
    """When a swing's speed has fallen to `braked_from` and `braked_to` of its greatest."""
    top = speed.max()
    first = int(np.flatnonzero(speed >= p.braked_from * top)[-1])
    slow = np.flatnonzero(speed[first:] < p.braked_to * top)
    last = first + int(slow[0]) - 1 if len(slow) else len(speed) - 1
    return (
        _crossing(speed, time_s, first, p.braked_from * top),
        _crossing(speed, time_s, max(last, first), p.braked_to * top),
    )


def _crossing(
    signal: NDArray[np.float64], time_s: NDArray[np.float64], tick: int, level: float
) -> float:
    """Time at which the signal falls to a level between a tick and the next."""
    if not 0 <= tick < len(signal) - 1:
        return float(time_s[min(max(tick, 0), len(signal) - 1)])
    fall = signal[tick] - signal[tick + 1]
    share = min(max((signal[tick] - level) / fall, 0.0), 1.0) if fall > 0.0 else 0.0
    return float(time_s[tick] + share * (time_s[tick + 1] - time_s[tick]))


def _beyond_tick(signal: NDArray[np.float64], tick: int) -> float:
    """Place of a maximum between ticks, by the parabola through three of them."""
    if not 0 < tick < len(signal) - 1:
        return 0.0
    before, at, after = signal[tick - 1 : tick + 2]
    bend = 2.0 * at - before - after
    return float(min(max(0.5 * (after - before) / bend, -1.0), 1.0)) if bend > 0.0 else 0.0
