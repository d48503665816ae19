"""Rigid bodies in motion: angles about axes in, orientation and its derivatives out.

Conventions of docs/frames.md: quaternions (w, x, y, z), Hamilton, `v_earth = q v_segment q*`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from .curve import Curve, States

    Floats = NDArray[np.float64]

AXIS = {"x": 0, "y": 1, "z": 2}


@dataclass(frozen=True, slots=True, eq=False)
class Kinematics:
    """Motion of one rigid body at n moments; each derivative is exact.

    Attributes
    ----------
    position, velocity, acceleration : (n, 3) float64
        Of the body's origin in the earth frame; m, m/s, m/s2.
    q_segment_to_earth : (n, 4) float64
        Orientation (w, x, y, z).
    angular_rate, angular_acceleration : (n, 3) float64
        In the body's own frame; rad/s, rad/s2.
    """

    position: Floats
    velocity: Floats
    acceleration: Floats
    q_segment_to_earth: Floats
    angular_rate: Floats
    angular_acceleration: Floats

    @property
    def rotation(self) -> Floats:
        """Matrices (n, 3, 3) that turn vectors of the body into the earth frame."""
        return matrix(self.q_segment_to_earth)

    def at_point(self, point_m: ArrayLike) -> Kinematics:
        """Motion of a point fixed to the body, given in the body's frame, (3,) or (n, 3)."""
        point = np.broadcast_to(np.asarray(point_m, dtype=np.float64), self.position.shape)
        turn = self.rotation
        spin = np.cross(self.angular_rate, point)
        pull = np.cross(self.angular_acceleration, point) + np.cross(self.angular_rate, spin)
        return Kinematics(
            self.position + rotated(turn, point),
            self.velocity + rotated(turn, spin),
            self.acceleration + rotated(turn, pull),
            self.q_segment_to_earth,
            self.angular_rate,
            self.angular_acceleration,
        )

    def carrying(self, shift: States, turn: Turning) -> Kinematics:
        """Motion of another body that shifts and turns on this one, both in this one's frame."""
        frame, w = self.rotation, self.angular_rate
        velocity = np.cross(w, shift.value) + shift.rate
        pull = np.cross(self.angular_acceleration, shift.value) + shift.acceleration
        pull += np.cross(w, np.cross(w, shift.value)) + 2 * np.cross(w, shift.rate)
        back = matrix(turn.q)
        rate = rotated_back(back, w)
        return Kinematics(
            self.position + rotated(frame, shift.value),
            self.velocity + rotated(frame, velocity),
            self.acceleration + rotated(frame, pull),
            multiply(self.q_segment_to_earth, turn.q),
            rate + turn.rate,
            rotated_back(back, self.angular_acceleration)
            - np.cross(turn.rate, rate)
            + turn.acceleration,
        )

    def reframed(self, q_new_to_body: ArrayLike) -> Kinematics:
        """Same motion seen from a frame fixed to the body at another orientation, (4,)."""
        q = np.asarray(q_new_to_body, dtype=np.float64)
        turn = matrix(q[None])[0]
        return Kinematics(
            self.position,
            self.velocity,
            self.acceleration,
            multiply(self.q_segment_to_earth, np.broadcast_to(q, self.q_segment_to_earth.shape)),
            self.angular_rate @ turn,
            self.angular_acceleration @ turn,
        )


class Motion(Protocol):
    """How a body moves: its kinematics at any times."""

    def evaluate(self, time_s: Floats) -> Kinematics:
        """Position, orientation and their derivatives at times (n,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Turning:
    """Orientation with its derivatives, as `Kinematics` without a place."""

    q: Floats
    rate: Floats
    acceleration: Floats


def turning(angles: Sequence[Curve], axes: str, time_s: Floats) -> Turning:
    """Turn about `axes` one after the other, each in the frame left by those before.

    Parameters
    ----------
    angles : sequence of Curve
        One channel each, one curve an axis, radians.
    axes : str
        For example "zyx": first about z by the first curve, then about the new y, then the new x.
    time_s : (n,) float64
        Moments.
    """
    n = len(time_s)
    q = np.zeros((n, 4))
    q[:, 0] = 1
    rate, growth = np.zeros((n, 3)), np.zeros((n, 3))
    for name, curve in zip(axes, angles, strict=True):
        axis = AXIS[name]
        angle, speed, acceleration = (channel[:, 0] for channel in curve.evaluate(time_s))
        rate, growth = _about(axis, angle, rate), _about(axis, angle, growth)
        # d/dt (R^T w) = R^T w' - W x (R^T w), with W the new turn's own rate about one axis.
        own = np.zeros((n, 3))
        own[:, axis] = speed
        growth = growth - np.cross(own, rate)
        growth[:, axis] += acceleration
        rate = rate + own
        q = multiply(q, _about_axis(axis, angle))
    return Turning(q, rate, growth)


def _about(axis: int, angle: Floats, vector: Floats) -> Floats:
    """Components of vectors (n, 3) in a frame that is turned by an angle about one axis."""
    j, k = (axis + 1) % 3, (axis + 2) % 3
    cos, sin = np.cos(angle), np.sin(angle)
    out = vector.copy()
    out[:, j] = cos * vector[:, j] + sin * vector[:, k]
    out[:, k] = cos * vector[:, k] - sin * vector[:, j]
    return out


def _about_axis(axis: int, angle: Floats) -> Floats:
    q = np.zeros((len(angle), 4))
    q[:, 0] = np.cos(angle / 2)
    q[:, 1 + axis] = np.sin(angle / 2)
    return q


def multiply(p: Floats, q: Floats) -> Floats:
    """Hamilton product of quaternions (n, 4)."""
    pw, px, py, pz = p.T
    qw, qx, qy, qz = q.T
    return np.stack(
        [
            pw * qw - px * qx - py * qy - pz * qz,
            pw * qx + px * qw + py * qz - pz * qy,
            pw * qy - px * qz + py * qw + pz * qx,
            pw * qz + px * qy - py * qx + pz * qw,
        ],
        axis=1,
    )


def matrix(q: Floats) -> Floats:
    """Rotation matrices (n, 3, 3) of unit quaternions (n, 4)."""
    w, x, y, z = q.T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=1) for row in rows], axis=1)


def rotated(turn: Floats, vector: Floats) -> Floats:
    """Vectors (n, 3) turned by matrices (n, 3, 3)."""
    out: Floats = np.einsum("nij,nj->ni", turn, vector)
    return out


def rotated_back(turn: Floats, vector: Floats) -> Floats:
    """Vectors (n, 3) turned by the transposed matrices."""
    out: Floats = np.einsum("nij,ni->nj", turn, vector)
    return out
