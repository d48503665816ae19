"""What a signal does in runs of ticks, one run for each stride.

`first` and `stop`, (m,) int64, are the m runs `[first, stop)`; none is empty. Signals need not be
contiguous. Every function raises ValueError where a run is not within the signal. A place is a
tick with a fraction.
"""

import numpy as np
from numpy.typing import NDArray

def runs_between(
    from_place: NDArray[np.float64],
    to_place: NDArray[np.float64],
    lost_before: NDArray[np.int64],
    lost_share: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Runs from one place to another, both included, and whether they are known, each (m,).

    Unknown, and one tick long, where a place is NaN or outside the signal or the run is empty;
    unknown where more than `lost_share` of its ticks are lost, counted by `lost_before` (n + 1,).
    """

def greatest_at(
    signal: NDArray[np.float64], first: NDArray[np.int64], stop: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Tick of the greatest value of a signal (n,) in each run (m,), the first of equals."""

def least_at(
    signal: NDArray[np.float64], first: NDArray[np.int64], stop: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Tick of the least value of a signal (n,) in each run (m,), the first of equals."""

def mean_in(
    signal: NDArray[np.float64], first: NDArray[np.int64], stop: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Mean of a signal (n,) in each run (m,)."""

def lift_in(
    height: NDArray[np.float64], first: NDArray[np.int64], stop: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Greatest height (n,) above the line between the ends of each run (m,), its unit."""

def bow_in(
    path: NDArray[np.float64], first: NDArray[np.int64], stop: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Greatest distance sideways from the line between the ends of each run (m,), its unit.

    Of a path (n, 2) or more, seen along all but its first two columns; NaN where both ends are one
    place.
    """

def braking_in(
    speed: NDArray[np.float64],
    first: NDArray[np.int64],
    stop: NDArray[np.int64],
    from_share: float,
    to_share: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places at which a speed (n,) last falls below two shares of its greatest in each run (m,).

    First below the greater share for good, then below the smaller one; the end of the run where it
    does not.
    """

def centre_in(
    weight: NDArray[np.float64],
    first: NDArray[np.int64],
    stop: NDArray[np.int64],
    expected: NDArray[np.float64],
    spread: float,
) -> NDArray[np.float64]:
    """Centre of a weight (n,) in each run, as a place (m,).

    The weight counts by a bell of standard deviation `spread` ticks about an expected place (m,),
    which is given itself where there is none.
    """

def values_at(signal: NDArray[np.float64], place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values of a signal (n,) at some places, in their shape, by straight lines between ticks.

    Those at its ends beyond them; NaN where a place is NaN.
    """

def lagged_products(
    a: NDArray[np.float64], b: NDArray[np.float64], reach: int
) -> NDArray[np.float64]:
    """Sums of a(t) b(t + lag) for lags of -reach to reach, (m, 2 reach + 1), of rows (m, n) each.

    What lies beyond the ends of a row counts as zero.
    """

def bridge_sd(
    force: NDArray[np.float64],
    tilt: NDArray[np.float64],
    first: NDArray[np.int64],
    stop: NDArray[np.int64],
    rate_hz: float,
) -> NDArray[np.float64]:
    """Standard deviation of a way between two moments of standing (m,), m, from noise between.

    Parameters
    ----------
    force : (n,) float64
        Noise of the acceleration, m/s2/sqrt(Hz).
    tilt : (n,) float64
        Noise of the rate, times gravity, rad/s/sqrt(Hz) m/s2.

    Notes
    -----
    Noise of density s_i of the accelerometer, at time tau_i before the end, errs the velocity there
    by w_i and the way by w_i tau_i, w_i ~ N(0, s_i^2 h). Noise of density r_i of the gyroscope
    tilts gravity from then on, by u_i ~ N(0, r_i^2 h): g u_i tau_i and g u_i tau_i^2 / 2. The end
    is known to be still: the way has its variance given a velocity of zero.
    """
