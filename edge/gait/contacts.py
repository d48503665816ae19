"""The moments at which a foot meets the ground and leaves it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cext import lowpass, positive_run
from cext.runs import braking_in, centre_in, greatest_at

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
    p, rate_hz = parameters, motion.rate_hz
    rate = lowpass(swing_rate, rate_hz, p.zero_hz)
    _, ends = positive_run(rate, swings.peak)
    velocity = motion.velocity_mps
    speed = np.hypot(velocity[:, 0], velocity[:, 1])
    braked = braking_in(
        speed, swings.still_before, swings.still_after + 1, p.braked_from, p.braked_to
    )
    end = np.clip(_zero(rate, ends - 1), *braked)
    jerk = jerk_norm(motion.acc, rate_hz) ** 2
    after, reach = p.impact_after_s * rate_hz, round(3.0 * p.impact_spread_s * rate_hz)
    tick = np.ceil(end).astype(np.int64)
    near = np.maximum(tick - reach, 0), np.minimum(tick + round(after) + reach, len(jerk))
    centre = centre_in(jerk, *near, end + after, p.impact_spread_s * rate_hz)
    return np.asarray(motion.time_s[0] + (end + p.impact_weight * (centre - end)) / rate_hz)


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
    first = np.maximum(swings.still_before, swings.begin - reach)
    tick = greatest_at(rise, first, swings.begin + 1)
    return motion.time_s[tick] + _beyond_tick(rise, tick) / rate_hz + p.push_after_s


def _zero(signal: NDArray[np.float64], tick: NDArray[np.int64]) -> NDArray[np.float64]:
    """Places (m,) at which a signal (n,) falls to zero between some ticks and the next."""
    here = np.clip(tick, 0, len(signal) - 2)
    fall = signal[here] - signal[here + 1]
    share = np.where(fall > 0.0, signal[here] / np.where(fall > 0.0, fall, 1.0), 0.0)
    return np.where(tick == here, here + np.clip(share, 0.0, 1.0), tick)


def _beyond_tick(signal: NDArray[np.float64], tick: NDArray[np.int64]) -> NDArray[np.float64]:
    """Places (m,) of maxima about their ticks, by the parabola through three of them."""
    here = np.clip(tick, 1, len(signal) - 2)
    before, at, after = signal[here - 1], signal[here], signal[here + 1]
    bend = 2.0 * at - before - after
    bent = (bend > 0.0) & (tick == here)
    place = 0.5 * (after - before) / np.where(bent, bend, 1.0)
    return np.where(bent, np.clip(place, -1.0, 1.0), 0.0)
