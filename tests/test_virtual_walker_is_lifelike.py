"""The virtual walker beside people recorded at the same speed and cadence.

Curves are means over strides, from initial contact to the next. What is compared is the shape
(correlation) and the size (ratio of standard deviations), so that detectors tuned on people meet
in the walker what they know. Measured: shoe rate about y 0.99 and 0.99, shoe acceleration forward
0.81 and 1.1, pelvis acceleration upward of ten people 0.96 and 0.94 (RMS of the difference
0.55 m/s2). The shoe's acceleration upward is alike in size only: its shape around final contact
depends on how the toes bend, and this foot is rigid.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest

from sensors import Segment, Side
from sensors.virtual import Imperfections, Leg, Stand, VirtualPerson, Walk, Walker

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.data

POINTS = np.linspace(0.0, 1.0, 201)
# The shoe sensor of that recording is on the outer side, its axes along the foot's.
OUTSIDE = (0.06, 0.04, -0.02)


# That person leaves the ground late.
LATE = Leg(stance_share=0.665, heel_off_share=0.41)


class Likeness(NamedTuple):
    correlation: float
    size: float


def mean_stride(time_s, values, strides) -> np.ndarray:
    curves = [np.interp(a + POINTS * (b - a), time_s, values) for a, b in strides]
    return np.mean(curves, axis=0)


def likeness(of_person: np.ndarray, of_walker: np.ndarray) -> Likeness:
    correlation = np.corrcoef(of_person, of_walker)[0, 1]
    return Likeness(float(correlation), float(of_walker.std() / of_person.std()))


def virtual(segment: Segment, side: Side, walk: Walk, place_m=None, left: Leg | None = None):
    walker = Walker(VirtualPerson(left=left or Leg()), [Stand(2.0), walk, Stand(2.0)], seed=1)
    t = np.arange(0.0, walker.end_s, 0.005)
    readings = walker.sensor(segment, Imperfections(place_m=place_m))(t)
    strides = walker.truth.strides_of(side)[3:-3]
    return t, readings, [(s.initial_contact_s, s.next_initial_contact_s) for s in strides]


@pytest.mark.parametrize(
    ("kind", "axis", "correlation"),
    [("gyr", 1, 0.97), ("acc", 0, 0.70), ("acc", 2, -1.0)],
)
def test_the_shoe_moves_like_a_recorded_shoe(data_folder: Path, kind, axis, correlation):
    real = np.load(data_folder / "gaitmap_mocap_pass1.npz")
    strides = real["left_strides_t"][2:8, 2:4]
    of_person = mean_stride(real["t"], real[f"left_foot_{kind}"][:, axis], strides)
    t, readings, own = virtual(Segment.LEFT_FOOT, Side.LEFT, Walk(20, 1.32, 112), OUTSIDE, LATE)
    found = likeness(of_person, mean_stride(t, getattr(readings, kind)[:, axis], own))
    assert found.correlation > correlation
    assert 0.7 < found.size < 1.4


def test_the_shoe_peaks_like_a_recorded_shoe(data_folder: Path):
    real = np.load(data_folder / "gaitmap_mocap_pass1.npz")
    strides = real["left_strides_t"][2:8]
    of_person = mean_stride(real["t"], real["left_foot_gyr"][:, 1], strides[:, 2:4])
    t, readings, own = virtual(Segment.LEFT_FOOT, Side.LEFT, Walk(20, 1.32, 112))
    of_walker = mean_stride(t, readings.gyr[:, 1], own)
    assert of_walker.max() == pytest.approx(of_person.max(), rel=0.25)
    assert of_walker.min() == pytest.approx(of_person.min(), rel=0.25)


def straight_strides(trial) -> list[tuple[float, float]]:
    """Right strides away from the U-turn, of usual length, with every sample measured."""
    landings = trial["right_swing_to_ic_t"][2:, 1]
    start, end = trial["uturn_bounds_t"] + (-1.0, 1.0)
    t, measured = trial["t"], trial["pelvis_measured"]
    return [
        (a, b)
        for a, b in pairwise(landings)
        if b - a < 1.5 and (b < start or a > end) and measured[(t > a) & (t < b)].all()
    ]


def upward_curves(trial) -> list[np.ndarray]:
    curves = []
    for a, b in straight_strides(trial):
        acc = trial["pelvis_acc"][(trial["t"] >= a) & (trial["t"] < b)].astype(float)
        up = acc.mean(axis=0) / np.linalg.norm(acc.mean(axis=0))
        curves.append(mean_stride(trial["t"], trial["pelvis_acc"] @ up, [(a, b)]))
    return curves


def test_the_pelvis_bounces_like_those_of_ten_people(data_folder: Path):
    trials = [np.load(path) for path in sorted((data_folder / "ipol_10m").glob("*.npz"))]
    of_people = np.mean([curve for trial in trials for curve in upward_curves(trial)], axis=0)
    t, readings, own = virtual(Segment.PELVIS, Side.RIGHT, Walk(40, 1.15, 108))
    of_walker = mean_stride(t, readings.acc[:, 2], own)
    found = likeness(of_people, of_walker)
    assert found.correlation > 0.90
    assert 0.8 < found.size < 1.25
    assert np.sqrt(np.mean((of_people - of_walker) ** 2)) < 0.9


def test_the_shank_swings_like_a_recorded_shank(data_folder: Path):
    real = np.load(data_folder / "gaittoolbox_S02_walk_part1.npz")
    walking = (real["t"] > 11.8) & (real["t"] < 14.4)
    way = real["mocap_LHJC"][walking][-1] - real["mocap_LHJC"][walking][0]
    forward = np.append(way[:2] / np.hypot(*way[:2]), 0.0)
    shank = (real["mocap_LKJC"] - real["mocap_LAJC"])[walking].astype(float)
    pitch = np.unwrap(np.arctan2(shank @ forward, shank[:, 2]))
    t, readings, own = virtual(Segment.LEFT_SHANK, Side.LEFT, Walk(20, 1.05, 88))
    steady = (t > own[0][0]) & (t < own[-1][1])
    rate = readings.gyr[steady, 1]
    of_person = np.gradient(pitch) * 100
    assert rate.min() == pytest.approx(of_person.min(), rel=0.25)
    assert rate.max() == pytest.approx(of_person.max(), rel=0.25)
