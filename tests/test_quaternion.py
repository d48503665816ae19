"""Quaternion arithmetic on arrays: laws, conventions, shapes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
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


@given(VECTOR, VECTOR)
def test_the_height_of_a_turned_vector_is_its_part_along_the_vertical(a, v):
    up = quaternion.vertical(turn(a))
    assert quaternion.rotate(turn(a), v)[2] == pytest.approx(up @ v, abs=1e-12)
    np.testing.assert_allclose(quaternion.rotate(turn(a), up), [0.0, 0.0, 1.0], atol=1e-12)


def test_headings_go_on_through_whole_turns():
    angle = np.linspace(0.3, 9.0 * np.pi, 200)
    turns = turn(np.stack([0.0 * angle, 0.0 * angle, angle], axis=1))
    np.testing.assert_allclose(quaternion.headings(turns, [1.0, 0.0, 0.2]), angle, atol=1e-12)
    left = quaternion.headings(turns[::-1], [0.0, 1.0, 0.0])
    np.testing.assert_allclose(np.diff(left), np.diff(angle[::-1]), atol=1e-12)


@given(VECTOR)
def test_levelling_brings_a_direction_upright_the_shortest_way(v):
    q = quaternion.levelling(v)
    assert np.linalg.norm(q) == pytest.approx(1.0)
    assert q[3] == 0.0
    size = np.linalg.norm(v)
    assume(size == 0.0 or size > 1e-99)
    np.testing.assert_allclose(quaternion.rotate(q, v), [0.0, 0.0, size], atol=1e-12)


def test_levelling_turns_what_hangs_straight_down_by_half_and_nothing_not_at_all():
    np.testing.assert_array_equal(
        quaternion.levelling([[0.0, 0.0, -2.0], [0.0, 0.0, 0.0]]),
        [[0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]],
    )


def test_one_turn_serves_many_vectors_and_many_turns_one_vector():
    rng = np.random.default_rng(1)
    q, v = quaternion.normalise(rng.normal(size=(6, 4))), rng.normal(size=(6, 3))
    for i in range(6):
        assert np.array_equal(quaternion.rotate(q, v[0])[i], quaternion.rotate(q[i], v[0]))
        assert np.array_equal(quaternion.rotate(q[0], v)[i], quaternion.rotate(q[0], v[i]))
        assert np.array_equal(quaternion.multiply(q, q[0])[i], quaternion.multiply(q[i], q[0]))


def test_leading_axes_broadcast():
    assert quaternion.rotate(np.ones((5, 1, 4)) / 2, np.ones((2, 3))).shape == (5, 2, 3)


def test_normalise_gives_unit_length_and_nan_for_nothing():
    q = quaternion.normalise([[3.0, 0.0, 4.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    np.testing.assert_allclose(q[0], [0.6, 0.0, 0.8, 0.0])
    assert np.isnan(q[1]).all()


def test_a_wrong_last_axis_is_told_with_its_shape():
    with pytest.raises(ValueError, match=r"q has shape \(3,\), expected \(\.\.\., 4\)"):
        quaternion.rotate(np.ones(3), np.ones(3))
