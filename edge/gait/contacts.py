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
    zero_hz, push_hz : float
        Smoothing of the rate for its zeros, and for its push-off peak.
    impact_after_s, impact_spread_s : float
        The impact follows the zero of the rate by this, give or take.
    impact_weight : float
        Of the centre of the impact, against the zero of the rate.
    push_reach_s, push_after_s : float
        The peak is sought this long before the swing; the toes leave the ground this long after.
    push_weight : float
        Of the peak, against the zero of the rate.
    """

    zero_hz: float = 20.0
    push_hz: float = 8.0
    impact_after_s: float = 0.025
    impact_spread_s: float = 0.04
    impact_weight: float = 0.6
    push_reach_s: float = 0.25
    push_after_s: float = 0.03
    push_weight: float = 0.7


CONTACTS = ContactParameters()


def initial_contacts(
    motion: FootMotion,
    swing_rate: NDArray[np.float64],
    swings: Swings,
    parameters: ContactParameters = CONTACTS,
) -> NDArray[np.float64]:
    """Time at which the foot lands after each swing (m,), s.

    Mean of the end of the forward swing and of the centre of the impact's squared jerk, which is
    weighted by its distance from where an impact is expected.
    """
    p, rate_hz, time_s = parameters, motion.rate_hz, motion.time_s
    rate = lowpass(swing_rate, rate_hz, p.zero_hz)
    _, ends = positive_run(rate, swings.peak)
    jerk = jerk_norm(motion.acc, rate_hz) ** 2
    reach = round(3.0 * p.impact_spread_s * rate_hz)
    landed = np.empty(len(swings))
    for i, end in enumerate(ends):
        zero_s = _zero(rate, time_s, end - 1)
        near = slice(max(0, end - reach), end + round(p.impact_after_s * rate_hz) + reach)
        expected = (time_s[near] - zero_s - p.impact_after_s) / p.impact_spread_s
        impact = jerk[near] * np.exp(-0.5 * expected**2)
        centre_s = (time_s[near] @ impact) / max(impact.sum(), 1e-12)
        landed[i] = zero_s + p.impact_weight * (centre_s - zero_s)
    return landed


def final_contacts(
    motion: FootMotion,
    swing_rate: NDArray[np.float64],
    swings: Swings,
    parameters: ContactParameters = CONTACTS,
) -> NDArray[np.float64]:
    """Time at which the foot leaves the ground before each swing (m,), s.

    Mean of the peak of the plantarflexion rate, a little later, and of the zero that follows it.
    """
    p, rate_hz, time_s = parameters, motion.rate_hz, motion.time_s
    rate = lowpass(swing_rate, rate_hz, p.zero_hz)
    slow = lowpass(swing_rate, rate_hz, p.push_hz)
    begins, _ = positive_run(rate, swings.peak)
    reach = round(p.push_reach_s * rate_hz)
    left = np.empty(len(swings))
    for i, (begin, zero) in enumerate(zip(swings.begin, begins, strict=True)):
        first = max(0, begin - reach)
        push_s = time_s[first + np.argmin(slow[first : begin + 1])] + p.push_after_s
        zero_s = _zero(rate, time_s, zero)
        left[i] = zero_s + p.push_weight * (push_s - zero_s)
    return left


def _zero(signal: NDArray[np.float64], time_s: NDArray[np.float64], tick: int) -> float:
    """Time of the zero between a tick and the next."""
    tick = min(max(tick, 0), len(signal) - 2)
    fall = signal[tick] - signal[tick + 1]
    share = min(max(signal[tick] / fall, 0.0), 1.0) if fall else 0.0
    return float(time_s[tick] + share * (time_s[tick + 1] - time_s[tick]))
