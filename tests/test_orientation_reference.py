"""The fast orientation filter gives the numbers of the slow and plain one."""

from __future__ import annotations

import numpy as np
import pytest

from cext import OrientationFilter, smooth_orientation
from tests.reference import orientation as reference


def readings(n, seed):
    """Rough movement about a rest in the middle, a field with noise."""
    rng = np.random.default_rng(seed)
    gyr = np.cumsum(rng.normal(0, 0.2, (n, 3)), axis=0)
    gyr -= np.linspace(0, 1, n)[:, None] * gyr[-1]
    acc = rng.normal(0, 2.0, (n, 3)) + np.array([1.0, -3.0, 9.0])
    mag = rng.normal(0, 0.5, (n, 3)) + np.array([18.0, 3.0, -42.0])
    rest = slice(n // 3, 2 * n // 3)
    gyr[rest] = rng.normal(0.02, 0.002, gyr[rest].shape)
    acc[rest] = rng.normal(0, 0.02, acc[rest].shape) + np.array([1.0, -3.0, 9.0])
    return gyr, acc, mag


def flags(n, seed):
    rng = np.random.default_rng(seed)
    valid = rng.random(n) > 0.03
    valid[n // 2 : n // 2 + 30] = False
    return {"valid": valid, "saturated": rng.random(n) > 0.97, "still": np.arange(n) % 100 < 30}


@pytest.mark.parametrize("with_mag", [False, True])
@pytest.mark.parametrize("rate_hz", [50.0, 104.0])
def test_equal_on_rough_readings(rate_hz, with_mag):
    gyr, acc, mag = readings(900, 1)
    args = (gyr, acc, mag) if with_mag else (gyr, acc)
    fast = OrientationFilter(rate_hz).update_block(*args)
    np.testing.assert_allclose(fast, reference.run(rate_hz, *args), atol=1e-9)


@pytest.mark.parametrize("smooth", [False, True])
def test_equal_with_gaps_clipped_and_still_samples(smooth):
    gyr, acc, mag = readings(900, 2)
    gyr[100] = np.nan
    mag[::3] = np.nan
    marks = flags(900, 3)
    fast = (
        smooth_orientation
        if smooth
        else lambda r, *a, **k: OrientationFilter(r).update_block(*a, **k)
    )
    np.testing.assert_allclose(
        fast(100.0, gyr, acc, mag, **marks),
        reference.run(100.0, gyr, acc, mag, smooth=smooth, **marks),
        atol=1e-9,
    )


def test_equal_after_a_gap_that_starts_anew():
    gyr, acc, mag = readings(700, 4)
    valid = np.ones(700, dtype=bool)
    valid[200:360] = False
    np.testing.assert_allclose(
        OrientationFilter(100.0).update_block(gyr, acc, mag, valid=valid),
        reference.run(100.0, gyr, acc, mag, valid=valid),
        atol=1e-9,
    )
    np.testing.assert_allclose(
        smooth_orientation(100.0, gyr, acc, mag, valid=valid),
        reference.run(100.0, gyr, acc, mag, valid=valid, smooth=True),
        atol=1e-9,
    )


@pytest.mark.data
@pytest.mark.parametrize(
    "trial", ["28_disturbed_stationary_magnet_A", "06_undisturbed_fast_rotation_A"]
)
@pytest.mark.parametrize("start", [8001, 10347])
def test_equal_on_real_recordings(data_folder, trial, start):
    """Odd slices: the end of the rest and the first movement, beside a magnet or fast."""
    with np.load(data_folder / "broad" / f"{trial}.npz") as z:
        rate_hz = float(z["rate"])
        gyr, acc, mag = (
            np.asarray(z[k][start : start + 4003], dtype=float) for k in ("gyr", "acc", "mag")
        )
    fast = OrientationFilter(rate_hz).update_block(gyr, acc, mag)
    np.testing.assert_allclose(fast, reference.run(rate_hz, gyr, acc, mag), atol=1e-9)
    np.testing.assert_allclose(
        smooth_orientation(rate_hz, gyr, acc),
        reference.run(rate_hz, gyr, acc, smooth=True),
        atol=1e-9,
    )
