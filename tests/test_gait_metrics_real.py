"""Angles of real shoes beside optical markers on heel, toe and fifth metatarsal."""

from __future__ import annotations

import numpy as np
import pytest

from edge.analyze import analyse_recording
from edge.sources import open_recording

pytestmark = pytest.mark.data
# Field: bounds of the mean error of one shoe and of its spread from stride to stride, deg.
BOUNDS = {
    "foot_strike_angle_deg": (2.5, 1.0),
    "push_off_angle_deg": (2.5, 1.2),
    "landing_inversion_deg": (2.5, 2.6),
    "push_off_eversion_deg": (5.5, 1.8),
}


@pytest.fixture(scope="module")
def errors(data_folder):
    """Errors of every inner stride, by side and field, (m,) deg."""
    source = data_folder / "gaitmap_mocap_pass1.npz"
    analysis = analyse_recording(open_recording(source))
    with np.load(source) as recording:
        marks = dict(recording)
    return {
        (side, field): np.array([getattr(s, field) for s in strides]) - true
        for side in ("left", "right")
        for strides in [[s for s in analysis.strides if s.side == side and s.steady]]
        for field, true in true_angles(marks, side, strides).items()
    }


def true_angles(marks, side, strides):
    heel, toe, met5 = (marks[f"mocap_{side}_{name}"] for name in ("heel", "toe", "met5"))
    along = (toe - heel) / np.linalg.norm(toe - heel, axis=1, keepdims=True)
    across = (met5 - heel) - ((met5 - heel) * along).sum(axis=1, keepdims=True) * along
    pitch = np.degrees(-np.arcsin(along[:, 2]))
    # The outer side of the sole goes up: eversion.
    roll = np.degrees(np.arcsin(across[:, 2] / np.linalg.norm(across, axis=1)))

    def at(angle, moments):
        return np.interp(moments, marks["mocap_t"], angle)

    flat = [sum(s.foot_flat_s) / 2.0 for s in strides]
    landing = [s.initial_contact_s for s in strides]
    leaving = [s.final_contact_s for s in strides]
    return {
        "foot_strike_angle_deg": at(pitch, flat) - at(pitch, landing),
        "push_off_angle_deg": at(pitch, leaving) - at(pitch, flat),
        "landing_inversion_deg": at(roll, flat) - at(roll, landing),
        "push_off_eversion_deg": at(roll, leaving) - at(roll, flat),
    }


@pytest.mark.parametrize("field", BOUNDS)
@pytest.mark.parametrize("side", ["left", "right"])
def test_angles_of_a_shoe_are_those_of_the_cameras(errors, side, field):
    mean, spread = BOUNDS[field]
    assert len(errors[side, field]) >= 6
    assert abs(errors[side, field].mean()) < mean
    assert errors[side, field].std() < spread
