"""Samples of sensors with clocks of their own, put on one time grid."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from edge.timegrid import TimeGrid
from sensors import Block, Segment

FEET = (Segment.LEFT_FOOT, Segment.RIGHT_FOOT)
RATE_HZ = 100.0


def block(time_s: np.ndarray, first_seq: int = 0, epoch: int = 0, sensor: str = "a") -> Block:
    """Samples of the line gyr_x = time, acc_z = 9.81."""
    readings = np.zeros((len(time_s), 6))
    readings[:, 0] = time_s
    readings[:, 5] = 9.81
    return Block(
        sensor=sensor,
        epoch=epoch,
        first_seq=first_seq,
        ticks=np.arange(len(time_s)),
        host_ns=np.rint(time_s * 1e9).astype(np.int64),
        readings=readings,
        scale=np.ones(6),
        saturated=np.zeros(len(time_s), dtype=bool),
        time_sd_s=0.0,
    )


def regular(start_s: float, n: int, offset_s: float = 0.0) -> np.ndarray:
    return start_s + offset_s + np.arange(n) / RATE_HZ


def test_ticks_on_samples_are_those_samples():
    grid = TimeGrid(RATE_HZ, FEET[:1], origin_ns=0)
    whole = block(regular(0.0, 50))
    grid.add(Segment.LEFT_FOOT, whole)
    assert np.allclose(grid.finish().gyr[:, 0], whole.gyr, rtol=0, atol=1e-12)


@pytest.mark.parametrize("offset_s", [-0.001, -0.005, -0.0083])
def test_between_samples_a_fast_signal_comes_back(offset_s):
    grid = TimeGrid(RATE_HZ, FEET[:1], origin_ns=0)
    time_s = regular(0.0, 300, offset_s)
    wave = block(time_s)
    wave.readings[:, 1] = np.sin(2 * np.pi * 25.0 * time_s)
    grid.add(Segment.LEFT_FOOT, wave)
    span = grid.finish()
    inner = slice(10, -10)
    assert np.allclose(span.gyr[inner, 0, 0], span.time_s[inner], atol=2e-4)
    assert np.allclose(
        span.gyr[inner, 0, 1], np.sin(2 * np.pi * 25.0 * span.time_s[inner]), atol=0.02
    )
    assert span.valid[inner].all()


def test_a_lost_sample_marks_the_ticks_around_it_and_no_others():
    grid = TimeGrid(RATE_HZ, FEET[:1], origin_ns=0)
    time_s = regular(0.0, 20, offset_s=0.003)
    grid.add(Segment.LEFT_FOOT, block(time_s[:10]))
    grid.add(Segment.LEFT_FOOT, block(time_s[11:], first_seq=11))
    valid = grid.finish().valid[:, 0]
    # Tick 0 lies before the first sample; sample 10 (at 0.103 s) is missing around ticks 10 and 11.
    assert np.flatnonzero(~valid).tolist() == [0, 10, 11]


def test_a_reboot_is_a_gap_even_when_the_numbers_go_on():
    grid = TimeGrid(RATE_HZ, FEET[:1], origin_ns=0)
    time_s = regular(0.0, 20, offset_s=-0.005)
    grid.add(Segment.LEFT_FOOT, block(time_s[:10]))
    grid.add(Segment.LEFT_FOOT, block(time_s[10:], first_seq=10, epoch=1))
    assert np.flatnonzero(~grid.finish().valid[:, 0]).tolist() == [9]


def test_the_cut_into_blocks_and_takes_changes_nothing():
    rng = np.random.default_rng(1)
    time_s = regular(0.0, 400, offset_s=0.0017)

    def spans(cuts: np.ndarray) -> np.ndarray:
        grid = TimeGrid(RATE_HZ, FEET, origin_ns=0)
        pieces = []
        for a, b in pairwise(cuts):
            for foot in FEET:
                grid.add(foot, block(time_s[a:b], first_seq=int(a)))
            pieces.append(grid.take())
        pieces.append(grid.finish())
        return np.concatenate([p.gyr for p in pieces if p is not None])

    whole = spans(np.array([0, 400]))
    cut = spans(np.concatenate([[0], np.sort(rng.choice(np.arange(1, 400), 37, False)), [400]]))
    assert np.array_equal(whole, cut)


def test_a_silent_segment_is_waited_for_only_so_long():
    grid = TimeGrid(RATE_HZ, FEET, origin_ns=0, patience_s=0.5)
    grid.add(Segment.LEFT_FOOT, block(regular(0.0, 40)))
    assert grid.take() is None
    grid.add(Segment.LEFT_FOOT, block(regular(0.4, 40), first_seq=40))
    span = grid.take()
    assert len(span) == 77
    assert span.valid[:, 0].all()
    assert not span.valid[:, 1].any()


def test_samples_that_come_too_late_are_counted_not_used():
    grid = TimeGrid(RATE_HZ, FEET, origin_ns=0, patience_s=0.2)
    grid.add(Segment.LEFT_FOOT, block(regular(0.0, 100)))
    grid.take()
    grid.add(Segment.RIGHT_FOOT, block(regular(0.0, 100)))
    assert grid.n_late == pytest.approx(98, abs=2)


def test_memory_stays_flat_over_a_long_stream():
    grid = TimeGrid(RATE_HZ, FEET[:1], origin_ns=0)
    for i in range(2000):
        grid.add(Segment.LEFT_FOOT, block(regular(i * 0.1, 10), first_seq=10 * i))
        grid.take()
    assert len(grid._tracks[Segment.LEFT_FOOT]._time_ns) < 20
