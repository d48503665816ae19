"""The axes of every segment are found from walking, whatever way the sensor is strapped on."""

from __future__ import annotations

import numpy as np
import pytest

from cext.quaternion import from_rotation_vector, multiply, rotate
from edge.gait import analyse_walking
from edge.gait.mounting import pelvis_axes
from edge.gait.segment import quaternion_of
from edge.gait.walking import follow_body, follow_feet
from edge.results import Person
from edge.timegrid import Span
from sensors import Segment, Side
from sensors.virtual import Imperfections, Jog, Stand, VirtualPerson, Walk, Walker

RATE_HZ = 100.0
MOUNTINGS = {"as it should be": [0.0, 0.0, 0.0], "anyhow": [1.1, -0.7, 2.0], "over": [np.pi, 0, 0]}
# Forward in the sensor frame as the data's authors describe the mounting.
FORWARD = {
    "mobgap_HA001_Test5_Trial1": [0.0, 0.0, 1.0],
    "gaittoolbox_S02_walk_part1": [0.0, 0.0, -1.0],
    "qmt_fullbody_lower": [0.0, 0.0, -1.0],
    "ipol_10m/1-1": [0.0, 0.0, -1.0],
    "ipol_10m/6-1": [0.0, 0.0, -1.0],
}


def worn(walker: Walker, mounting) -> Span:
    time_s = np.arange(0.0, walker.end_s, 1.0 / RATE_HZ)
    how = Imperfections(q_sensor_to_segment=tuple(from_rotation_vector(mounting)))
    readings = [walker.sensor(segment, how)(time_s) for segment in Segment]
    gyr = np.stack([r.gyr for r in readings], axis=1)
    acc = np.stack([r.acc for r in readings], axis=1)
    valid = np.ones(gyr.shape[:2], dtype=bool)
    return Span(RATE_HZ, 0.0, tuple(Segment), gyr, acc, None, valid, ~valid)


def body_of(span: Span):
    return follow_body(span, follow_feet(span))


@pytest.mark.parametrize("mounting", MOUNTINGS.values(), ids=MOUNTINGS.keys())
@pytest.mark.parametrize("way", [Walk(20), Jog(16)], ids=["walking", "jogging"])
def test_every_segment_gets_its_true_axes(mounting, way):
    walker = Walker(VirtualPerson(), [Stand(2), Walk(6), way, Walk(6), Stand(2)], seed=1)
    body = body_of(worn(walker, mounting))
    assert set(body.motions) == set(Segment)
    for segment, motion in body.motions.items():
        truth = walker.motion(segment).evaluate(motion.time_s)
        # Rates in the segment frame say all three axes at once.
        error = np.sqrt(np.mean((motion.gyr - truth.angular_rate) ** 2))
        assert error < 0.2 * np.sqrt(np.mean(truth.angular_rate**2)), segment


def test_inclinations_of_shanks_and_pelvis_hold_to_a_degree():
    walker = Walker(VirtualPerson(), [Stand(3), Walk(30), Stand(3)], seed=2)
    body = body_of(worn(walker, MOUNTINGS["anyhow"]))
    for segment in (Segment.LEFT_SHANK, Segment.RIGHT_SHANK, Segment.PELVIS):
        motion = body.motions[segment]
        truth = walker.motion(segment).evaluate(motion.time_s).rotation
        forward = rotate(motion.q_segment_to_level, np.array([1.0, 0.0, 0.0]))
        change = np.degrees(forward[:, 2] - truth[:, 2, 0])
        assert np.std(change) < 1.2, segment


@pytest.mark.data
@pytest.mark.parametrize("name", FORWARD)
def test_finds_the_way_forward_of_real_pelvis_sensors(data_folder, name):
    with np.load(data_folder / f"{name}.npz") as data:
        acc, rate_hz = data["pelvis_acc"].astype(float), float(data["fs"])
    up = acc.mean(axis=0) / np.linalg.norm(acc.mean(axis=0))
    axes = pelvis_axes(acc, rate_hz, up)
    nominal = np.array(FORWARD[name]) - (up @ FORWARD[name]) * up
    assert axes[0] @ nominal / np.linalg.norm(nominal) > np.cos(np.radians(15.0))


def test_a_shank_that_swings_at_another_time_is_flagged():
    walker = Walker(VirtualPerson(), [Stand(2), Walk(16), Stand(2)], seed=3)
    span = worn(walker, MOUNTINGS["as it should be"])
    assert not any(
        "event_conflict" in s.flags for s in analyse_walking(span, Person()).strides if s.steady
    )
    hit = next(
        s for s in analyse_walking(span, Person()).strides if s.side == Side.LEFT and s.steady
    )
    k = span.segments.index(Segment.LEFT_SHANK)
    late = (span.time_s > hit.final_contact_s - 0.3) & (
        span.time_s < hit.next_initial_contact_s + 0.3
    )
    for reading in (span.gyr, span.acc):
        reading[late, k] = np.roll(reading[late, k], 10, axis=0)
    again = analyse_walking(span, Person()).strides
    flagged = [s for s in again if "event_conflict" in s.flags]
    assert {s.side for s in flagged} == {Side.LEFT}
    assert any(abs(s.final_contact_s - hit.final_contact_s) < 0.01 for s in flagged)


@pytest.mark.parametrize("turn", [[0.1, 0.2, 0.3], [np.pi, 0, 0], [0, 3.0, 0.5], [2.0, 2.0, 0]])
def test_a_matrix_and_its_quaternion_turn_alike(turn):
    q = from_rotation_vector(turn)
    matrix = rotate(q, np.eye(3)).T
    same = multiply(quaternion_of(matrix), q * [1, -1, -1, -1])
    assert abs(abs(same[0]) - 1.0) < 1e-12
