"""The kernels of event detection against plain NumPy and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import butter, filtfilt

from cext import (
    crests,
    integrate_rates,
    lowpass,
    moments_of_pieces,
    moving_least,
    moving_mean,
    peaks,
    positive_run,
    squared_length,
)
from cext.quaternion import from_rotation_vector, to_rotation_vector

SIGNALS = st.lists(st.integers(-9, 9), min_size=1, max_size=60).map(
    lambda values: np.array(values, dtype=float)
)


@pytest.fixture(scope="module")
def wandering():
    return np.cumsum(np.random.default_rng(5).normal(size=(4000, 3)), axis=0)


@pytest.mark.parametrize("cutoff_hz", [0.5, 6.0, 20.0, 80.0])
def test_lowpass_equals_a_butterworth_filter_run_both_ways(wandering, cutoff_hz):
    b, a = butter(2, cutoff_hz / 100.0)
    reference = filtfilt(b, a, wandering, axis=0, padtype="constant", padlen=3000)
    error = lowpass(wandering, 200.0, cutoff_hz) - reference
    assert np.abs(error[1500:-1500]).max() < 1e-6
    assert np.array_equal(
        lowpass(wandering, 200.0, cutoff_hz)[:, 1], lowpass(wandering[:, 1], 200.0, cutoff_hz)
    )


def test_each_channel_may_have_a_cutoff_of_its_own(wandering):
    copies = np.repeat(wandering[:, :1], 6, axis=1)
    cutoffs_hz = [1.0, 3.0, 8.0, 9.0, 20.0, 70.0]
    for passed, cutoff_hz in zip(lowpass(copies, 200.0, cutoffs_hz).T, cutoffs_hz, strict=True):
        assert np.array_equal(passed, lowpass(wandering[:, 0], 200.0, cutoff_hz))


def test_a_squared_length_is_that_of_each_vector(wandering):
    assert np.allclose(squared_length(wandering), (wandering**2).sum(axis=1))
    assert squared_length(np.empty((0, 3))).shape == (0,)
    with pytest.raises(ValueError, match="2 columns"):
        squared_length(np.zeros((4, 2)))


@given(st.integers(0, 40), st.integers(1, 9))
def test_moments_are_those_of_each_whole_piece(n, size):
    signal = np.random.default_rng(n).normal(size=(n, 2))
    mean, variance = moments_of_pieces(signal, size)
    pieces = signal[: n // size * size].reshape(-1, size, 2)
    assert np.allclose(mean, pieces.mean(axis=1))
    assert np.allclose(variance, pieces.var(axis=1))
    with pytest.raises(ValueError, match="pieces of 0 samples"):
        moments_of_pieces(signal, 0)


def test_lowpass_keeps_a_constant_and_takes_nothing_and_one_sample():
    assert np.allclose(lowpass(np.full(50, 3.0), 100.0, 5.0), 3.0)
    assert lowpass(np.array([2.0]), 100.0, 5.0).tolist() == [2.0]
    assert lowpass(np.empty((0, 3)), 100.0, 5.0).shape == (0, 3)


@given(SIGNALS, st.integers(1, 15))
def test_moving_mean_and_least_look_half_a_width_to_both_sides(signal, width):
    half = width // 2
    windows = [signal[max(0, k - half) : k + half + 1] for k in range(len(signal))]
    assert np.allclose(moving_mean(signal, width), [w.mean() for w in windows])
    assert np.array_equal(moving_least(signal, width), [w.min() for w in windows])


@given(SIGNALS, st.integers(1, 8))
def test_peaks_are_maxima_that_reach_the_level_and_keep_their_distance(signal, apart):
    found = peaks(signal, 1.0, apart)
    assert np.all(signal[found] >= 1.0)
    assert np.all(np.diff(found) >= 1)
    for k in found:
        assert signal[k - 1] < signal[k] >= signal[k + 1]


@given(SIGNALS, st.integers(1, 6))
def test_crests_rise_and_fall_by_the_least(signal, least):
    found = crests(signal, float(least))
    borders = [0, *found.tolist(), len(signal) - 1]
    for before, at, after in zip(borders, borders[1:], borders[2:], strict=False):
        assert signal[at] - signal[before : at + 1].min() >= least
        assert signal[at] - signal[at : after + 1].min() >= least


def test_crests_of_a_noisy_wave_are_its_crests():
    time_s = np.arange(0.0, 10.0, 0.01)
    noise = np.random.default_rng(1).normal(0.0, 0.05, len(time_s))
    found = crests(np.sin(2.0 * np.pi * time_s) + noise, 0.8)
    assert len(found) == 10
    assert np.abs(time_s[found] - np.arange(10) - 0.25).max() < 0.08


def test_positive_run_gives_the_borders_about_a_peak():
    signal = np.array([-1.0, -2.0, 1.0, 3.0, 2.0, -1.0, -3.0, 4.0])
    begins, ends = positive_run(signal, np.array([3, 7]))
    assert begins.tolist() == [1, 6]
    assert ends.tolist() == [5, 7]


def test_integrated_rates_give_the_attitude_that_was_turned():
    axis = np.array([0.2, -0.5, 0.8])
    time_s = np.linspace(0.0, 2.0, 401)
    rates = axis * np.cos(time_s)[:, None]
    attitude = integrate_rates(200.0, rates)
    truth = from_rotation_vector(axis * np.sin(time_s)[:, None])
    assert np.allclose(to_rotation_vector(attitude), to_rotation_vector(truth), atol=1e-5)
    with pytest.raises(ValueError, match="2 columns"):
        integrate_rates(200.0, np.zeros((4, 2)))
