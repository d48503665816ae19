"""Five sensors brought into one frame: against the exact motion of a virtual person."""

from __future__ import annotations

import numpy as np
import pytest

from cext.quaternion import rotate
from edge.gait.relative_heading import relative_headings
from edge.gait.strides import Body
from edge.gait.walking import follow_body
from edge.timegrid import Span
from sensors import Segment
from sensors.virtual import Imperfections, Stand, Turn, Walk, Walker
from tests.virtual_walks import any_person

RATE_HZ = 100.0


def walked(seed):
    """A drawn person on a way with a turn, sensors strapped on any way round: span and signals."""
    rng = np.random.default_rng(seed)
    walker = Walker(
        any_person(rng), [Stand(3), Walk(24, 1.2), Turn(), Walk(24, 1.2), Stand(2)], seed
    )
    time_s = np.arange(0, walker.end_s, 1 / RATE_HZ)
    signals = {}
    for segment in Segment:
        q = rng.normal(size=4)
        how = Imperfections(
            q_sensor_to_segment=tuple(q / np.linalg.norm(q)),
            gyr_bias=tuple(rng.normal(0, 0.003, 3)),
            acc_bias=tuple(rng.normal(0, 0.03, 3)),
            gyr_noise=0.003,
            acc_noise=0.03,
            seed=seed,
        )
        signals[segment] = walker.sensor(segment, how)
    read = [s(time_s) for s in signals.values()]
    every = np.ones((len(time_s), len(signals)), dtype=bool)
    gyr, acc = (np.stack([getattr(r, x) for r in read], axis=1) for x in ("gyr", "acc"))
    return Span(RATE_HZ, 0.0, tuple(signals), gyr, acc, None, every, ~every), signals


def frame_heading(motion, heading, signal):
    """Turn from the segment's frame, brought into the common one, to the earth frame, rad."""
    true = signal.kinematics(motion.time_s).acceleration
    found = rotate(heading.apply(motion.q_segment_to_level), motion.acc)
    walking = slice(round(4 * RATE_HZ), -round(3 * RATE_HZ))
    a, b = (x[walking, 0] + 1j * x[walking, 1] for x in (found, true))
    return np.angle(np.sum(b * np.conj(a)))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_all_segments_share_one_heading(seed):
    span, signals = walked(seed)
    body = follow_body(span)
    headings = relative_headings(body)
    assert set(headings) == set(Segment)
    found = {s: frame_heading(body.motions[s], h, signals[s]) for s, h in headings.items()}
    common = found[min(headings, key=lambda s: headings[s].sd_rad)]
    for segment, heading in found.items():
        off = np.degrees(np.angle(np.exp(1j * (heading - common))))
        assert abs(off) < 3.0 * np.degrees(headings[segment].sd_rad) + 0.1, segment
        assert abs(off) < {Segment.PELVIS: 10.0}.get(segment, 4.0), segment


def test_without_straight_strides_nothing_is_said():
    span, _ = walked(4)
    assert relative_headings(follow_body(span.part(0, 300))) == {}
    assert relative_headings(Body({}, {})) == {}


def test_a_foot_alone_is_its_own_frame():
    span, _ = walked(5)
    k = span.index(Segment.LEFT_FOOT)
    alone = Span(
        RATE_HZ,
        0.0,
        (Segment.LEFT_FOOT,),
        span.gyr[:, [k]],
        span.acc[:, [k]],
        None,
        span.valid[:, [k]],
        span.saturated[:, [k]],
    )
    headings = relative_headings(follow_body(alone))
    assert set(headings) == {Segment.LEFT_FOOT}
    assert not headings[Segment.LEFT_FOOT].offset_rad.any()
