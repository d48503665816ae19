"""Quaternion arithmetic on arrays: laws, conventions, shapes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cext import quaternion

VECTOR = st.lists(st.floats(-3.0, 3.0), min_size=3, max_size=3).map(np.array)


def turn(v):
    return quaternion.from_rotation_vector(v)


def test_a_quarter_turn_about_up_takes_forward_to_left():
    q = turn([0.0, 0.0, np.pi / 2])
    np.testing.assert_allclose(quaternion.rotate(q, [1.0, 0.0, 0.0]), [0.0, 1.0, 0.0], atol=1e-15)


@given(VECTOR, VECTOR, VECTOR)
def test_a_product_turns_by_its_right_factor_first(a, b, v):
    both = quaternion.rotate(quaternion.multiply(turn(a), turn(b)), v)
    np.testing.assert_allclose(
        both, quaternion.rotate(turn(a), quaternion.rotate(turn(b), v)), atol=1e-12
    )


@given(VECTOR, VECTOR)
def test_the_conjugate_turns_back(a, v):
    there = quaternion.rotate(turn(a), v)
    np.testing.assert_allclose(
        quaternion.rotate(quaternion.conjugate(turn(a)), there), v, atol=1e-12
    )


@given(VECTOR)
def test_a_rotation_vector_comes_back_from_its_quaternion_the_short_way(v):
    angle = np.linalg.norm(v)
    short = v if angle <= np.pi else v * (1.0 - 2.0 * np.pi / angle)
    np.testing.assert_allclose(quaternion.to_rotation_vector(turn(v)), short, atol=1e-9)


def test_small_turns_keep_their_last_digits():
    v = np.array([1e-5, -2e-7, 3e-12])
    np.testing.assert_allclose(quaternion.to_rotation_vector(turn(v)), v, rtol=1e-12)


def test_leading_axes_broadcast():
    assert quaternion.rotate(np.ones((5, 1, 4)) / 2, np.ones((2, 3))).shape == (5, 2, 3)


def test_normalise_gives_unit_length_and_nan_for_nothing():
    q = quaternion.normalise([[3.0, 0.0, 4.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    np.testing.assert_allclose(q[0], [0.6, 0.0, 0.8, 0.0])
    assert np.isnan(q[1]).all()


def test_a_wrong_last_axis_is_told_with_its_shape():
    with pytest.raises(ValueError, match=r"q has shape \(3,\), expected \(\.\.\., 4\)"):
        quaternion.rotate(np.ones(3), np.ones(3))
