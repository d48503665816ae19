"""Hours and days: nothing counted twice, nothing lost, a trend found where there is one."""

from __future__ import annotations

import numpy as np
import pytest

from edge.gait import Walk
from edge.gait.bout_rows import rows_of
from edge.gait.fatigue import BoutPoint, trend_metric
from edge.results import Bout, Stride
from edge.summaries import Summaries
from edge.timegrid import Span
from sensors import Segment, Side

FEET = (Segment.LEFT_FOOT, Segment.RIGHT_FOOT)
RATE_HZ = 10.0


def quiet(start_s, lasts_s, share=1.0, segments=FEET):
    n = round(lasts_s * RATE_HZ)
    zeros = np.zeros((n, len(segments), 3))
    valid = np.broadcast_to((np.arange(n) < share * n)[:, None], zeros.shape[:2])
    return Span(RATE_HZ, start_s, segments, zeros, zeros, None, valid, ~valid)


def walk(number, start_s, n_strides=20, push_off=450.0, speed_mps=1.2, rng=None):
    """A bout of even strides of both feet."""
    strides = []
    for i in range(n_strides):
        for side, shift in ((Side.LEFT, 0.0), (Side.RIGHT, 0.5)):
            begin = start_s + i + shift
            strides.append(
                Stride(
                    side=side,
                    bout=number,
                    stage="refined",
                    initial_contact_s=begin,
                    final_contact_s=begin + 0.6,
                    next_initial_contact_s=begin + 1.0,
                    stride_time_s=1.0,
                    stride_length_m=speed_mps,
                    stance_time_s=0.6,
                    push_off_rate_degps=push_off + (rng.normal(0, 10) if rng else 0.0),
                    steady=True,
                )
            )
    end_s = strides[-1].next_initial_contact_s
    bout = Bout(
        bout=number,
        start_s=start_s,
        end_s=end_s,
        n_strides=len(strides),
        cadence_spm=120.0,
        speed_mps=speed_mps,
    )
    return Walk(strides=tuple(strides), bouts=(bout,), rows={number: rows_of(strides)})


def day_of(walks, hours, share=1.0):
    summaries = Summaries(FEET)
    closed = []
    for second in range(0, round(hours * 3600), 300):
        now = [w for w in walks if second <= w.bouts[0].end_s < second + 300]
        closed += summaries.take(quiet(float(second), 300.0, share), now)
    return closed + summaries.finish([])


def test_every_bout_is_in_one_hour_and_in_its_day():
    walks = [walk(k + 1, 400.0 + 1000.0 * k) for k in range(20)]
    closed = day_of(walks, 6.0)
    hours = [summary for period, summary in closed if period == "hour"]
    (day,) = [summary for period, summary in closed if period == "day"]
    assert [hour.start_s for hour in hours] == [3600.0 * k for k in range(6)]
    assert sum(hour.n_bouts for hour in hours) == day.n_bouts == 20
    assert sum(hour.n_steps for hour in hours) == day.n_steps == 800
    assert day.walking_s == 20 * 20.5
    assert day.speed_mps == pytest.approx(1.2)
    assert day.coverage == pytest.approx(0.25)
    assert all(hour.coverage == pytest.approx(1.0) for hour in hours)


def test_hours_without_samples_are_not_covered():
    hours = [s for period, s in day_of([walk(1, 500.0)], 2.0, share=0.4) if period == "hour"]
    assert [hour.coverage for hour in hours] == pytest.approx([0.4, 0.4])


def test_a_walk_analysed_after_the_hour_still_counts_in_it():
    late = walk(1, 3570.0)
    summaries = Summaries(FEET)
    closed = []
    for second in range(0, 4200, 300):
        closed += summaries.take(quiet(float(second), 300.0), [late] if second == 3600 else [])
    (first,) = [summary for period, summary in closed if period == "hour"]
    assert first.n_bouts == 1


def test_two_days_are_two_days():
    walks = [walk(k + 1, 600.0 + 3600.0 * k) for k in range(26)]
    days = [summary for period, summary in day_of(walks, 26.0) if period == "day"]
    assert [day.n_bouts for day in days] == [24, 2]
    assert [day.start_s for day in days] == [0.0, 86_400.0]


def test_a_walk_that_comes_in_parts_is_one_bout_of_each_hour_it_fills():
    first, second = walk(1, 3300.0, n_strides=300), walk(1, 3600.0, n_strides=200)
    summaries = Summaries(FEET)
    closed = []
    for start_s, found in ((0.0, []), (3000.0, [first]), (3600.0, [second])):
        closed += summaries.take(quiet(start_s, 600.0), found)
    hours = [s for period, s in closed + summaries.finish([]) if period == "hour"]
    assert [hour.n_bouts for hour in hours] == [1, 0]
    assert [hour.n_steps for hour in hours] == [600, 400]
    assert [hour.walking_s for hour in hours] == [300.5, 200.5]


def test_one_foot_sees_half_of_the_steps():
    one = walk(1, 100.0)
    left = Walk(rows={1: rows_of([s for s in one.strides if s.side is Side.LEFT])})
    summaries = Summaries((Segment.LEFT_FOOT,))
    summaries.take(quiet(0.0, 300.0, segments=(Segment.LEFT_FOOT,)), [left])
    assert dict(summaries.finish([]))["hour"].n_steps == 40


def test_numbers_carry_intervals_and_missing_ones_a_reason():
    hour = dict(day_of([walk(1, 100.0, n_strides=40)], 1.0))["hour"]
    found = {(m.name, m.side): m for m in hour.metrics}
    assert found["stance_time_s", "left"].value == pytest.approx(0.6)
    assert found["stance_time_s", "right_minus_left"].value == pytest.approx(0.0, abs=1e-9)
    assert found["pelvic_drop_deg", "left"].reason == "0 steady strides, 6 needed"


def test_an_empty_session_has_an_hour_of_nothing():
    assert Summaries(FEET).finish([]) == []
    hour = dict(day_of([], 0.5))["hour"]
    assert (hour.n_bouts, hour.n_steps, hour.speed_mps) == (0, 0, None)


def points(rng, per_hour, per_mps=0.0, n=40):
    hours = np.sort(rng.uniform(0.0, 12.0, n))
    speeds = rng.normal(1.2, 0.15, n)
    noise = rng.normal(0.0, 5.0, n)
    values = 450.0 + per_hour * hours + per_mps * (speeds - 1.2) + noise
    return [
        BoutPoint(h, s, {"push_off_rate_degps": v})
        for h, s, v in zip(hours, speeds, values, strict=True)
    ]


def test_the_trend_of_a_day_is_found_at_equal_speed():
    held = []
    for seed in range(60):
        found = trend_metric(
            "push_off_rate_degps", points(np.random.default_rng(seed), -2.0, per_mps=200.0)
        )
        low, high = found.interval
        held.append(low <= -16.0 <= high)
        assert found.value == pytest.approx(-16.0, abs=12.0)
    assert np.mean(held) > 0.88


def test_a_trend_of_few_bouts_is_withheld():
    few = points(np.random.default_rng(1), -2.0, n=8)
    assert trend_metric("push_off_rate_degps", few).reason.endswith("5 needed")
    assert trend_metric("push_off_rate_degps", []).value is None


def test_a_day_of_a_thousand_bouts_has_the_trend_that_it_has():
    rng = np.random.default_rng(4)
    hours, speeds = np.sort(rng.uniform(0.0, 16.0, 1500)), rng.normal(1.2, 0.1, 1500)
    stance = 0.60 + 0.002 * hours - 0.2 * (speeds - 1.2) + rng.normal(0.0, 0.01, 1500)
    bouts = [
        BoutPoint(hour, speed, {"stance_time_s": value})
        for hour, speed, value in zip(hours, speeds, stance, strict=True)
    ]
    found = trend_metric("stance_time_s", bouts)
    low, high = found.interval
    assert low <= 8 * 0.002 <= high
    assert high - low < 0.004
    assert found.n == 1500
