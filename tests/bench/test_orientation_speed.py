"""Time of the orientation filter beside VQF, in one run: the ratios are what counts.

python -m pytest tests/bench/test_orientation_speed.py --benchmark-only
"""

from __future__ import annotations

import numpy as np
import pytest

from cext import OrientationFilter, smooth_orientation

pytestmark = pytest.mark.bench

RATE_HZ, N, SENSORS = 200.0, 20_000, 5


@pytest.fixture(scope="module")
def readings():
    """Five sensors that swing about, (n, 5, 3) each."""
    rng = np.random.default_rng(0)
    t = np.arange(N)[:, None, None] / RATE_HZ
    phase = rng.uniform(0, 6, (1, SENSORS, 3))
    gyr = 2.0 * np.sin(5.0 * t + phase) + rng.normal(0, 0.01, (N, SENSORS, 3))
    acc = np.sin(7.0 * t + phase) + np.array([0.0, 0.0, 9.81]) + rng.normal(0, 0.1, (N, SENSORS, 3))
    mag = np.sin(5.0 * t + phase) + np.array([0.0, 20.0, -45.0])
    return gyr, acc, mag


def alone(readings, sensor):
    return [np.ascontiguousarray(x[:, sensor]) for x in readings]


@pytest.mark.parametrize("axes", [6, 9])
def test_five_sensors_in_one_block(benchmark, readings, axes):
    benchmark.group = f"five sensors, {N} samples, {axes} axes"
    benchmark(lambda: OrientationFilter(RATE_HZ).update_block(*readings[: axes // 3]))


@pytest.mark.parametrize("axes", [6, 9])
def test_five_sensors_by_vqf(benchmark, readings, axes):
    vqf = pytest.importorskip("vqf")
    each = [alone(readings[: axes // 3], k) for k in range(SENSORS)]
    benchmark.group = f"five sensors, {N} samples, {axes} axes"
    benchmark(lambda: [vqf.VQF(1 / RATE_HZ).updateBatch(*x) for x in each])


@pytest.mark.parametrize("axes", [6, 9])
def test_one_tick_of_five_sensors(benchmark, readings, axes):
    tick = [np.ascontiguousarray(x[:1]) for x in readings[: axes // 3]]
    sensors = OrientationFilter(RATE_HZ)
    benchmark.group = f"one tick of five sensors, {axes} axes"
    benchmark(lambda: sensors.update_block(*tick))


@pytest.mark.parametrize("axes", [6, 9])
def test_one_tick_of_five_sensors_by_vqf(benchmark, readings, axes):
    vqf = pytest.importorskip("vqf")
    each = [vqf.VQF(1 / RATE_HZ) for _ in range(SENSORS)]
    tick = [[np.ascontiguousarray(x[0, k]) for x in readings[: axes // 3]] for k in range(SENSORS)]

    def update():
        for sensor, samples in zip(each, tick, strict=True):
            sensor.update(*samples)
            sensor.getQuat9D() if axes == 9 else sensor.getQuat6D()

    benchmark.group = f"one tick of five sensors, {axes} axes"
    benchmark(update)


@pytest.mark.parametrize("axes", [6, 9])
def test_one_sensor_smoothed(benchmark, readings, axes):
    one = alone(readings[: axes // 3], 0)
    benchmark.group = f"one sensor, two-sided, {N} samples, {axes} axes"
    benchmark(lambda: smooth_orientation(RATE_HZ, *one))


@pytest.mark.parametrize("axes", [6, 9])
def test_one_sensor_by_offline_vqf(benchmark, readings, axes):
    vqf = pytest.importorskip("vqf")
    gyr, acc, *mag = alone(readings[: axes // 3], 0)
    benchmark.group = f"one sensor, two-sided, {N} samples, {axes} axes"
    benchmark(lambda: vqf.offlineVQF(gyr, acc, mag[0] if mag else None, 1 / RATE_HZ, None))
