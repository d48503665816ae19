"""The strapdown filter: exact on ideal signals, equal however split, better when smoothed."""

from __future__ import annotations

import numpy as np
import pytest

from cext import Strapdown, StrapdownParameters
from cext.quaternion import conjugate, from_rotation_vector, multiply, rotate

RATE_HZ = 200.0
STEP_S = 1.2
LENGTH_M = 1.3
UP = np.array([0.0, 0.0, 9.81])


def steps_in_place_and_on(n_steps: int = 8, rate_hz: float = RATE_HZ):
    """A sensor that stands, swings forward with a pitch and a lift, and stands again."""
    t = np.arange(round(n_steps * STEP_S * rate_hz)) / rate_hz
    phase = np.clip((t % STEP_S) / STEP_S * 2.0 - 1.0, 0.0, 1.0)
    smooth = phase**4 * (35.0 - 84.0 * phase + 70.0 * phase**2 - 20.0 * phase**3)
    bump = 256.0 * phase**4 * (1.0 - phase) ** 4
    way = np.stack([LENGTH_M * (np.floor(t / STEP_S) + smooth), 0.0 * t, 0.1 * bump], axis=1)
    pitch = np.stack([0.0 * t, 0.8 * np.sin(2 * np.pi * phase) * bump, 0.0 * t], axis=1)
    mounted = from_rotation_vector([0.3, -0.5, 0.9])
    q = multiply(from_rotation_vector(pitch), mounted)
    h = 1.0 / rate_hz
    force = np.gradient(np.gradient(way, h, axis=0), h, axis=0) + UP
    acc = rotate(conjugate(q), force)
    gyr = rotate(conjugate(q), np.gradient(pitch, h, axis=0))
    return t, way, q, gyr, acc, (phase <= 0.0) | (phase >= 1.0)


def noise_of(still, n):
    return np.column_stack([np.full(n, 0.05), np.full(n, 0.003), np.where(still, 0.02, 0.0)])


def way_of(velocity):
    way = np.zeros_like(velocity)
    way[1:] = np.cumsum(0.5 * (velocity[1:] + velocity[:-1]) / RATE_HZ, axis=0)
    return way


def test_integrates_an_ideal_motion():
    _, way, q, gyr, acc, _ = steps_in_place_and_on(3)
    velocity, attitude = Strapdown(RATE_HZ, q[0]).update_block(gyr, acc, np.zeros((len(gyr), 3)))
    assert np.abs(way_of(velocity) - way).max() < 0.01
    assert np.abs(np.abs(np.sum(attitude * q, axis=1)) - 1.0).max() < 1e-5


def test_any_split_gives_the_same_numbers():
    _, _, q, gyr, acc, still = steps_in_place_and_on(2)
    noise = noise_of(still, len(gyr))
    whole = np.hstack(Strapdown(RATE_HZ, q[0]).update_block(gyr, acc, noise))
    parted = Strapdown(RATE_HZ, q[0])
    cuts = [slice(0, 1), slice(1, 117), slice(117, None)]
    pieces = [np.hstack(parted.update_block(gyr[c], acc[c], noise[c])) for c in cuts]
    assert np.array_equal(np.vstack(pieces), whole)


def test_smoothing_takes_out_the_drift_of_a_biased_and_tilted_sensor():
    _, way, q, gyr, acc, still = steps_in_place_and_on()
    tilted = multiply(from_rotation_vector([0.02, -0.015, 0.0]), q[0])
    noise = noise_of(still, len(gyr))
    velocity, _, _ = Strapdown(RATE_HZ, tilted).smooth(gyr + 5e-4, acc, noise)
    assert np.abs(way_of(velocity)[-1] - way[-1]).max() < 0.01 * way[-1, 0]
    open_loop, _ = Strapdown(RATE_HZ, tilted).update_block(gyr + 5e-4, acc, 0.0 * noise)
    assert np.abs(way_of(open_loop)[-1] - way[-1]).max() > 1.0


def test_smoothing_equals_least_squares_where_the_velocity_alone_is_unknown():
    """Known attitude, white noise, still ends: the best velocity error is a straight line."""
    n = 200
    acc = np.tile([0.02, 0.0, 9.81], (n, 1))
    noise = np.column_stack([np.full(n, 0.05), np.zeros(n), np.zeros(n)])
    noise[[0, -1], 2] = 1e-6
    level = np.array([1.0, 0.0, 0.0, 0.0])
    known = StrapdownParameters(tilt_sd_rad=1e-9, bias_sd_radps=1e-12, bias_walk=0.0)
    velocity, _, _ = Strapdown(RATE_HZ, level, known).smooth(np.zeros((n, 3)), acc, noise)
    assert np.abs(velocity).max() < 1e-5


def test_pieces_of_a_long_walk_meet_without_a_step():
    _, way, q, gyr, acc, still = steps_in_place_and_on(60)
    noise = noise_of(still, len(gyr))
    velocity, _, _ = Strapdown(RATE_HZ, q[0]).smooth(gyr, acc, noise)
    assert np.abs(np.diff(velocity, axis=0)).max() < 1.2 * np.abs(np.diff(way, 2, axis=0)).max() * (
        RATE_HZ
    )


@pytest.mark.parametrize(
    ("rate_hz", "q_start", "what"),
    [(0.0, np.ones(4), "rate_hz"), (np.nan, np.ones(4), "rate_hz"), (200.0, np.ones(3), "q_start")],
)
def test_names_what_is_wrong_with_its_settings(rate_hz, q_start, what):
    with pytest.raises(ValueError, match=what):
        Strapdown(rate_hz, q_start)


def test_refuses_shapes_that_do_not_fit():
    strapdown = Strapdown(RATE_HZ, np.array([1.0, 0.0, 0.0, 0.0]))
    with pytest.raises(ValueError, match="samples"):
        strapdown.update_block(np.zeros((5, 3)), np.zeros((4, 3)), np.zeros((5, 3)))
    with pytest.raises(ValueError, match="columns"):
        strapdown.smooth(np.zeros((5, 2)), np.zeros((5, 3)), np.zeros((5, 3)))
