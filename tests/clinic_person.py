"""A person with a known leg-length difference who follows the clinic protocol, seen by the pelvis.

Angles in degrees and lengths in metres, as a reader thinks of them; right side higher positive.
Nothing of the estimator is used: postures are rotations, signals their derivatives.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from cext import quaternion as quat
from edge.gait.leg_length import Phase
from edge.results import Person, Stride
from edge.timegrid import Span
from sensors import Segment, Side

GRAVITY = 9.81
RATE_HZ = 100.0


def about(axis: str, angle_deg) -> np.ndarray:
    """Quaternions of turns about one axis."""
    vectors = np.zeros((*np.shape(angle_deg), 3))
    vectors[..., "xyz".index(axis)] = np.radians(angle_deg)
    return quat.from_rotation_vector(vectors)


def turned(roll=0.0, pitch=0.0, yaw=0.0) -> np.ndarray:
    return quat.multiply(about("z", yaw), quat.multiply(about("y", pitch), about("x", roll)))


@dataclass
class Sensor:
    """One pelvis sensor as it is mounted, with the errors it has."""

    mount: np.ndarray = field(default_factory=lambda: turned(pitch=12.0))
    acc_bias: np.ndarray = field(default_factory=lambda: np.zeros(3))
    acc_scale: np.ndarray = field(default_factory=lambda: np.ones(3))
    gyr_bias: np.ndarray = field(default_factory=lambda: np.zeros(3))
    misalignment: np.ndarray = field(default_factory=turned)
    acc_noise: float = 0.0
    gyr_noise: float = 0.0
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Sensor:
        """After calibration, worn by eye: the spreads behind the published interval."""
        return cls(
            mount=turned(rng.normal(0, 2), 12 + rng.normal(0, 6), rng.normal(0, 4)),
            acc_bias=rng.normal(0, 3e-3 * GRAVITY, 3),
            acc_scale=1 + rng.normal(0, 3e-3, 3),
            gyr_bias=np.radians(rng.normal(0, 0.2, 3)),
            misalignment=turned(*rng.normal(0, 0.3, 3)),
            acc_noise=0.02,
            gyr_noise=np.radians(0.1),
            rng=rng,
        )

    def read(self, pose: np.ndarray, acceleration=0.0) -> tuple[np.ndarray, np.ndarray]:
        """Poses (n, 4), pelvis to earth, and earth acceleration (n, 3) -> gyr, acc as measured."""
        n = len(pose)
        to_sensor = quat.conjugate(self.mount)
        steps = quat.to_rotation_vector(quat.multiply(quat.conjugate(pose[:-1]), pose[1:]))
        gyr = quat.rotate(to_sensor, np.vstack([steps, steps[-1:]]) * RATE_HZ)
        force = np.zeros((n, 3)) + acceleration + [0.0, 0.0, GRAVITY]
        acc = quat.rotate(to_sensor, quat.rotate(quat.conjugate(pose), force))
        gyr = quat.rotate(self.misalignment, gyr) + self.gyr_bias
        acc = acc * self.acc_scale + self.acc_bias
        return (
            gyr + self.rng.normal(0, self.gyr_noise, (n, 3)),
            acc + self.rng.normal(0, self.acc_noise, (n, 3)),
        )


@dataclass
class Protocol:
    """Collects phases one after the other; what the person does in each is told, not drawn.

    Attributes
    ----------
    obliquity : float
        Of the hip line while standing without a board, deg: what the legs make of it.
    floor : float
        Lateral slope, deg.
    """

    obliquity: float
    sensor: Sensor = field(default_factory=Sensor)
    floor: float = 0.0
    parts: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)
    seconds: float = 0.0

    def still(self, roll: float, pitch: float, seconds: float, sway: float, **label) -> None:
        t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
        roll = roll + sway * np.sin(2 * np.pi * 0.31 * t + len(self.parts))
        self.put(quat.multiply(about("x", -roll), about("y", np.full(len(t), pitch))), **label)

    def stand(self, posture=0.0, facing="a", seconds=10.0, sway=0.1, change=0.0, **label) -> None:
        """`posture`: obliquity by chance; `change`: by a board; both in degrees."""
        slope = self.floor if facing == "a" else -self.floor
        roll = self.obliquity + change + posture + slope
        self.still(roll, 8.0, seconds, sway, phase="stand", facing=facing, **label)

    def sit(self, error=0.0, facing="a") -> None:
        slope = self.floor if facing == "a" else -self.floor
        self.still(error + slope, -17.0, 10.0, 0.1, phase="seat", facing=facing)

    def bow(self, rolls, yaws=None, depth=40.0) -> None:
        """One bow for each error of its axis: `rolls` in the frontal plane, `yaws` in the level."""
        upright = quat.multiply(about("x", -self.obliquity), about("y", 8.0))
        poses = [np.repeat(upright[None], 100, axis=0)]
        for roll, yaw in zip(
            rolls, yaws if yaws is not None else np.zeros(len(rolls)), strict=True
        ):
            angle = np.radians(depth) * (1 - np.cos(2 * np.pi * np.arange(400) / 400)) / 2
            # In the upright pelvis: its y axis is the hip line, pitched by 8 degrees about it.
            axis = quat.rotate(
                turned(pitch=-8.0), quat.rotate(turned(roll, 0, yaw), [0.0, 1.0, 0.0])
            )
            poses.append(quat.multiply(upright, quat.from_rotation_vector(angle[:, None] * axis)))
        self.put(np.vstack(poses), phase="bows")

    def put(self, pose: np.ndarray, acceleration=0.0, **label) -> None:
        self.parts.append(self.sensor.read(pose, acceleration))
        end = self.seconds + len(pose) / RATE_HZ
        self.phases.append(Phase(start_s=self.seconds, end_s=end, **label))
        self.seconds = end

    def span(self) -> Span:
        gyr = np.vstack([p[0] for p in self.parts])[:, None]
        acc = np.vstack([p[1] for p in self.parts])[:, None]
        good = np.ones((len(gyr), 1), dtype=bool)
        return Span(RATE_HZ, 0.0, (Segment.PELVIS,), gyr, acc, None, good, ~good)


def usual(
    obliquity: float = 3.0,
    sensor: Sensor | None = None,
    floor: float = 0.0,
    postures=(0.0,) * 8,
    bow_rolls=(0.0,) * 6,
    bow_yaws=None,
    depth: float = 40.0,
    seconds: float = 10.0,
) -> Protocol:
    """Three placements in both directions, bows, standing once more."""
    protocol = Protocol(obliquity, sensor or Sensor(), floor)
    for i, posture in enumerate(postures[:6]):
        protocol.stand(posture, "ab"[i % 2], seconds, placement=i // 2 + 1)
    if len(bow_rolls):
        protocol.bow(bow_rolls, bow_yaws, depth)
    for i, posture in enumerate(postures[6:]):
        protocol.stand(posture, "ab"[i % 2], seconds, placement=4, repeat=True)
    return protocol


def person(hip_width_m: float | None = 0.172, **known) -> Person:
    return Person(hip_width_m=hip_width_m, **known)


def obliquity_of(difference_m: float, hip_width_m: float = 0.172) -> float:
    return float(np.degrees(np.arcsin(difference_m / hip_width_m)))


@dataclass(frozen=True)
class Gait:
    """How somebody with a difference of the legs walks.

    Attributes
    ----------
    height_m : float
        D: pelvis higher at right mid-stance by this.
    obliquity : float
        Mean over the stride, deg.
    """

    height_m: float
    obliquity: float
    stride_s: float = 1.1
    strides: int = 60
    skin: float = 0.0
    jitter_s: float = 0.0
    scatter_m: float = 0.0


def walk(gait: Gait, sensor: Sensor, lever=(-0.10, 0.0, 0.02)) -> tuple[Span, list[Stride]]:
    """Pelvis signals of a straight walk, and the swings of the feet that go with it.

    Mid-stances are at whole (right) and half (left) cycles; `skin` turns the sensor by so many
    degrees about the walking direction, `jitter_s` scatters the contacts, `scatter_m` the height.
    """
    rng = sensor.rng
    n = round((gait.strides + 1) * gait.stride_s * RATE_HZ)
    t = np.arange(n) / RATE_HZ
    wave = 2 * np.pi * t / gait.stride_s
    roll = gait.obliquity + 3.8 * np.sin(wave) + 0.3 * np.sin(2 * wave + 0.4)
    pose = quat.multiply(
        about("z", 5.0 * np.sin(wave + 0.2)),
        quat.multiply(about("x", -(roll + gait.skin)), about("y", 8.0 + 1.5 * np.cos(2 * wave))),
    )
    knots = np.arange(-2, n / RATE_HZ / gait.stride_s * 2 + 3)
    scatter = rng.normal(0, gait.scatter_m, len(knots))
    # Between the mid-stances the height goes over smoothly.
    share = (1 - np.cos(np.pi * ((2 * t / gait.stride_s) % 1))) / 2
    step = np.searchsorted(knots, 2 * t / gait.stride_s, side="right") - 1
    place = np.column_stack(
        [
            0.012 * np.sin(2 * wave),
            -0.022 * np.cos(wave),
            0.02 * np.cos(2 * wave)
            + gait.height_m / 2 * np.cos(wave)
            + scatter[step] * (1 - share)
            + scatter[step + 1] * share,
        ]
    )
    place += quat.rotate(pose, np.array(lever))
    acceleration = np.gradient(np.gradient(place, 1 / RATE_HZ, axis=0), 1 / RATE_HZ, axis=0)
    gyr, acc = sensor.read(pose, acceleration)
    good = np.ones((n, 1), dtype=bool)
    span = Span(RATE_HZ, 0.0, (Segment.PELVIS,), gyr[:, None], acc[:, None], None, good, ~good)
    return span, [
        _stride(side, (k + half) * gait.stride_s, gait, rng)
        for k in range(1, gait.strides)
        for side, half in ((Side.LEFT, 0.0), (Side.RIGHT, 0.5))
    ]


def _stride(side: Side, other_midstance_s: float, gait: Gait, rng: np.random.Generator) -> Stride:
    """A swing of 0.4 stride about the mid-stance of the other foot."""
    swing = 0.2 * gait.stride_s
    off, on = other_midstance_s + rng.normal(0, gait.jitter_s, 2) + [-swing, swing]
    return Stride(
        side=side,
        bout=1,
        stage="refined",
        initial_contact_s=on - gait.stride_s,
        final_contact_s=off,
        next_initial_contact_s=on,
        stride_time_s=gait.stride_s,
        speed_mps=1.2,
        steady=True,
    )
