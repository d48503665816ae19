"""Swing axes of shoe and shank sensors against those of camera markers on the same segments.

The recording has 3.5 m of walking: two straight steps a leg. The camera's angular rate of the
segment, brought into the sensor by the vertical of standing and the one turn about it that makes
both rates agree best, gives the same swing axis; the joint's markers give the anatomical one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from calibration.fitting.alignment import read_standing, swing_axis
from calibration.fitting.steps import find_steps, level_motion
from cext import lowpass

if TYPE_CHECKING:
    from pathlib import Path

STANDING = slice(100, 1000)
WALKING = slice(1080, 1440)
SIDES = {"left": ("L", 1.0), "right": ("R", -1.0)}


@dataclass(frozen=True)
class AxisFigures:
    """Angles about the vertical, degrees, and the number of steps behind them."""

    sensor: str
    n_steps: int
    against_optical_swing_deg: float
    against_anatomy_deg: float
    lean_deg: float


def axis_against_cameras(folder: Path) -> list[AxisFigures]:
    """One row for each of the six leg sensors of the recording."""
    found = []
    with np.load(folder / "gaittoolbox_S02_walk_part1.npz") as file:
        rate_hz = float(file["fs"])
        for side in SIDES:
            for name, part in (("foot", "foot"), ("shank", "shank"), ("shank2", "shank")):
                sensor = f"{side}_{name}"
                gyr, acc = (file[f"{sensor}_{kind}"].astype(float) for kind in ("gyr", "acc"))
                optical = _segment_axes(file, side, part)
                found.append(_compare(sensor, rate_hz, gyr, acc, optical))
    return found


def _compare(sensor, rate_hz, gyr, acc, optical):
    standing = read_standing(gyr[STANDING], acc[STANDING])
    up = optical[STANDING].mean(axis=0).T @ [0, 0, 1]
    up /= np.linalg.norm(up)
    level_optical, level_sensor = _level(up), _level(standing.up)
    rate = lowpass(gyr, rate_hz, 8.0) @ level_sensor.T
    seen = _rate(optical, rate_hz) @ level_optical.T
    # The IMU trails the cameras by some ticks: the lag of best agreement is taken.
    lagged = [np.roll(seen, lag, axis=0) for lag in range(6)]
    turns = [_best_turn(rate[WALKING], rates[WALKING]) for rates in lagged]
    best = int(np.argmin([misfit for _, misfit in turns]))
    turn, seen = turns[best][0], lagged[best]
    axis = swing_axis(rate_hz, gyr, acc, standing, least_steps=2)
    ours = _heading(level_sensor @ axis.left) + turn
    steps = [s for s in find_steps(level_motion(rate_hz, gyr, acc)) if s.straight]
    swings = [_swing_heading(seen[s.burst[0] : s.contact]) for s in steps]
    anatomical = _heading(level_optical @ [0, 1, 0])
    return AxisFigures(
        sensor,
        len(steps),
        _wrapped(ours - np.mean(swings)),
        _wrapped(ours - anatomical),
        float(np.degrees(np.arcsin(up[0]))),
    )


def _segment_axes(file, side, part):
    """Rotation segment to room at each tick, columns forward, left, up."""
    letter, leftward = SIDES[side]

    def marker(name):
        return file[f"mocap_{letter}{name}"].astype(float)

    outward = leftward * (marker("KNE") - marker("KJC"))
    if part == "foot":
        outward = leftward * (marker("ANK") - marker("AJC"))
        forward = _unit(marker("TOE") - marker("HEE"))
        left = _unit(outward - np.sum(outward * forward, 1, keepdims=True) * forward)
        return np.stack([forward, left, np.cross(forward, left)], axis=-1)
    up = _unit(marker("KJC") - marker("AJC"))
    left = _unit(outward - np.sum(outward * up, 1, keepdims=True) * up)
    return np.stack([np.cross(left, up), left, up], axis=-1)


def _rate(axes, rate_hz):
    """Angular rate in the segment's own axes from its rotation to the room."""
    smooth = lowpass(axes.reshape(len(axes), 9), rate_hz, 8.0).reshape(-1, 3, 3)
    u, _, vt = np.linalg.svd(smooth)
    turn = np.swapaxes(u @ vt, 1, 2) @ np.gradient(u @ vt, 1 / rate_hz, axis=0)
    return (
        np.stack(
            [
                turn[:, 2, 1] - turn[:, 1, 2],
                turn[:, 0, 2] - turn[:, 2, 0],
                turn[:, 1, 0] - turn[:, 0, 1],
            ],
            axis=1,
        )
        / 2
    )


def _best_turn(rate, there):
    """Angle about the vertical that brings the sensor's rates onto the cameras', and its misfit."""
    angle = np.arctan2(
        np.sum(rate[:, 0] * there[:, 1] - rate[:, 1] * there[:, 0]),
        np.sum(rate[:, :2] * there[:, :2]),
    )
    cosine, sine = np.cos(angle), np.sin(angle)
    turned = rate[:, :2] @ np.array([[cosine, sine], [-sine, cosine]])
    return angle, float(np.mean((turned - there[:, :2]) ** 2))


def _swing_heading(rate):
    swing = rate[rate[:, 1] < -0.5, :2]
    axis = np.linalg.eigh(swing.T @ swing)[1][:, 1]
    return _heading(axis * np.sign(axis[1]))


def _level(up):
    """Axes with z along `up`; their y is the frame's y, or its x where that is nearly vertical."""
    y = np.array([0.0, 1.0, 0.0]) if abs(up[1]) < 0.9 else np.array([1.0, 0.0, 0.0])
    y = y - (y @ up) * up
    y /= np.linalg.norm(y)
    return np.stack([np.cross(y, up), y, up])


def _heading(vector):
    return np.arctan2(vector[1], vector[0])


def _wrapped(angle):
    return float(np.degrees(np.angle(np.exp(1j * angle))))


def _unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
