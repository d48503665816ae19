"""What the orientation filter promises whoever calls it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cext import OrientationFilter, quaternion, smooth_orientation

RATE_HZ = 100.0
G = 9.81


def tumbling(n=3000, seed=0):
    """Readings of a sensor that turns about its own place: gyr, acc, mag, true orientation."""
    rng = np.random.default_rng(seed)
    t = np.arange(n) / RATE_HZ
    gyr = np.stack(
        [np.sin(t * f + p) for f, p in zip((0.9, 1.3, 0.7), rng.uniform(0, 6, 3), strict=True)], 1
    )
    gyr[: int(3 * RATE_HZ)] = 0.0
    q = np.empty((n, 4))
    now = np.array([1.0, 0.0, 0.0, 0.0])
    for i in range(n):
        now = quaternion.multiply(now, quaternion.from_rotation_vector(gyr[i] / RATE_HZ))
        q[i] = now
    back = quaternion.conjugate(q)
    acc = quaternion.rotate(back, [0.0, 0.0, G]) + rng.normal(0, 0.02, (n, 3))
    mag = quaternion.rotate(back, [0.0, 20.0, -45.0]) + rng.normal(0, 0.1, (n, 3))
    return gyr + rng.normal(0, 0.001, (n, 3)), acc, mag, q


def angle_deg(a, b):
    return np.degrees(
        np.linalg.norm(
            quaternion.to_rotation_vector(quaternion.multiply(a, quaternion.conjugate(b))), axis=-1
        )
    )


def inclination_deg(a, b):
    up_a, up_b = (quaternion.rotate(quaternion.conjugate(q), [0.0, 0.0, 1.0]) for q in (a, b))
    return np.degrees(np.arccos(np.clip(np.sum(up_a * up_b, axis=-1), -1, 1)))


def test_finds_the_orientation_of_a_tumbling_sensor():
    gyr, acc, mag, truth = tumbling()
    q = OrientationFilter(RATE_HZ).update_block(gyr, acc, mag)
    assert angle_deg(q, truth)[500:].max() < 0.7


def test_finds_the_inclination_without_a_magnetometer():
    gyr, acc, _, truth = tumbling()
    q = OrientationFilter(RATE_HZ).update_block(gyr, acc)
    assert inclination_deg(q, truth).max() < 0.5


@pytest.mark.parametrize("bias_deg", [0.5, 3.0, 10.0])
def test_a_rest_tells_the_bias(bias_deg):
    gyr, acc, mag, truth = tumbling()
    sensor = OrientationFilter(RATE_HZ)
    q = sensor.update_block(gyr + np.radians(bias_deg), acc, mag)
    np.testing.assert_allclose(np.degrees(sensor.gyr_bias), bias_deg, atol=0.1)
    assert angle_deg(q, truth)[-500:].max() < 1.0


def test_one_call_and_many_give_the_same_bits():
    gyr, acc, mag, _ = tumbling(700)
    whole = OrientationFilter(RATE_HZ).update_block(gyr, acc, mag)
    one, parts = OrientationFilter(RATE_HZ), OrientationFilter(RATE_HZ)
    each = np.array([one.update(g, a, m) for g, a, m in zip(gyr, acc, mag, strict=True)])
    cuts = (slice(0, 1), slice(1, 1), slice(1, 203), slice(203, None))
    np.testing.assert_array_equal(each, whole)
    np.testing.assert_array_equal(
        np.concatenate([parts.update_block(gyr[c], acc[c], mag[c]) for c in cuts]), whole
    )


@pytest.mark.parametrize("sensors", [1, 2, 5, 8, 11])
def test_sensors_together_give_the_bits_of_each_alone(sensors):
    readings = [tumbling(400, seed)[:3] for seed in range(sensors)]
    together = [np.ascontiguousarray(np.stack(x, axis=1)) for x in zip(*readings, strict=True)]
    q = OrientationFilter(RATE_HZ).update_block(*together)
    for j, alone in enumerate(readings):
        np.testing.assert_array_equal(q[:, j], OrientationFilter(RATE_HZ).update_block(*alone))


def test_a_stored_state_goes_on_with_the_same_bits():
    gyr, acc, mag, _ = tumbling(600)
    first, second = OrientationFilter(RATE_HZ), OrientationFilter(RATE_HZ)
    first.update_block(gyr[:333], acc[:333], mag[:333])
    second.state = first.state
    rest = gyr[333:], acc[333:], mag[333:]
    np.testing.assert_array_equal(second.update_block(*rest), first.update_block(*rest))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_one_bad_sample_leaves_no_trace(bad):
    gyr, acc, mag, _ = tumbling(3000)
    clean = OrientationFilter(RATE_HZ).update_block(gyr, acc, mag)
    for x, column in ((gyr, 0), (acc, 2), (mag, 1)):
        spoilt = [y.copy() for y in (gyr, acc, mag)]
        next(y for y, z in zip(spoilt, (gyr, acc, mag), strict=True) if z is x)[1000, column] = bad
        q = OrientationFilter(RATE_HZ).update_block(*spoilt)
        assert np.isfinite(q).all()
        assert angle_deg(q, clean).max() < 0.15


def test_one_missing_sample_in_a_million_is_forgotten():
    t = np.arange(1_000_000) / RATE_HZ
    angle = np.sin(2.0 * t)
    zero = np.zeros_like(t)
    gyr = np.stack([2.0 * np.cos(2.0 * t), zero, zero], axis=1)
    acc = G * np.stack([zero, np.sin(angle), np.cos(angle)], axis=1)
    whole = OrientationFilter(RATE_HZ).update_block(gyr, acc)
    gyr[500_000, 1] = np.nan
    spoilt = OrientationFilter(RATE_HZ).update_block(gyr, acc)
    assert np.isfinite(spoilt).all()
    assert np.abs(spoilt - whole)[510_000:].max() < 1e-6


def test_a_long_gap_starts_anew_and_keeps_the_bias():
    gyr, acc, mag, truth = tumbling(3000)
    gyr = gyr + 0.03
    valid = np.ones(3000, dtype=bool)
    valid[1000:1400] = False
    q = OrientationFilter(RATE_HZ).update_block(gyr, acc, mag, valid=valid)
    assert inclination_deg(q, truth)[1400] < 1.0
    assert angle_deg(q, truth)[1500:].max() < 3.0


def test_a_gap_widens_the_uncertainty_and_is_recovered_from():
    gyr, acc, mag, truth = tumbling(3000)
    valid = np.ones(3000, dtype=bool)
    valid[1500:1530] = False
    gyr[1500:1530] = acc[1500:1530] = mag[1500:1530] = 77.0
    sensor = OrientationFilter(RATE_HZ)
    sensor.update_block(gyr[:1500], acc[:1500], mag[:1500], valid=valid[:1500])
    before = sensor.inclination_sd[0]
    sensor.update_block(gyr[1500:1530], acc[1500:1530], mag[1500:1530], valid=valid[1500:1530])
    assert sensor.inclination_sd[0] > 3 * before
    q = sensor.update_block(gyr[1530:], acc[1530:], mag[1530:], valid=valid[1530:])
    assert angle_deg(q, truth[1530:])[500:].max() < 1.0


def test_nothing_measured_yet_is_the_identity_and_unknown():
    sensor = OrientationFilter(RATE_HZ)
    nothing = np.full((20, 3), np.nan)
    np.testing.assert_array_equal(
        sensor.update_block(nothing, nothing), [[1.0, 0.0, 0.0, 0.0]] * 20
    )


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((np.zeros((5, 2)), np.zeros((5, 3))), ValueError, r"gyr has shape \(5, 2\)"),
        (
            (np.zeros((5, 3)), np.zeros((4, 3))),
            ValueError,
            r"acc has shape \(4, 3\), expected \(5, 3\)",
        ),
        ((np.zeros((5, 3)), np.zeros((5, 3), np.float32)), TypeError, "acc is float32, expected"),
        (([[0.0, 0.0, 0.0]], np.zeros((1, 3))), TypeError, "gyr is list"),
        ((np.zeros((5, 2, 3)), np.zeros((5, 3))), ValueError, r"expected \(5, 2, 3\)"),
        ((np.zeros((5, 0, 3)), np.zeros((5, 0, 3))), ValueError, "no sensor"),
    ],
)
def test_a_wrong_shape_or_type_is_told_before_the_loop(arguments, error, words):
    with pytest.raises(error, match=words):
        OrientationFilter(RATE_HZ).update_block(*arguments)


def test_the_number_of_sensors_is_that_of_the_first_call():
    sensor = OrientationFilter(RATE_HZ)
    sensor.update_block(np.zeros((1, 2, 3)), np.ones((1, 2, 3)))
    with pytest.raises(ValueError, match="3 sensors, expected 2"):
        sensor.update_block(np.zeros((1, 3, 3)), np.ones((1, 3, 3)))


@pytest.mark.parametrize("rate_hz", [0.0, -1.0, np.nan, np.inf])
def test_a_rate_that_is_none_is_refused(rate_hz):
    with pytest.raises(ValueError, match="rate_hz"):
        OrientationFilter(rate_hz)


def test_looking_back_is_better_than_looking_forward_only():
    gyr, acc, mag, truth = tumbling()
    gyr[:300], acc[:300], mag[:300] = gyr[300:600], acc[300:600], mag[300:600]
    readings = [np.ascontiguousarray(x[300:]) for x in (gyr + 0.03, acc, mag)]
    live = angle_deg(OrientationFilter(RATE_HZ).update_block(*readings), truth[300:])
    smoothed = angle_deg(smooth_orientation(RATE_HZ, *readings), truth[300:])
    assert np.sqrt(np.mean(smoothed**2)) < 0.6 * np.sqrt(np.mean(live**2))


def test_a_long_recording_is_smoothed_as_one():
    """Pieces of 128 steps: what the last sample tells reaches the first one."""
    gyr, acc, _, truth = tumbling(3000)
    bias = np.radians([0.0, 0.0, 1.0])
    rest = np.tile([0.0, 0.0, 0.0], (500, 1))
    still = np.tile(quaternion.rotate(quaternion.conjugate(truth[-1]), [0.0, 0.0, G]), (500, 1))
    gyr, acc = np.concatenate([gyr[300:], rest]) + bias, np.concatenate([acc[300:], still])
    q = smooth_orientation(RATE_HZ, gyr, acc)
    turned = quaternion.multiply(q[:2700], quaternion.conjugate(truth[300:]))
    heading = np.degrees(np.unwrap(2 * np.arctan2(turned[:, 3], turned[:, 0])))
    assert np.ptp(heading) < 1.0


@pytest.mark.parametrize("sensors", [2, 9])
def test_smoothed_together_gives_the_bits_of_each_alone(sensors):
    readings = [tumbling(700, seed)[:3] for seed in range(sensors)]
    together = [np.ascontiguousarray(np.stack(x, axis=1)) for x in zip(*readings, strict=True)]
    q = smooth_orientation(RATE_HZ, *together)
    for j, alone in enumerate(readings):
        np.testing.assert_array_equal(q[:, j], smooth_orientation(RATE_HZ, *alone))


def test_nothing_gives_nothing():
    assert smooth_orientation(RATE_HZ, np.empty((0, 3)), np.empty((0, 3))).shape == (0, 4)
    assert OrientationFilter(RATE_HZ).update_block(np.empty((0, 3)), np.empty((0, 3))).shape == (
        0,
        4,
    )


def test_the_known_delay_of_a_device_carries_the_estimate_forward():
    gyr, acc, mag, truth = tumbling()
    late = np.roll(np.stack([gyr, acc, mag]), 3, axis=1)
    late[:, :3] = late[:, 3:4]
    known = replace(OrientationFilter(RATE_HZ).parameters, delay_s=3 / RATE_HZ)
    with_it, without = (
        angle_deg(OrientationFilter(RATE_HZ, p).update_block(*late), truth)[1000:].mean()
        for p in (known, None)
    )
    assert with_it < 0.3 * without


def test_a_clipped_rate_widens_the_uncertainty():
    gyr, acc, _, _ = tumbling(1000)
    flags = np.zeros(1000, dtype=bool)
    flags[700:710] = True
    told, silent = OrientationFilter(RATE_HZ), OrientationFilter(RATE_HZ)
    told.update_block(gyr[:710], acc[:710], saturated=flags[:710])
    silent.update_block(gyr[:710], acc[:710])
    assert told.inclination_sd[0] > 1.5 * silent.inclination_sd[0]


def test_a_still_sensor_tells_its_bias_at_once():
    gyr, acc, _, _ = tumbling(1000)
    still = np.zeros(1000, dtype=bool)
    still[400:440] = True
    gyr[400:440] = 0.0
    acc[400:440] = acc[400]
    sensor = OrientationFilter(RATE_HZ)
    sensor.update_block(gyr[300:440] + 0.05, acc[300:440], still=still[300:440])
    np.testing.assert_allclose(sensor.gyr_bias[0], 0.05, atol=0.015)


@pytest.mark.parametrize("flag", ["valid", "saturated", "still"])
def test_flags_of_a_wrong_shape_or_type_are_told(flag):
    sensor = OrientationFilter(RATE_HZ)
    with pytest.raises(ValueError, match=rf"{flag} has shape \(4,\), expected \(5,\)"):
        sensor.update_block(np.zeros((5, 3)), np.ones((5, 3)), **{flag: np.ones(4, dtype=bool)})
    with pytest.raises(TypeError, match=f"{flag} is float64, expected an array of bool"):
        sensor.update_block(np.zeros((5, 3)), np.ones((5, 3)), **{flag: np.ones(5)})


def test_a_magnet_that_passes_by_does_not_turn_the_heading():
    gyr, acc, mag, truth = tumbling(4000)
    passing = slice(2000, 3000)
    pull = quaternion.rotate(quaternion.conjugate(truth[passing]), [25.0, 0.0, 10.0])
    mag[passing] += pull
    q = OrientationFilter(RATE_HZ).update_block(gyr, acc, mag)
    assert angle_deg(q, truth)[passing].max() < 2.0


def test_a_field_that_has_changed_for_good_is_believed_in_the_end():
    gyr, acc, mag, truth = tumbling(12_000)
    turn = quaternion.from_rotation_vector([0.0, 0.0, 0.6])
    elsewhere = quaternion.multiply(turn, truth[3000:])
    mag[3000:] = 0.8 * quaternion.rotate(quaternion.conjugate(elsewhere), [0.0, 20.0, -45.0])
    q = OrientationFilter(RATE_HZ).update_block(gyr, acc, mag)
    assert angle_deg(q, truth)[3000:4000].max() < 3.0
    assert angle_deg(q[-1], elsewhere[-1]) < angle_deg(q[-1], truth[-1])


def test_an_even_turn_after_a_rest_is_no_bias():
    """Ten seconds on a swivel chair: 10 deg/s about the vertical, nothing else changes."""
    n = 1500
    rng = np.random.default_rng(1)
    gyr = rng.normal(0, 0.001, (n, 3))
    gyr[500:, 2] += np.radians(10.0)
    acc = rng.normal(0, 0.02, (n, 3)) + np.array([0.0, 0.0, G])
    sensor = OrientationFilter(RATE_HZ)
    q = sensor.update_block(gyr, acc)
    turned = np.degrees(np.unwrap(2 * np.arctan2(q[:, 3], q[:, 0])))
    assert turned[-1] - turned[500] == pytest.approx(100.0, abs=2.0)
    np.testing.assert_allclose(np.degrees(sensor.gyr_bias[0]), 0.0, atol=0.2)
