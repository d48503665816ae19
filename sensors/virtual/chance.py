"""Chance that depends on time or count and a seed only: the same however it is asked for.

Numbers are hashed (splitmix64, Steele et al. 2014, OOPSLA) instead of drawn one after the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

TICK_S = 1e-6
"""Times closer than this are one sample and carry the same noise."""


def noise(times_s: Floats, seed: int, kind: int) -> Floats:
    """Standard normal numbers (n, 3) of each time; kinds are independent of each other."""
    tick = np.round(np.asarray(times_s) / TICK_S).astype(np.int64).astype(np.uint64)
    stream = np.arange(6, dtype=np.uint64) + np.uint64(8 * kind) + np.uint64((seed % 2**32) << 8)
    both = _uniform(_scramble(tick)[:, None] ^ _scramble(stream)[None])
    first, second = np.split(both, 2, axis=1)
    # Box and Muller 1958.
    normal: Floats = np.sqrt(-2 * np.log(first)) * np.cos(2 * np.pi * second)
    return normal


def lost(samples: NDArray[np.int64], share: float, run: int, seed: int) -> NDArray[np.bool_]:
    """Which samples, by their number, never arrive: `run` consecutive ones at a time.

    Parameters
    ----------
    samples : (n,) int64
        Numbers of the samples, in any order.
    share : float
        Part that is lost on average, 0 to 1.
    run : int
        A lost packet's number of samples.
    seed : int
        Another seed loses others.
    """
    packet = (np.asarray(samples) // run).astype(np.uint64)
    missing: NDArray[np.bool_] = (
        _uniform(packet ^ _scramble(np.array([seed % 2**32 + 1], np.uint64))) <= share
    )
    return missing


def _scramble(number: NDArray[np.uint64]) -> NDArray[np.uint64]:
    mixed = number + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _uniform(number: NDArray[np.uint64]) -> Floats:
    """In (0, 1], so that its logarithm is finite."""
    return ((_scramble(number) >> np.uint64(11)).astype(np.float64) + 1) / 2.0**53
