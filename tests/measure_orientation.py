"""Orientation of a hand-moved rig and of walking people: the tables of docs/orientation.md.

    python -m tests.measure_orientation

Needs `vqf` (`pip install -e .[bench]`); the real recordings are those of EVENSTRIDE_DATA.
"""

# ruff: noqa: T201 (the tables are its output)
from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from vqf import VQF, offlineVQF

from cext import OrientationFilter, quaternion, smooth_orientation
from sensors import Segment
from sensors.virtual import Imperfections, Stand, Turn, VirtualPerson, Walk, Walker

UP = np.array([0.0, 0.0, 1.0])
DATA = Path(os.environ.get("EVENSTRIDE_DATA", "../shared/data"))
PLAN = [Stand(5), Walk(60, 1.2), Turn(), Walk(60, 1.4), Turn(), Walk(60, 0.9), Stand(3)]


def filters(rate_hz, gyr, acc):
    """Name and quaternions (n, 4) of everything compared."""
    return {
        "VQF": VQF(1 / rate_hz).updateBatch(gyr, acc)["quat6D"],
        "VQF offline": offlineVQF(gyr, acc, None, 1 / rate_hz, None)["quat6D"],
        "live": OrientationFilter(rate_hz).update_block(gyr, acc),
        "smoothed": smooth_orientation(rate_hz, gyr, acc),
    }


def up_in_sensor(q):
    return quaternion.rotate(quaternion.conjugate(q), UP)


def apart_deg(a, b):
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b), axis=1), np.sum(a * b, axis=1)))


def rms(x):
    return float(np.sqrt(np.mean(np.square(x))))


def row(name, errors):
    cells = " | ".join(f"{e:.2f}" for e in errors.values())
    print(f"| {name} | {cells} | {errors['live'] / errors['VQF']:.2f} |")


def heading(title):
    print(
        f"\n| {title} | VQF | VQF offline | live | smoothed | live / VQF |",
        "|---|---|---|---|---|---|",
        sep="\n",
    )


def flawed(rng, seed):
    """A calibrated consumer part: 1 deg/s of bias, 0.3 % of scale, axes 0.2 deg askew."""
    return Imperfections(
        gyr_bias=tuple(rng.normal(0, np.radians(1.0), 3)),
        gyr_scale=tuple(1 + rng.normal(0, 0.003, 3)),
        gyr_misalignment=tuple(rng.normal(0, 0.003, 3)),
        acc_bias=tuple(rng.normal(0, 0.03, 3)),
        gyr_noise=0.003,
        acc_noise=0.05,
        acc_range=16 * 9.81,
        seed=seed,
    )


def on_the_virtual_walker(rate_hz=100.0, people=3):
    """Truth is exact; three people walk 180 steps with two turns.

    The walker's sensors read an instant, not a mean: every filter here adds up rates until half a
    sample after it, and is compared with the truth of that moment.
    """
    heading("virtual walker, RMS after the start, deg")
    rng = np.random.default_rng(5)
    walker = Walker(VirtualPerson(), PLAN, seed=3)
    time_s = np.arange(0.0, walker.end_s, 1 / rate_hz)
    for segment in Segment:
        errors: dict[str, list[float]] = {}
        for seed in range(people):
            signal = walker.sensor(segment, flawed(rng, seed))
            gyr, acc, _ = (np.ascontiguousarray(x) if x is not None else x for x in signal(time_s))
            truth = up_in_sensor(signal.kinematics(time_s + 0.5 / rate_hz).q_segment_to_earth)
            for name, q in filters(rate_hz, gyr, acc).items():
                wrong = apart_deg(up_in_sensor(q), truth)[round(5 * rate_hz) :]
                errors.setdefault(name, []).append(rms(wrong))
        row(segment.value, {name: np.mean(e) for name, e in errors.items()})


def quiet_moments(gyr, acc, rate_hz):
    """Ticks at which a moving foot stands still, and where up is in the sensor then."""
    width = max(3, round(0.08 * rate_hz))
    window = np.ones(width) / width
    mean, square = (
        np.stack([np.convolve(x, window, "same") for x in power.T], axis=1)
        for power in (acc, acc**2)
    )
    unrest = np.sqrt(np.maximum(square - mean**2, 0).sum(axis=1))
    rate = np.convolve(np.linalg.norm(gyr, axis=1), window, "same")
    still = (rate < 0.2) & (unrest < 0.25) & (np.abs(np.linalg.norm(mean, axis=1) - 9.81) < 0.25)
    quick = np.linalg.norm(gyr, axis=1) > 1.75
    moved = np.convolve(quick, np.ones(round(rate_hz)))[: len(quick)] > 0
    ticks = np.flatnonzero(still & moved)
    return ticks, mean[ticks] / np.linalg.norm(mean[ticks], axis=1, keepdims=True)


def real_feet():
    """Every foot recording with its nominal rate."""
    for pattern, rate_hz in (
        ("pyshoe_vicon/*", 200.0),
        ("ipol_10m/*", 100.0),
        ("gaitmap_*", 204.8),
    ):
        for path in sorted(DATA.glob(f"{pattern}.npz")):
            with np.load(path) as z:
                for foot in ("left_foot", "right_foot"):
                    if f"{foot}_gyr" in z.files:
                        yield (
                            pattern[:-2],
                            rate_hz,
                            *(
                                np.ascontiguousarray(z[f"{foot}_{x}"], dtype=float)
                                for x in ("gyr", "acc")
                            ),
                        )


def on_real_feet():
    """In a quiet moment of a step, gravity is what the accelerometer shows."""
    heading("real feet in their quiet moments, mean of RMS, deg")
    errors: dict[str, dict[str, list[float]]] = {}
    for name, rate_hz, gyr, acc in real_feet():
        ticks, up = quiet_moments(gyr, acc, rate_hz)
        if len(ticks) < 5:
            continue
        for of, q in filters(rate_hz, gyr, acc).items():
            wrong = rms(apart_deg(up_in_sensor(q)[ticks], up))
            errors.setdefault(name, {}).setdefault(of, []).append(wrong)
    for name, found in errors.items():
        row(f"{name} ({len(found['live'])})", {of: np.mean(e) for of, e in found.items()})


def rig_trials():
    """BROAD's recordings: rate, gyr, acc, mag, optical truth, and which samples count."""
    for path in sorted((DATA / "broad").glob("*.npz")):
        with np.load(path) as z:
            readings = [np.ascontiguousarray(z[x], dtype=float) for x in ("gyr", "acc", "mag")]
            truth = np.asarray(z["opt_quat"], dtype=float)
            yield float(z["rate"]), *readings, truth, z["movement"] & np.isfinite(truth).all(axis=1)


def rig_filters(rate_hz, gyr, acc, mag):
    if mag is None:
        return filters(rate_hz, gyr, acc)
    return {
        "VQF": VQF(1 / rate_hz).updateBatch(gyr, acc, mag)["quat9D"],
        "VQF offline": offlineVQF(gyr, acc, mag, 1 / rate_hz, None)["quat9D"],
        "live": OrientationFilter(rate_hz).update_block(gyr, acc, mag),
        "smoothed": smooth_orientation(rate_hz, gyr, acc, mag),
    }


def drift(rate_hz, q, truth, use):
    """Slope of the heading's error, deg/min."""
    error = quaternion.multiply(q[use], quaternion.conjugate(truth[use]))
    heading_deg = np.degrees(np.unwrap(2 * np.arctan2(error[:, 3], error[:, 0])))
    return abs(np.polyfit(np.flatnonzero(use) / rate_hz, heading_deg, 1)[0]) * 60


def total(_rate_hz, q, truth, use):
    return rms(np.degrees(turn_between(q[use], truth[use])))


def inclination(_rate_hz, q, truth, use):
    return rms(apart_deg(up_in_sensor(q[use]), up_in_sensor(truth[use])))


def turn_between(a, b):
    """Angle of the turn from b to a (n,), rad."""
    apart = quaternion.multiply(a, quaternion.conjugate(b))
    return np.linalg.norm(quaternion.to_rotation_vector(apart), axis=1)


RIG = (  # title, figure, magnetometer, no rest first, added bias (deg/s)
    ("9D total, deg", total, True, False, 0.0),
    ("inclination, 6D, deg", inclination, False, False, 0.0),
    ("heading drift, 6D, deg/min", drift, False, False, 0.0),
    ("9D total, 3 deg/s added to every axis", total, True, False, 3.0),
    ("9D total, no rest first", total, True, True, 0.0),
    ("9D total, no rest first and 3 deg/s", total, True, True, 3.0),
)


def on_the_hand_moved_rig():
    """RMS over the samples of movement, mean over the recordings."""
    heading("hand-moved rig against cameras (BROAD)")
    for title, figure, with_mag, cut, bias_deg in RIG:
        errors: dict[str, list[float]] = {}
        for rate_hz, *arrays, use in rig_trials():
            part = slice(int(np.argmax(use)) if cut else 0, None)
            gyr, acc, mag, truth = (np.ascontiguousarray(x[part]) for x in arrays)
            found = rig_filters(rate_hz, gyr + np.radians(bias_deg), acc, mag if with_mag else None)
            for name, q in found.items():
                errors.setdefault(name, []).append(figure(rate_hz, q, truth, use[part]))
        row(title, {name: np.mean(e) for name, e in errors.items()})


MARKERS = {
    "pelvis": ("LASI", "RASI", "LPSI", "RPSI"),
    "left_shank": ("LKNE", "LANK", "LTIB"),
    "right_shank": ("RKNE", "RANK", "RTIB"),
    "left_foot": ("LHEE", "LTOE", "LANK"),
    "right_foot": ("RHEE", "RTOE", "RANK"),
}


def fit_rotation(a, b):
    """Rotation matrix that takes rows of a to rows of b best (Kabsch 1976)."""
    u, _, vt = np.linalg.svd(a.T @ b)
    return vt.T @ np.diag([1, 1, np.sign(np.linalg.det(vt.T @ u.T))]) @ u.T


def rigid_body(points):
    """Rotations (n, 3, 3) from the mean body of markers (n, m, 3) to the room."""
    points = points - points.mean(axis=1, keepdims=True)
    body = points[:1000].mean(axis=0)
    return np.array([fit_rotation(body, p) for p in points])


def against_markers():
    """S02: 11 s of standing, then 4 s of walking; rates alone, from the standing, beside it."""
    with np.load(DATA / "gaittoolbox_S02_walk_part1.npz") as z:
        room = {m: z[f"mocap_{m}"].astype(float) for names in MARKERS.values() for m in names}
        read = {
            s: [np.ascontiguousarray(z[f"{s}_{x}"], dtype=float) for x in ("gyr", "acc")]
            for s in MARKERS
        }
    pelvis = sum(room[m] for m in MARKERS["pelvis"]) / 4
    walking = np.linalg.norm(np.gradient(pelvis, axis=0), axis=1) * 100 > 0.25
    found = {}
    for segment, names in MARKERS.items():
        gyr, acc = read[segment]
        free = smooth_orientation(100.0, gyr, acc)
        turns = quaternion.from_rotation_vector((gyr - gyr[100:1000].mean(axis=0)) / 100.0)
        for i in range(1001, len(free)):
            free[i] = quaternion.multiply(free[i - 1], turns[i])
        up = rigid_body(np.stack([room[n] for n in names], axis=1))[:, 2]
        ours = {**filters(100.0, gyr, acc), "rates alone": free}
        found[segment] = {
            name: (
                rms(apart_deg(up_in_sensor(q) @ fit_rotation(up_in_sensor(q), up).T, up)[walking]),
                rms(apart_deg(up_in_sensor(q), up_in_sensor(free))[walking]),
            )
            for name, q in ours.items()
        }
    for k, title in enumerate(("S02 against markers", "S02 against rates alone")):
        heading(f"{title}, RMS in walking, deg")
        for segment, errors in found.items():
            row(segment, {n: e[k] for n, e in errors.items() if n != "rates alone"})
        mean = {n: np.mean([e[n][k] for e in found.values()]) for n in found["pelvis"]}
        alone = mean.pop("rates alone")
        row("mean", mean)
        if k == 0:
            print(f"\nRates alone against markers: {alone:.2f} deg.")


if __name__ == "__main__":
    on_the_virtual_walker()
    if DATA.is_dir():
        on_the_hand_moved_rig()
        on_real_feet()
        against_markers()
