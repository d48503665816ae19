"""Samples of one sensor read at the ticks of a grid."""

import numpy as np
from numpy.typing import NDArray

def resample(
    time_ns: NDArray[np.int64],
    readings: NDArray[np.float64],
    run: NDArray[np.int64],
    saturated: NDArray[np.bool_],
    tick_ns: NDArray[np.int64],
    weights: NDArray[np.float64],
    near_ns: int,
    out: NDArray[np.float64],
    out_valid: NDArray[np.bool_],
    out_saturated: NDArray[np.bool_],
) -> None:
    """Interpolate samples at the ticks of a grid, into arrays of the caller; views will do.

    A tick within `near_ns` of a sample reads that sample. Between two samples of one run it reads
    the weighted sum of those around it, at an end of the run with its last sample in place of
    those beyond. Between two runs it reads the straight line, outside of all samples the nearest.

    Parameters
    ----------
    time_ns : (n,) int64
        Time of each sample, rising, nanoseconds.
    readings : (c, n) float64
        Channels by rows, c = 3 for each kind of reading that there is.
    run : (n,) int64
        Number of the run of each sample, rising; samples of one run have no loss between them.
    saturated : (n,) bool
        Whether a sample stood at the end of its range.
    tick_ns : (m,) int64
        Time of each tick, rising, nanoseconds.
    weights : (p, w) float64
        Of the w / 2 samples before and after a tick, for p evenly spaced places of it from the
        sample before (0) to the one after (1); w is even, 16 at most.
    near_ns : int
        How near a sample a tick falls on it.
    out : (c / 3 or less, m, 3) float64
        Takes the readings: zero where there is no sample at all.
    out_valid, out_saturated : (m,) bool
        Take whether a tick was measured, not made up, and whether a sample beside it was saturated.

    Raises
    ------
    ValueError
        Where the shapes do not fit each other.
    """
