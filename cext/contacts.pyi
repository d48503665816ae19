"""Kernels of event detection."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

def lowpass(signal: ArrayLike, rate_hz: float, cutoff_hz: ArrayLike) -> NDArray[np.float64]:
    """Smooth without delay: second-order Butterworth low-pass, forwards and backwards.

    Parameters
    ----------
    signal : (n,) or (n, k) array_like
        One channel or several.
    rate_hz : float
        Samples a second.
    cutoff_hz : float or (k,) array_like
        Where one pass has fallen by 3 dB; both together by 6 dB. One for all channels, or each its
        own.

    Returns
    -------
    Same shape, float64. Both passes begin in the steady state of the value at their end.
    """

def squared_length(vectors: ArrayLike) -> NDArray[np.float64]:
    """Squared length of each vector (n, 3), (n,)."""

def moments_of_pieces(
    signal: NDArray[np.float64], size: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and variance (m, k) of each channel (n, k) in its whole pieces of `size` samples."""

def moving_mean(signal: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Mean over `width` samples centred at each one (n,), fewer at both ends."""

def moving_least(signal: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Least value over `width` samples centred at each one (n,), fewer at both ends."""

def peaks(signal: NDArray[np.float64], least: float, apart: int) -> NDArray[np.int64]:
    """Indices of the local maxima that reach `least`; of two closer than `apart` the higher one."""

def positive_run(
    signal: NDArray[np.float64], inside: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Last index not above zero before each index of `inside`, and the first one after it.

    Returns
    -------
    begins, ends : (m,) int64
        0 and n - 1 where the run reaches an end of the signal.
    """

def crests(signal: NDArray[np.float64], least: float) -> NDArray[np.int64]:
    """Indices of the maxima from which the signal falls by `least`, having risen by as much."""
