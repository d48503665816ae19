"""Way and attitude of a foot: strapdown integration between the phases in which it stands still."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cext import Strapdown, StrapdownParameters, squared_length
from cext.quaternion import levelling

from .range_end import flat_tops
from .stance import UNKNOWN_ENERGY, movement_energy, rest_bias, still_sd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge.timegrid import Span

    from .segment import Worn


@dataclass(frozen=True, slots=True)
class NoiseParameters:
    """White noise of the readings, by what happens to the sensor.

    Attributes
    ----------
    acc, gyr : float
        In quiet movement, m/s2/sqrt(Hz) and rad/s/sqrt(Hz): shoe and scale, not the data sheet.
    acc_impact : float
        Added to `acc` where the force steps by 50 m/s2 from one sample to the next at 200 Hz,
        growing with the square of the step and the root of the time that it took: a slow sensor
        misses more of an impact. At heel strike the velocity found by integration jumps; that error
        belongs there, not to the whole stride.
    gyr_saturated : float
        Added at the end of the range.
    acc_lost, gyr_lost, acc_gap_ps, gyr_gap_ps : float
        Added where samples were lost; and for each second that the gap lasts, since the longer it
        is, the less the line across it is worth (against cameras, with gaps cut out).
    longest_gap_s : float
        Whether a foot stands still is not known within a longer one.
    """

    acc: float = 0.05
    gyr: float = 0.003
    acc_impact: float = 0.15
    gyr_saturated: float = 0.1
    acc_lost: float = 0.3
    gyr_lost: float = 0.1
    acc_gap_ps: float = 60.0
    gyr_gap_ps: float = 1.0
    longest_gap_s: float = 0.045


NOISE = NoiseParameters()


@dataclass(frozen=True, slots=True, eq=False)
class FootMotion:
    """What one foot did over a span of n ticks.

    Attributes
    ----------
    rate_hz : float
        Ticks a second.
    time_s : (n,) float64
        On the recording's own axis.
    gyr, acc : (n, 3) float64
        rad/s without bias, and m/s2; sensor frame.
    gyr_bias : (3,) float64
        What the gyroscope reads at rest, rad/s; zero where the foot never rested.
    valid : (n,) bool
        False where the sample is interpolated.
    energy : (n,) float64
        Of movement, see `stance`; `UNKNOWN_ENERGY` within a gap.
    stands : (n,) bool
        The velocity was taken for zero.
    position_m, velocity_mps : (n, 3) float64
        Level frame: z up, heading arbitrary, origin at the first tick.
    q_sensor_to_level : (n, 4) float64
        Attitude, w x y z.
    acc_noise, gyr_noise : (n,) float64
        Noise that was assumed, m/s2/sqrt(Hz) and rad/s/sqrt(Hz).
    """

    rate_hz: float
    time_s: NDArray[np.float64]
    gyr: NDArray[np.float64]
    acc: NDArray[np.float64]
    gyr_bias: NDArray[np.float64]
    valid: NDArray[np.bool_]
    energy: NDArray[np.float64]
    stands: NDArray[np.bool_]
    position_m: NDArray[np.float64]
    velocity_mps: NDArray[np.float64]
    q_sensor_to_level: NDArray[np.float64]
    acc_noise: NDArray[np.float64]
    gyr_noise: NDArray[np.float64]


def foot_motion(
    span: Span, k: int, standing: Worn | None = None, noise: NoiseParameters = NOISE
) -> FootMotion | None:
    """Follow the foot that is the k-th segment of a span; None where it never stands still.

    `standing` tells what the gyroscope read in an earlier part of the walk, in which it rested.
    """
    rate_hz = span.rate_hz
    acc = np.ascontiguousarray(span.acc[:, k])
    gyr = np.ascontiguousarray(span.gyr[:, k])
    saturated = span.saturated[:, k] | flat_tops(gyr)
    bias_at_rest = rest_bias(gyr, rate_hz)
    if standing is not None and not bias_at_rest.any():
        bias_at_rest = standing.gyr_bias
    gyr = gyr - bias_at_rest
    gap = gap_s(span.valid[:, k], rate_hz)
    unknown = gap > noise.longest_gap_s
    energy = np.where(unknown, UNKNOWN_ENERGY, movement_energy(gyr, acc, rate_hz))
    still = still_sd(energy, unknown, rate_hz)
    if not still.any():
        return None
    levels = _noise_levels(acc, rate_hz, gap, saturated, still, noise)
    q_start = _start_attitude(gyr, acc, rate_hz, int(np.argmax(still > 0.0)))
    # Exactly zero where the foot never rested: then the filter looks for it more widely.
    believed = StrapdownParameters(bias_sd_radps=0.0005 if bias_at_rest.any() else 0.003)
    velocity, attitude, bias = Strapdown(rate_hz, q_start, believed).smooth(gyr, acc, levels)
    position = np.zeros_like(velocity)
    np.cumsum(0.5 * (velocity[1:] + velocity[:-1]) / rate_hz, axis=0, out=position[1:])
    return FootMotion(
        rate_hz=rate_hz,
        time_s=span.time_s,
        gyr=gyr - bias,
        acc=acc,
        gyr_bias=bias_at_rest,
        valid=span.valid[:, k],
        energy=energy,
        stands=still > 0.0,
        position_m=position,
        velocity_mps=velocity,
        q_sensor_to_level=attitude,
        acc_noise=levels[:, 0],
        gyr_noise=levels[:, 1],
    )


def gap_s(valid: NDArray[np.bool_], rate_hz: float) -> NDArray[np.float64]:
    """How long the gap lasts in which each sample lies (n,), s; 0 where it was measured."""
    if valid.all():
        return np.zeros(len(valid))
    ticks = np.arange(len(valid))
    before = np.maximum.accumulate(np.where(valid, ticks, -1))
    after = np.minimum.accumulate(np.where(valid, ticks, len(valid))[::-1])[::-1]
    return np.asarray(np.where(valid, 0.0, (after - before - 1) / rate_hz))


def jerk_norm(acc: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    """Change of the specific force from the tick before to each tick (n,), m/s3."""
    step = np.diff(acc, axis=0, prepend=acc[:1])
    return np.sqrt(squared_length(step)) * rate_hz


def _noise_levels(
    acc: NDArray[np.float64],
    rate_hz: float,
    gap: NDArray[np.float64],
    saturated: NDArray[np.bool_],
    still: NDArray[np.float64],
    p: NoiseParameters,
) -> NDArray[np.float64]:
    """Of accelerometer, gyroscope and standing still (n, 3), as `Strapdown` takes them."""
    step = jerk_norm(acc, rate_hz) / rate_hz
    step[:-1] = np.maximum(step[:-1], step[1:])
    levels = np.empty((len(acc), 3))
    levels[:, 0] = p.acc + p.acc_impact * np.sqrt(200.0 / rate_hz) / 50.0**2 * step**2
    levels[:, 1] = p.gyr + p.gyr_saturated * saturated
    levels[:, 2] = still
    lost = np.flatnonzero(gap)
    levels[lost, 0] += p.acc_lost + p.acc_gap_ps * gap[lost]
    levels[lost, 1] += p.gyr_lost + p.gyr_gap_ps * gap[lost]
    return levels


def _start_attitude(
    gyr: NDArray[np.float64], acc: NDArray[np.float64], rate_hz: float, still: int
) -> NDArray[np.float64]:
    """Attitude at the first tick: level where the foot first stands still, then time backwards."""
    attitude = levelling(acc[still : still + max(1, round(0.05 * rate_hz))].mean(axis=0))
    if not still:
        return attitude
    backwards = slice(still, None, -1)
    no_noise = np.zeros((still + 1, 3))
    _, attitudes = Strapdown(rate_hz, attitude).update_block(
        np.ascontiguousarray(-gyr[backwards]), np.ascontiguousarray(acc[backwards]), no_noise
    )
    return np.array(attitudes[-1])
