"""Samples read at the ticks of a grid: the kernel against the sentence that describes it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cext import resample
from edge.timegrid import KERNEL, ON_SAMPLE_NS

STEP_NS = 5_000_000


@st.composite
def samples_and_ticks(draw):
    """Samples at uneven times, with losses and repeats of the clock in between; ticks all over."""
    steps = draw(st.lists(st.sampled_from([0.6, 1.0, 1.003, 3.0]), max_size=30))
    time_ns = np.cumsum(np.array([0.0, *steps]) * STEP_NS).astype(np.int64)
    run = np.cumsum([0, *(step == 3.0 or draw(st.integers(0, 9)) == 0 for step in steps)])
    n = draw(st.integers(1, len(time_ns)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    ticks = np.sort(rng.integers(-2 * STEP_NS, time_ns[-1] + 2 * STEP_NS, 20))
    ticks = np.sort(np.concatenate([ticks, time_ns[:n:3], time_ns[:n:4] + ON_SAMPLE_NS // 2]))
    return (
        time_ns[:n],
        rng.normal(size=(6, n)),
        run[:n].astype(np.int64),
        rng.random(n) < 0.1,
        ticks,
    )


def read_plainly(time_ns, readings, run, saturated, tick):
    """One tick: its readings, whether it was measured, whether a sample beside it was saturated."""
    right = min(int(np.searchsorted(time_ns, tick)), len(time_ns) - 1)
    left = right - 1 if right > 0 and time_ns[right] > tick else right
    clipped = saturated[left] or saturated[right]
    inside = time_ns[left] - 1 <= tick <= time_ns[right] + 1
    far = np.abs(time_ns[[left, right]] - tick)
    nearest = left if far[0] < far[1] else right
    if not inside:
        return readings[:, nearest], False, clipped
    if far.min() < ON_SAMPLE_NS:
        return readings[:, nearest], True, clipped
    phase = far[0] / (time_ns[right] - time_ns[left])
    if run[left] != run[right]:
        line = (1.0 - phase) * readings[:, left] + phase * readings[:, right]
        return line, False, clipped
    own = np.flatnonzero(run == run[left])
    taps = np.clip(np.arange(left - 3, left + 5), own[0], own[-1])
    weights = KERNEL[round(phase * (len(KERNEL) - 1))]
    return readings[:, taps] @ weights, True, clipped


@given(samples_and_ticks())
def test_every_tick_reads_what_the_description_says(given_samples):
    *samples, ticks = given_samples
    # As the grid hands it over: one segment of several.
    out = np.full((2, len(ticks), 3, 3), np.nan)
    marks = np.zeros((2, len(ticks), 3), dtype=bool)
    resample(*samples, ticks, KERNEL, ON_SAMPLE_NS, out[:, :, 1], marks[0, :, 1], marks[1, :, 1])
    for i, tick in enumerate(ticks):
        value, valid, saturated = read_plainly(*samples, tick)
        assert np.allclose(out[:, i, 1].ravel(), value, atol=1e-12)
        assert (marks[0, i, 1], marks[1, i, 1]) == (valid, saturated)
    assert np.isnan(out[:, :, [0, 2]]).all()


def test_without_a_sample_nothing_is_measured():
    out, marks = np.ones((2, 4, 3)), np.ones((2, 4), dtype=bool)
    none = np.empty(0, dtype=np.int64)
    resample(none, np.empty((6, 0)), none, none.astype(bool), np.arange(4), KERNEL, 1, out, *marks)
    assert not out.any()
    assert not marks.any()


@pytest.mark.parametrize(
    "wrong", [{0: np.arange(4)}, {1: np.ones((5, 3))}, {7: np.ones((2, 9, 3))}]
)
def test_shapes_that_do_not_fit_are_refused(wrong):
    given_samples = [
        np.arange(3),
        np.ones((6, 3)),
        np.zeros(3, dtype=np.int64),
        np.zeros(3, dtype=bool),
        np.arange(2),
        KERNEL,
        1,
        np.ones((2, 2, 3)),
        np.zeros(2, dtype=bool),
        np.zeros(2, dtype=bool),
    ]
    for place, value in wrong.items():
        given_samples[place] = value
    with pytest.raises(ValueError, match=r"readings|room"):
        resample(*given_samples)
