"""What one segment did, in its own frame: x forward, y left, z up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, wraps
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from cext.quaternion import headings, multiply, vertical

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

Found = TypeVar("Found")
FORWARD, LEFT = np.eye(3)[:2]


@dataclass(frozen=True, slots=True, eq=False)
class Worn:
    """How a sensor is worn, as far as one walk tells.

    Attributes
    ----------
    axes : (3, 3) float64
        Forward, left and up of the segment (rows) in the sensor frame.
    gyr_bias : (3,) float64
        What the gyroscope reads at rest, rad/s; zero where nobody rested.
    """

    axes: NDArray[np.float64]
    gyr_bias: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SegmentMotion:
    """Movement of one segment over the n ticks of a span.

    What several metrics ask for is worked out once.

    Attributes
    ----------
    rate_hz : float
        Ticks a second.
    time_s : (n,) float64
        On the recording's own axis.
    gyr, acc : (n, 3) float64
        rad/s without bias, and m/s2 (specific force), segment frame.
    q_segment_to_level : (n, 4) float64
        Attitude, w x y z. The level frame has z up; its heading is arbitrary, drifts slowly, and
        is another one for every segment.
    valid : (n,) bool
        False where the sample is interpolated.
    worn : Worn
        How the sensor is on it.
    upright_known : bool
        True where the segment's up axis was seen in standing; otherwise it is the mean of walking,
        and only changes of inclination mean something.
    """

    rate_hz: float
    time_s: NDArray[np.float64]
    gyr: NDArray[np.float64]
    acc: NDArray[np.float64]
    q_segment_to_level: NDArray[np.float64]
    valid: NDArray[np.bool_]
    worn: Worn
    upright_known: bool

    def __len__(self) -> int:
        return len(self.time_s)

    def tick(self, time_s: NDArray[np.float64]) -> NDArray[np.int64]:
        """Ticks nearest to some times."""
        ticks = np.rint(self.place(time_s)).astype(np.int64)
        return np.asarray(np.minimum(np.maximum(ticks, 0), len(self) - 1))

    def place(self, time_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Ticks, with a fraction, at which some times lie; they may be outside."""
        return np.asarray((time_s - self.time_s[0]) * self.rate_hz)

    @cached_property
    def lost_before(self) -> NDArray[np.int64]:
        """Number of samples that were lost before each tick, and in all (n + 1,)."""
        return np.concatenate([[0], np.cumsum(~self.valid)])

    @cached_property
    def up(self) -> NDArray[np.float64]:
        """Direction of up (n, 3), unit length, segment frame."""
        return vertical(self.q_segment_to_level)

    @cached_property
    def pitch_rad(self) -> NDArray[np.float64]:
        """Nose down positive, (n,): the forward axis' depth below level."""
        return -angle_of(self.up[:, 0])

    @cached_property
    def roll_rad(self) -> NDArray[np.float64]:
        """Left side up positive, (n,): rotation about +x."""
        return angle_of(self.up[:, 1])

    @cached_property
    def turned_rad(self) -> NDArray[np.float64]:
        """Rotation about its own up axis since the first tick (n,), counter-clockwise."""
        return np.asarray(np.cumsum(self.gyr[:, 2]) / self.rate_hz)

    def heading_rad(self, ticks: NDArray[np.int64]) -> NDArray[np.float64]:
        """Heading of the forward axis at some ticks, counter-clockwise, level frame."""
        return headings(self.q_segment_to_level[ticks], FORWARD)


def angle_of(sine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angles, rad, whose sines were worked out, within rounding of their range."""
    return np.arcsin(np.clip(sine, -1.0, 1.0))


def once(work_out: Callable[[SegmentMotion], Found]) -> Callable[[SegmentMotion], Found]:
    """Work out once for a motion what several metrics ask for; it is forgotten with the motion."""

    @wraps(work_out)
    def found(motion: SegmentMotion) -> Found:
        known = motion.__dict__
        if work_out.__name__ not in known:
            known[work_out.__name__] = work_out(motion)
        result: Found = known[work_out.__name__]
        return result

    return found


def in_segment_frame(
    worn: Worn,
    rate_hz: float,
    time_s: NDArray[np.float64],
    gyr: NDArray[np.float64],
    acc: NDArray[np.float64],
    q_sensor_to_level: NDArray[np.float64],
    valid: NDArray[np.bool_],
    *,
    upright_known: bool,
) -> SegmentMotion:
    """Turn readings of a sensor, bias taken off, into those of its segment."""
    axes = worn.axes
    return SegmentMotion(
        rate_hz=rate_hz,
        time_s=time_s,
        gyr=gyr @ axes.T,
        acc=acc @ axes.T,
        # Columns of `axes.T` are the segment's axes in the sensor frame: segment to sensor.
        q_segment_to_level=multiply(q_sensor_to_level, quaternion_of(axes.T)),
        valid=valid,
        worn=worn,
        upright_known=upright_known,
    )


def quaternion_of(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit quaternion (4,) of a rotation matrix.

    The eigenvector of the greatest eigenvalue of Bar-Itzhack's matrix, J. Guid. Control Dyn.
    23:1085, 2000: no case distinction, and exact for a matrix that is one.
    """
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = matrix
    k = np.array(
        [
            [xx - yy - zz, yx + xy, zx + xz, zy - yz],
            [yx + xy, yy - xx - zz, zy + yz, xz - zx],
            [zx + xz, zy + yz, zz - xx - yy, yx - xy],
            [zy - yz, xz - zx, yx - xy, xx + yy + zz],
        ]
    )
    x, y, z, w = np.linalg.eigh(k)[1][:, 3]
    return np.array([w, x, y, z]) * (1.0 if w >= 0.0 else -1.0)
