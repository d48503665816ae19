"""When a foot stands still, and how still: the moments at which its velocity is known.

Standing still is a phase, not an instant, and it is never perfect: a shoe rolls about its contact
with the floor. So each sample gets a standard deviation of its velocity about zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cext import moments_of_pieces, moving_least, moving_mean, squared_length

if TYPE_CHECKING:
    from numpy.typing import NDArray

GRAVITY_MPS2 = 9.81
# A sole that lies flat still rocks a little: 0.7 rad/s (40 deg/s), by the units below.
FLAT_ENERGY = 12.0
# What happened in a gap may have been anything: more than any movement.
UNKNOWN_ENERGY = 1e6


@dataclass(frozen=True, slots=True)
class StanceParameters:
    """How a foot that stands still is told from one that moves.

    Attributes
    ----------
    window_s : float
        Over which the energy of movement is averaged.
    rate_sd_radps, force_sd_mps2 : float
        Rate, and deviation of the specific force from gravity, that count as one unit of energy.
    still_energy : float
        Less is standing still.
    broad_s, nearby_s, least_factor, least_cap : float
        A foot that never stands that still (jogging) is still up to `least_factor` times
        the least energy within `nearby_s`, itself counted up to `least_cap`. The energy is averaged
        once more, over `broad_s`: a dip within a slow swing is short.
    stride_s, stride_factor, stride_floor : float
        That least energy is near to the least within a whole stride: no more than `stride_factor`
        times it, nor times `stride_floor`. So a slow swing that pauses is no stance.
    still_sd_mps, roll_energy : float
        Velocity of the sensor at no energy, for 100 samples a second; at `roll_energy` its
        variance has doubled.
    """

    window_s: float = 0.06
    rate_sd_radps: float = 0.2
    force_sd_mps2: float = 0.5
    still_energy: float = 1.5
    broad_s: float = 0.08
    nearby_s: float = 0.7
    least_factor: float = 1.5
    least_cap: float = 200.0
    stride_s: float = 1.8
    stride_factor: float = 20.0
    stride_floor: float = 0.5
    still_sd_mps: float = 0.01
    roll_energy: float = 20.0


STANCE = StanceParameters()


def movement_energy(
    gyr: NDArray[np.float64],
    acc: NDArray[np.float64],
    rate_hz: float,
    parameters: StanceParameters = STANCE,
) -> NDArray[np.float64]:
    """Mean square of rate and of specific force beyond gravity about each sample (n,), no unit."""
    force = np.sqrt(squared_length(acc)) - GRAVITY_MPS2
    energy = squared_length(gyr) / parameters.rate_sd_radps**2
    energy += (force / parameters.force_sd_mps2) ** 2
    return moving_mean(energy, round(parameters.window_s * rate_hz))


def still_sd(
    energy: NDArray[np.float64],
    unknown: NDArray[np.bool_],
    rate_hz: float,
    parameters: StanceParameters = STANCE,
) -> NDArray[np.float64]:
    """Standard deviation of the velocity about zero (n,), m/s; 0 where the foot moves.

    Within a gap (`unknown`) nobody knows, and near one the stance may have been lost in it: there
    the stillest moment that is left is none.
    """
    p = parameters
    broad = moving_mean(energy, round(p.broad_s * rate_hz))
    near = moving_least(broad, round(p.nearby_s * rate_hz))
    stride = moving_least(broad, round(p.stride_s * rate_hz))
    stillest = broad <= p.least_factor * np.minimum(near, p.least_cap)
    stillest &= near <= p.stride_factor * np.maximum(stride, p.stride_floor)
    stillest &= moving_least(np.where(unknown, -1.0, 0.0), round(p.nearby_s * rate_hz)) == 0.0
    # Samples closer together say less each: a stance must weigh the same at every rate.
    sd = p.still_sd_mps * np.sqrt(rate_hz / 100.0 * (1.0 + energy / p.roll_energy))
    return np.where((energy <= p.still_energy) | stillest, sd, 0.0)


def rest_bias(gyr: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    """Mean rate (3,) over the half seconds of rest, rad/s; zero where there is no rest."""
    width = round(0.5 * rate_hz)
    mean, variance = moments_of_pieces(gyr, width)
    if not len(mean):
        return np.zeros(3)
    spread = np.sqrt(variance.sum(axis=1))
    # A bias beyond 0.1 rad/s (6 deg/s) is no bias: the sensor turns evenly.
    rest = (spread < min(0.05, max(0.03, 1.5 * spread.min()))) & (np.abs(mean).max(axis=1) < 0.1)
    return median(mean[rest]) if rest.any() else np.zeros(3)


def median(values: NDArray[np.number]) -> NDArray[np.float64]:
    """Median over the first axis; `np.median` would load masked arrays, 16 ms at every start."""
    ordered = np.sort(values, axis=0)
    half = len(ordered) // 2
    upper = ordered[half]
    return np.asarray(upper if len(ordered) % 2 else 0.5 * (ordered[half - 1] + upper))


def share_point(values: NDArray[np.float64], share: float) -> float:
    """Value below which about this share of the values (n,) lies; the nearest of them."""
    place = round(share * (len(values) - 1))
    return float(np.partition(values, place)[place])
