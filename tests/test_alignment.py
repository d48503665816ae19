"""Sensor to segment: against known mountings, and against cameras."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration.errors import Refused
from calibration.fitting.alignment import align, bow_axis, read_standing, swing_axis
from sensors import Segment
from sensors.virtual import Bow, Imperfections, Stand, VirtualPerson, Walk, Walker
from tests.virtual_walks import RATE_HZ

STANDING = slice(0, 1000)
BOWS_FROM = 1000
# The virtual person's toes point out by 7 deg and its knees lean: the axis that a foot or shank
# swings about is then not quite the case's own left.
SWING_AGAINST_SEGMENT_DEG = 9.0


def turned(q):
    w, x, y, z = q
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def degrees_between(a, b):
    return np.degrees(np.arccos(np.clip((np.trace(a @ b.T) - 1) / 2, -1, 1)))


@pytest.fixture
def rng():
    return np.random.default_rng(23)


@pytest.fixture(scope="module")
def walker():
    return Walker(VirtualPerson(), [Stand(10), Walk(14, 1.2), Stand(2)], seed=4)


@pytest.fixture(scope="module")
def bower():
    return Walker(VirtualPerson(), [Stand(10), Bow(5), Stand(2)], seed=4)


def read(walker, segment, rng):
    q = rng.normal(size=4)
    q /= np.linalg.norm(q)
    how = Imperfections(
        q_sensor_to_segment=tuple(q), gyr_noise=0.003, acc_noise=0.03, seed=3, gyr_bias=(0.004,) * 3
    )
    got = walker.sensor(segment, how)(np.arange(0, walker.end_s, 1 / RATE_HZ))
    return got.gyr, got.acc, turned(q)


@pytest.mark.parametrize("segment", [s for s in Segment if s is not Segment.PELVIS])
def test_finds_a_leg_sensor_however_it_is_mounted(walker, segment, rng):
    gyr, acc, _ = read(walker, segment, rng)
    standing = read_standing(gyr[STANDING], acc[STANDING])
    found = align("s", segment, standing, swing_axis(RATE_HZ, gyr, acc, standing))
    other_gyr, other_acc, _ = read(walker, segment, rng)
    other = read_standing(other_gyr[STANDING], other_acc[STANDING])
    again = align("s", segment, other, swing_axis(RATE_HZ, other_gyr, other_acc, other))
    # Two mountings of one walk must give the same motion of the segment.
    motion = gyr @ np.array(found.matrix).T
    same = other_gyr @ np.array(again.matrix).T
    assert np.sqrt(np.mean((motion - same) ** 2)) < 0.02


@pytest.mark.parametrize("segment", [s for s in Segment if s is not Segment.PELVIS])
def test_leg_axes_are_those_of_the_segment(walker, segment, rng):
    gyr, acc, true = read(walker, segment, rng)
    standing = read_standing(gyr[STANDING], acc[STANDING])
    found = align("s", segment, standing, swing_axis(RATE_HZ, gyr, acc, standing))
    assert degrees_between(np.array(found.matrix), true) < SWING_AGAINST_SEGMENT_DEG


def test_bows_find_the_line_through_the_hips(bower, rng):
    gyr, acc, true = read(bower, Segment.PELVIS, rng)
    standing = read_standing(gyr[STANDING], acc[STANDING])
    axis = bow_axis(RATE_HZ, gyr[BOWS_FROM:])
    found = align("s", Segment.PELVIS, standing, axis)
    assert found.n_repetitions == 5
    assert np.degrees(np.arccos(axis.left @ true[1])) < 1.0
    assert np.allclose(np.array(found.matrix) @ np.array(found.matrix).T, np.eye(3), atol=1e-9)


def test_standing_keeps_the_posture_as_reference(walker, rng):
    gyr, acc, _ = read(walker, Segment.LEFT_SHANK, rng)
    standing = read_standing(gyr[STANDING], acc[STANDING])
    found = align("s", Segment.LEFT_SHANK, standing, swing_axis(RATE_HZ, gyr, acc, standing))
    assert np.allclose(np.array(found.matrix) @ found.standing_up, [0, 0, 1], atol=1e-9)


def test_moving_while_standing_is_refused(walker, rng):
    gyr, acc, _ = read(walker, Segment.PELVIS, rng)
    with pytest.raises(Refused, match="repeat stand"):
        read_standing(gyr[500:1500], acc[500:1500])


def test_a_walk_without_steps_is_refused(walker, rng):
    gyr, acc, _ = read(walker, Segment.LEFT_FOOT, rng)
    standing = read_standing(gyr[STANDING], acc[STANDING])
    with pytest.raises(Refused, match="repeat walk"):
        swing_axis(RATE_HZ, gyr[STANDING], acc[STANDING], standing)


def test_bows_that_were_not_made_are_refused(bower, rng):
    gyr, _, _ = read(bower, Segment.PELVIS, rng)
    with pytest.raises(Refused, match="repeat bows"):
        bow_axis(RATE_HZ, gyr[STANDING])
    shallow = Walker(VirtualPerson(), [Stand(2), Bow(5, angle=0.3), Stand(2)], seed=1)
    gyr, _, _ = read(shallow, Segment.PELVIS, rng)
    with pytest.raises(Refused, match="bow deeper"):
        bow_axis(RATE_HZ, gyr)


def test_an_axis_that_spreads_is_refused(walker, rng):
    gyr, acc, _ = read(walker, Segment.LEFT_FOOT, rng)
    standing = read_standing(gyr[STANDING], acc[STANDING])
    axis = swing_axis(RATE_HZ, gyr, acc, standing)
    scattered = replace(axis, each=axis.each + rng.normal(0, 0.08, axis.each.shape))
    with pytest.raises(Refused, match="tighten the strap of s and repeat walk"):
        align("s", Segment.LEFT_FOOT, standing, scattered)


def test_an_axis_far_from_level_is_refused(walker, rng):
    gyr, acc, _ = read(walker, Segment.LEFT_FOOT, rng)
    standing = read_standing(gyr[STANDING], acc[STANDING])
    axis = swing_axis(RATE_HZ, gyr, acc, standing)
    with pytest.raises(Refused, match="far from level"):
        align("s", Segment.LEFT_FOOT, replace(standing, up=axis.left), axis)


@pytest.mark.data
def test_swing_axis_is_the_one_that_cameras_see(data_folder):
    from tests.optical_alignment import axis_against_cameras  # noqa: PLC0415 (data only)

    for figures in axis_against_cameras(data_folder):
        assert abs(figures.against_optical_swing_deg) < 4.0
