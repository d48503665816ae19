"""Promises that every metric keeps, whatever it measures."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge.gait import analyse_walking
from edge.gait.metrics import FAMILIES, unit_of
from edge.gait.metrics.describe import describe_strides, table_of
from edge.gait.metrics.estimate import Sums, estimates, student_95
from edge.results import Metric, Person, Stride
from sensors import Segment, Side
from sensors.virtual import (
    Imperfections,
    Jog,
    Leg,
    Stand,
    Variability,
    VirtualPerson,
    Walk,
    Walker,
)
from sensors.virtual.signals import PLACES_M
from tests.gait_truth import SKINS, any_sensors, beside_truth, describe_walk, span_of, walk_of

if TYPE_CHECKING:
    from edge.timegrid import Span

FIELDS = [(family, field) for family in FAMILIES for field in family.system_sd]
each_field = pytest.mark.parametrize(("family", "field"), FIELDS, ids=[f for _, f in FIELDS])
ALL = tuple(Segment)
PAGE = (Path(__file__).resolve().parent.parent / "docs" / "gait.md").read_text()


@cache
def walker(seed=1, speed_mps=1.2, steps=80):
    return walk_of(np.random.default_rng(seed), speed_mps, steps)


@cache
def worn(segments=ALL):
    return span_of(walker(), segments=segments)


@cache
def walked(segments=ALL):
    return describe_walk(analyse_walking(worn(segments), Person()), segments)


def metrics_of(walk):
    return {(m.name, m.side): m for group in walk.metrics for m in group.metrics}


def mirrored(span: Span) -> Span:
    """Seen in a mirror at the sagittal plane: y is turned round, rates about x and z as well."""
    swap = {"left": "right", "right": "left"}
    names = ["_".join(swap.get(part, part) for part in s.value.split("_")) for s in span.segments]
    return replace(
        span,
        segments=tuple(Segment(name) for name in names),
        gyr=span.gyr * [-1.0, 1.0, -1.0],
        acc=span.acc * [1.0, -1.0, 1.0],
    )


@each_field
def test_every_metric_is_a_field_with_a_unit_and_an_error(family, field):
    assert field in Stride.model_fields
    assert unit_of(field) != "1" or field.endswith(
        ("ratio", "regularity", "attenuation", "forward", "lateral", "vertical")
    )
    assert family.system_sd[field] > 0.0
    assert f"`{field}`" in PAGE, "docs/gait.md says what it is"


@each_field
def test_a_whole_body_gives_every_metric_with_an_interval(family, field):
    for side in ("left", "right", "right_minus_left"):
        found = metrics_of(walked())[field, side]
        assert found.value is not None, found.reason
        low, high = found.interval
        assert low < found.value < high
        assert found.n >= 30


@each_field
def test_no_strides_give_reasons_instead_of_numbers(family, field):
    groups = describe_strides(1, table_of(()), ALL)
    for found in (m for group in groups for m in group.metrics):
        assert found.value is None
        assert found.n == 0
        assert found.reason


@cache
def walked_in_a_mirror():
    span = mirrored(worn())
    return describe_walk(analyse_walking(span, Person()), span.segments)


@each_field
def test_the_mirrored_walk_swaps_the_sides_and_turns_the_difference_round(family, field):
    here, there = metrics_of(walked()), metrics_of(walked_in_a_mirror())
    scale = 1e-6 + abs(here[field, "left"].value) + abs(here[field, "right"].value)
    assert abs(here[field, "left"].value - there[field, "right"].value) < 1e-3 * scale
    assert abs(here[field, "right"].value - there[field, "left"].value) < 1e-3 * scale
    total = here[field, "right_minus_left"].value + there[field, "right_minus_left"].value
    assert abs(total) < 1e-3 * scale


def test_indices_of_symmetry_turn_round_in_the_mirror_and_unsigned_ones_do_not():
    here, there = metrics_of(walked()), metrics_of(walked_in_a_mirror())
    names = [name for name, side in here if "symmetry_" in name]
    assert len(names) == 12
    for name in names:
        a, b = (m[name, "right_minus_left"].value for m in (here, there))
        assert a == pytest.approx(-b, abs=2e-2)
    for name in ("swing_asymmetry", "phase_coordination_index"):
        assert here[name, "both"].value == pytest.approx(there[name, "both"].value, abs=1e-2)


@each_field
def test_the_mounting_of_the_sensors_does_not_matter(family, field):
    here, there = metrics_of(walked()), metrics_of(walked_any_way_round())
    for side in ("left", "right"):
        change = here[field, side].value - there[field, side].value
        assert abs(change) < 0.25 * family.system_sd[field]


@cache
def walked_any_way_round():
    rng = np.random.default_rng(9)
    how = {
        segment: Imperfections(q_sensor_to_segment=tuple(q / np.linalg.norm(q)))
        for segment in Segment
        for q in [rng.normal(size=4)]
    }
    return describe_walk(analyse_walking(span_of(walker(), how), Person()), ALL)


@pytest.mark.parametrize(
    ("segments", "given", "withheld"),
    [
        ((Segment.LEFT_FOOT,), ("stride_length_m", "push_off_rate_degps"), ("step_time_s",)),
        (
            (Segment.LEFT_FOOT, Segment.RIGHT_FOOT),
            ("double_support_s", "landing_inversion_deg"),
            ("shank_range_deg", "pelvic_drop_deg", "eversion_rotation_ratio"),
        ),
        (
            (Segment.LEFT_FOOT, Segment.RIGHT_FOOT, Segment.PELVIS),
            ("pelvic_drop_deg", "harmonic_ratio_vertical", "pelvic_step_advance_m"),
            ("ankle_range_deg", "shank_shock_g"),
        ),
    ],
)
def test_any_subset_of_sensors_gives_what_it_can_and_says_what_is_missing(
    segments, given, withheld
):
    found = metrics_of(walked(segments))
    assert all(found[name, "left"].value is not None for name in given)
    for name in withheld:
        missing = found[name, "both"]
        assert missing.value is None
        assert missing.reason.startswith("no sensor on")


@pytest.mark.parametrize("speed_mps", [0.4, 0.6, 0.9, 1.6])
def test_the_speed_of_a_bout_is_way_by_time_however_long_the_foot_rests(speed_mps):
    walker = walk_of(np.random.default_rng(5), speed_mps, 40)
    (bout,) = analyse_walking(span_of(walker), Person()).bouts
    strides = walker.truth.strides
    true = sum(s.length_m for s in strides) / sum(s.stride_time_s for s in strides)
    assert bout.speed_mps == pytest.approx(true, rel=0.03)


@pytest.mark.parametrize(
    ("right_drop", "flags"),
    [(0.07, ()), (0.20, ("hip drop in right stance",)), (-0.05, ("hip drop in left stance",))],
)
def test_a_pelvis_that_drops_on_one_side_is_named(right_drop, flags):
    person = VirtualPerson(right=Leg(pelvic_drop=right_drop))
    span = span_of(Walker(person, [Stand(2), Walk(76), Stand(2)], seed=2))
    walk = describe_walk(analyse_walking(span, Person()), ALL)
    assert next(group.flags for group in walk.metrics if group.family == "pelvis") == flags


def limping(stance_share, speed_mps=1.2):
    """A person who spares the right leg: short stance, soft landing."""
    rng = np.random.default_rng(6)
    strides = []
    for i in range(40):
        for side, share, shock in ((Side.LEFT, 0.65, 3.0), (Side.RIGHT, stance_share, 1.0)):
            jitter = rng.normal(0.0, 0.005, 3)
            strides.append(
                Stride(
                    side=side,
                    bout=1,
                    stage="refined",
                    initial_contact_s=float(i),
                    final_contact_s=i + share,
                    next_initial_contact_s=i + 1.0,
                    stance_time_s=share + jitter[0],
                    swing_time_s=1.0 - share + jitter[0],
                    single_support_s=share - 0.25 + jitter[1],
                    stride_time_s=1.0 + jitter[2],
                    step_time_s=0.5 + jitter[2],
                    shank_shock_g=shock + jitter[0],
                    steady=True,
                )
            )
    return strides


@pytest.mark.parametrize(
    ("stance_share", "flags"), [(0.45, ("loads right less than left (inferred)",)), (0.65, ())]
)
def test_a_weight_shift_is_inferred_only_where_three_proxies_agree(stance_share, flags):
    groups = describe_strides(1, table_of(limping(stance_share)), ALL)
    assert next(group.flags for group in groups if group.family == "symmetry") == flags


def test_a_foot_that_never_lies_flat_has_no_angle_against_flat():
    plan = [Stand(2), Walk(6), Jog(16), Walk(6), Stand(2)]
    strides = analyse_walking(span_of(Walker(VirtualPerson(), plan, seed=2)), Person()).strides
    jogged = [s for s in strides if "running" in s.flags]
    assert len(jogged) > 8
    flat = [s.foot_flat_s[1] - s.foot_flat_s[0] for s in jogged]
    for stride, lasts_s in zip(jogged, flat, strict=True):
        assert (stride.foot_strike_angle_deg is None) == (lasts_s < 0.0249)
        assert (stride.landing_inversion_deg is None) == (lasts_s < 0.0249)
    assert not any(s.steady for s in jogged)


def test_the_pelvis_moves_over_to_each_foot_as_its_path_does():
    person = VirtualPerson(variability=Variability.none())
    walker = Walker(person, [Stand(2), Walk(30), Stand(2)], seed=2)
    strides = [s for s in analyse_walking(span_of(walker), Person()).strides if s.steady]
    pelvis = walker.motion(Segment.PELVIS)
    for stride in strides:
        time_s = np.linspace(stride.initial_contact_s, stride.next_initial_contact_s, 200)
        lateral = pelvis.evaluate(time_s).at_point(PLACES_M[Segment.PELVIS]).position[:, 1]
        toward = (lateral - lateral.mean()) * (1.0 if stride.side is Side.LEFT else -1.0)
        assert stride.pelvic_excursion_m == pytest.approx(toward.max(), abs=0.004)


def test_a_late_clock_of_one_foot_shifts_double_support_and_no_stride_time():
    span = worn((Segment.LEFT_FOOT, Segment.RIGHT_FOOT))
    late = span.part(0, len(span) - 2)
    # The left foot's readings come two ticks, 10 ms, late.
    gyr, acc = late.gyr.copy(), late.acc.copy()
    gyr[2:, 0], acc[2:, 0] = span.gyr[: len(late) - 2, 0], span.acc[: len(late) - 2, 0]
    shifted = replace(late, gyr=gyr, acc=acc)
    here = metrics_of(describe_walk(analyse_walking(late, Person()), span.segments))
    there = metrics_of(describe_walk(analyse_walking(shifted, Person()), span.segments))

    def change(name, side):
        return there[name, side].value - here[name, side].value

    for side in ("left", "right"):
        assert abs(change("stride_time_s", side)) < 0.001
    assert change("double_support_s", "right") == pytest.approx(0.010, abs=0.002)
    assert change("double_support_s", "left") == pytest.approx(-0.010, abs=0.002)


@cache
def errors_on_the_grid():
    """Mean error of every field over one walk and one side, over speeds, people and mountings."""
    rng = np.random.default_rng(11)
    errors = {}
    for speed_mps in (0.6, 0.9, 1.2, 1.5):
        walker = walk_of(rng, speed_mps, 30)
        walk = analyse_walking(span_of(walker, any_sensors(rng), SKINS), Person())
        for (field, _), rows in beside_truth(walk, walker).items():
            error = rows[:, 0] - rows[:, 1]
            if np.isfinite(error).any():
                errors.setdefault(field, []).append(float(np.nanmean(error)))
    return errors


@each_field
def test_the_stated_error_of_the_method_holds_on_the_virtual_walker(family, field):
    found = np.array(errors_on_the_grid()[field])
    assert len(found) >= 4
    assert np.sqrt(np.mean(found**2)) < 1.5 * family.system_sd[field]


def test_intervals_of_means_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(2)
    alike = 0.4
    noise = rng.normal(size=(40, 4000))
    series = np.empty_like(noise)
    series[0] = noise[0]
    for i in range(1, len(noise)):
        series[i] = alike * series[i - 1] + np.sqrt(1.0 - alike**2) * noise[i]
    held = np.mean([abs(e.mean) < e.half for e in estimates(series)])
    assert 0.90 < held < 0.97


def test_students_distribution_is_that_of_the_tables():
    table = {5: 2.5706, 10: 2.2281, 30: 2.0423, 1000: 1.9623}
    for dof, quantile in table.items():
        assert student_95(dof) == pytest.approx(quantile, abs=0.003)


def test_a_number_without_interval_and_nothing_without_reason_are_refused():
    given = {"name": "x", "side": "left", "unit": "m", "n": 3}
    with pytest.raises(ValueError, match="interval"):
        Metric(**given, value=1.0)
    with pytest.raises(ValueError, match="reason"):
        Metric(**given, value=None)


def test_sums_of_parts_are_those_of_the_whole():
    rng = np.random.default_rng(3)
    table = rng.normal(0.6, 0.02, (4000, 3))
    table[rng.random(table.shape) < 0.1] = np.nan
    table[:, 2] = np.nan
    parts = sum((Sums.of(part) for part in np.split(table, 40)), Sums.of(table[:0]))
    for part, whole in zip(parts.estimates(), estimates(table), strict=True):
        assert part.n == whole.n
        if whole.n:
            assert part.mean == pytest.approx(whole.mean, rel=1e-12)
            assert part.sd == pytest.approx(whole.sd, rel=1e-9)
            assert part.half == pytest.approx(whole.half, rel=0.02)
    (known, *_) = estimates(table)
    values = table[np.isfinite(table[:, 0]), 0]
    assert (known.mean, known.sd) == pytest.approx((values.mean(), values.std(ddof=1)), rel=1e-9)
