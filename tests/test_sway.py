"""Sway in standing: a known lean is found in any mounting, and short standing is not judged."""

from __future__ import annotations

import numpy as np
import pytest

from edge.gait.sway import standing_sway
from edge.timegrid import Span
from sensors import Segment
from tests.virtual_walks import any_rotation

RATE_HZ = 100.0


def standing(lean_rad, lasts_s=60.0, frequency_hz=0.4, segment=Segment.PELVIS, seed=1):
    """A pelvis that leans to and fro like a sine."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(0.0, lasts_s, 1.0 / RATE_HZ)
    turn = 2.0 * np.pi * frequency_hz
    angle = lean_rad * np.sin(turn * time_s)
    nothing = np.zeros_like(time_s)
    acc = 9.81 * np.stack([np.sin(angle), nothing, np.cos(angle)], axis=1)
    gyr = np.stack([nothing, -lean_rad * turn * np.cos(turn * time_s), nothing], axis=1)
    mounting = any_rotation(rng)
    acc, gyr = (acc @ mounting + rng.normal(0.0, 0.01, acc.shape), gyr @ mounting)
    valid = np.ones((len(time_s), 1), dtype=bool)
    return Span(RATE_HZ, 0.0, (segment,), gyr[:, None], acc[:, None], None, valid, ~valid)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("lean_deg", [0.2, 1.0])
def test_a_known_lean_gives_its_sway_however_the_sensor_sits(lean_deg, seed):
    lean = np.radians(lean_deg)
    rms, path = standing_sway(standing(lean, seed=seed), [(0.0, 60.0)])
    expected = 1000.0 * 9.81 * lean / np.sqrt(2.0)
    assert rms.value == pytest.approx(expected, rel=0.06)
    assert rms.interval[0] < rms.value < rms.interval[1]
    # A sine of amplitude a goes 4 a in a period; noise in the band adds to the way.
    assert path.value == pytest.approx(4.0 * 0.4 * 1000.0 * 9.81 * lean, rel=0.35)


@pytest.mark.parametrize(
    ("span", "stands", "reason"),
    [
        (standing(0.01), [(0.0, 20.0), (30.0, 55.0)], "25 s of standing, 30 needed"),
        (standing(0.01), [], "0 s of standing, 30 needed"),
        (standing(0.01, segment=Segment.LEFT_FOOT), [(0.0, 60.0)], "no sensor on pelvis"),
    ],
)
def test_what_cannot_be_judged_says_why(span, stands, reason):
    for found in standing_sway(span, stands):
        assert found.value is None
        assert found.reason == reason


def test_lost_samples_withhold_it():
    span = standing(0.01)
    span.valid[1000:1050] = False
    assert standing_sway(span, [(0.0, 60.0)])[0].reason == "samples of the standing are lost"
