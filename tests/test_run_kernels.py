"""What signals do in runs of ticks: the kernels against plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cext.runs import (
    bow_in,
    braking_in,
    bridge_sd,
    centre_in,
    greatest_at,
    lagged_products,
    least_at,
    lift_in,
    mean_in,
    runs_between,
    values_at,
)

RATE_HZ = 100.0
EVERY = [
    greatest_at,
    least_at,
    mean_in,
    lift_in,
    lambda signal, first, stop: bow_in(np.stack([signal, signal], axis=1), first, stop),
    lambda signal, first, stop: braking_in(signal, first, stop, 0.5, 0.1),
    lambda signal, first, stop: centre_in(signal, first, stop, np.zeros(len(first)), 1.0),
    lambda signal, first, stop: bridge_sd(signal, signal, first, stop, RATE_HZ),
]


@st.composite
def signals_and_runs(draw):
    signal = np.array(draw(st.lists(st.integers(-9, 9), min_size=1, max_size=50)), dtype=float)
    ends = st.tuples(st.integers(0, len(signal) - 1), st.integers(0, len(signal) - 1))
    runs = [sorted(pair) for pair in draw(st.lists(ends, max_size=6))]
    table = np.array(runs, dtype=np.int64).reshape(-1, 2)
    return signal, np.ascontiguousarray(table[:, 0]), table[:, 1] + 1


def each(signal, first, stop):
    return [signal[a:b] for a, b in zip(first, stop, strict=True)]


@given(signals_and_runs())
def test_extremes_and_means_are_those_of_each_run(given_runs):
    signal, first, stop = given_runs
    runs = each(signal, first, stop)
    assert (greatest_at(signal, first, stop) - first).tolist() == [np.argmax(r) for r in runs]
    assert (least_at(signal, first, stop) - first).tolist() == [np.argmin(r) for r in runs]
    assert np.allclose(mean_in(signal, first, stop), [r.mean() for r in runs])


@given(signals_and_runs())
def test_a_lift_and_a_bow_are_against_the_line_between_both_ends(given_runs):
    signal, first, stop = given_runs
    runs = each(signal, first, stop)
    lines = [np.linspace(r[0], r[-1], len(r)) for r in runs]
    lifts = [max((r - line).max(), 0.0) for r, line in zip(runs, lines, strict=True)]
    assert np.allclose(lift_in(signal, first, stop), lifts)
    # Seen along a way of one tick a tick, the distance is what stands across the line.
    path = np.stack([np.arange(len(signal)), signal], axis=1)
    bows = [
        np.abs(r - line).max() * np.cos(np.arctan2(r[-1] - r[0], len(r) - 1))
        if len(r) > 1
        else np.nan
        for r, line in zip(runs, lines, strict=True)
    ]
    assert np.allclose(bow_in(path, first, stop), bows, equal_nan=True)


def test_a_speed_is_braked_where_it_falls_below_its_shares():
    speed = np.array([0.0, 4.0, 10.0, 4.0, 8.0, 3.0, 1.0, 0.5, 0.5])
    whole = np.array([0]), np.array([len(speed)])
    begin, end = braking_in(speed, *whole, 0.5, 0.1)
    assert begin.tolist() == [4.0 + 3.0 / 5.0]
    assert end.tolist() == [6.0]
    never_slow = braking_in(np.array([9.0, 10.0, 9.0]), np.array([0]), np.array([3]), 0.5, 0.1)
    assert [place.tolist() for place in never_slow] == [[2.0], [2.0]]


def test_a_centre_counts_what_is_near_and_is_as_expected_where_nothing_is():
    weight = np.zeros(60)
    weight[[20, 22, 50]] = 1.0
    ends = np.array([0, 0]), np.array([60, 10])
    centre = centre_in(weight, *ends, np.array([21.0, 5.0]), 3.0)
    assert np.allclose(centre, [21.0, 5.0])
    assert centre_in(weight, ends[0][:1], ends[1][:1], np.array([19.0]), 3.0)[0] > 20.0


@given(
    st.lists(st.floats(-5, 5), min_size=2, max_size=20),
    st.lists(st.floats(-3, 25) | st.just(np.nan), max_size=8),
)
def test_values_between_ticks_lie_on_straight_lines(signal, places):
    signal, places = np.array(signal), np.array(places)
    expected = np.interp(places, np.arange(len(signal)), signal)
    assert np.allclose(values_at(signal, places), expected, equal_nan=True)
    assert values_at(signal, np.zeros((2, 3))).shape == (2, 3)


@given(
    st.lists(st.booleans(), min_size=1, max_size=30),
    st.lists(st.tuples(*[st.floats(-3, 35) | st.just(np.nan)] * 2), max_size=8),
)
def test_a_run_is_known_where_it_is_inside_and_was_measured(measured, ends):
    n, lost = len(measured), ~np.array(measured)
    table = np.array(ends, dtype=float).reshape(-1, 2)
    places = np.ascontiguousarray(table[:, 0]), np.ascontiguousarray(table[:, 1])
    first, stop, known = runs_between(*places, np.append(0, np.cumsum(lost)), 0.25)
    assert np.all((first >= 0) & (first < stop) & (stop <= n))
    for (a, b), i, j, k in zip(ends, first, stop, known, strict=True):
        inside = 0.0 <= a < b <= n - 1
        assert not inside or (i, j) == (round(a), round(b) + 1)
        assert k == (inside and np.mean(lost[i:j]) <= 0.25)


@given(st.integers(1, 12), st.integers(0, 15))
def test_lagged_products_are_those_of_rows_with_zeros_beyond_their_ends(n, reach):
    rng = np.random.default_rng(n)
    a, b = rng.normal(size=(2, 3, n))
    expected = []
    for x, y in zip(a, b, strict=True):
        whole = np.zeros(2 * max(reach, n - 1) + 1)
        middle = len(whole) // 2
        whole[middle - n + 1 : middle + n] = np.correlate(y, x, "full")
        expected.append(whole[middle - reach : middle + reach + 1])
    assert np.allclose(lagged_products(a, b, reach), expected)
    with pytest.raises(ValueError, match="expected"):
        lagged_products(a, b[:2], reach)


def test_a_bridge_errs_as_the_covariance_of_its_noise_says():
    rng = np.random.default_rng(3)
    n, h = 120, 1.0 / RATE_HZ
    force, tilt = rng.uniform(0.1, 1.0, n), rng.uniform(0.5, 2.0, n)
    shocks = rng.normal(size=(20000, n)) * force / np.sqrt(h)
    turns = np.cumsum(rng.normal(size=(20000, n)) * tilt * np.sqrt(h), axis=1)
    velocity = np.cumsum(shocks + turns, axis=1) * h
    way = velocity.sum(axis=1) * h
    # Known to stand still in the end: what the end's velocity tells of the way is taken off.
    rest = way - velocity[:, -1] * (way @ velocity[:, -1]) / (velocity[:, -1] @ velocity[:, -1])
    (sd,) = bridge_sd(force, tilt, np.array([0]), np.array([n]), RATE_HZ)
    assert sd == pytest.approx(rest.std(), rel=0.03)


@pytest.mark.parametrize("kernel", EVERY)
@pytest.mark.parametrize("run", [(-1, 3), (2, 2), (0, 6)])
def test_a_run_outside_the_signal_is_refused(kernel, run):
    with pytest.raises(ValueError, match="expected ticks of 5"):
        kernel(np.arange(5.0), np.array([run[0]]), np.array([run[1]]))
