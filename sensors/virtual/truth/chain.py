"""Motions and true strides in, the kinetic chain of each stride out: docs/gait.md.

Angles and rates are those of the segments, heights and shocks those of sensors at their usual
places. Read off the exact motion at `SAMPLES` moments a stride, the shocks at closer ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sensors.sample import Segment, Side
from sensors.virtual.body.person import leftward
from sensors.virtual.signals import GRAVITY_MPS2, PLACES_M

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sensors.virtual.body.kinematics import Kinematics, Motion

    from .records import TrueStride

    Floats = NDArray[np.float64]

SAMPLES = 301
SHOCK_WINDOW_S = (-0.020, 0.100)
SHOCK_SAMPLES = 241
ROTATION_UNTIL = 0.6
"""Share of stance in which the shank's inward rotation is sought (docs/gait.md)."""
DROP_WINDOW = (0.15, 0.25)
"""Shares of the stride over which the pelvic drop is averaged (docs/gait.md)."""


@dataclass(frozen=True, slots=True)
class TrueChain:
    """What the chain did in one stride of `side`, which began at `initial_contact_s`.

    Attributes
    ----------
    push_off_rate_radps, ankle_push_off_rate_radps : float
        Greatest rate, toe down, from heel-off to final contact: of the foot, and of the foot
        against the shank (3.12).
    eversion_rate_radps : float
        Greatest rate of eversion from contact to flat foot (3.10).
    sensor_clearance_m : float
        Greatest height of the foot's sensor above its height when flat (3.4).
    circumduction_m : float
        Greatest distance sideways of the ankle in swing from the straight way (3.8).
    shank_range_rad, shank_swing_rate_radps, shank_contact_pitch_rad : float
        Range of pitch, greatest rate forward in swing, pitch at contact (3.8).
    ankle_range_rad : float
        Range of foot pitch less shank pitch.
    shank_rotation_rad : float
        Inward rotation about the long axis, greatest in early stance less that at contact (3.9).
    shank_lean_change_rad : float
        Medial lean at the middle of the flat foot less that at contact (3.10).
    shank_shock_g, pelvis_shock_g : float
        Greatest acceleration along the shank, and of the pelvis upward, around contact (3.11).
    obliquity_range_rad, tilt_range_rad, rotation_range_rad : float
        Ranges of the pelvis' angles over the stride (3.13).
    pelvic_drop_rad : float
        How much lower the other side is at a fifth of the stride than on the mean of it (3.13).
    """

    side: Side
    initial_contact_s: float
    push_off_rate_radps: float
    ankle_push_off_rate_radps: float
    eversion_rate_radps: float
    sensor_clearance_m: float
    circumduction_m: float
    shank_range_rad: float
    shank_swing_rate_radps: float
    shank_contact_pitch_rad: float
    ankle_range_rad: float
    shank_rotation_rad: float
    shank_lean_change_rad: float
    shank_shock_g: float
    pelvis_shock_g: float
    obliquity_range_rad: float
    tilt_range_rad: float
    rotation_range_rad: float
    pelvic_drop_rad: float


def chain_of(stride: TrueStride, foot: Motion, shank: Motion, pelvis: Motion) -> TrueChain:
    """Chain of one stride from the motions of the leg's foot and shank and of the pelvis."""
    time_s = np.linspace(stride.initial_contact_s, stride.next_initial_contact_s, SAMPLES)
    feet, shanks, hips = (motion.evaluate(time_s) for motion in (foot, shank, pelvis))
    pushing = (time_s >= stride.heel_off_s) & (time_s <= stride.final_contact_s)
    landing = time_s <= stride.foot_flat_s
    swinging = time_s >= stride.final_contact_s
    flat = (stride.foot_flat_s + stride.heel_off_s) / 2
    outward = leftward(stride.side)
    foot_pitch, shank_pitch = pitch(feet), pitch(shanks)
    obliquity = -np.arcsin(hips.rotation[:, 2, 1])
    share = (time_s - time_s[0]) / stride.stride_time_s
    dropping = (share >= DROP_WINDOW[0]) & (share <= DROP_WINDOW[1])
    lean = outward * _lean(shanks)
    height = feet.at_point(PLACES_M[Segment.LEFT_FOOT]).position[:, 2]
    at_flat = int(np.argmin(np.abs(time_s - flat)))
    return TrueChain(
        side=stride.side,
        initial_contact_s=stride.initial_contact_s,
        push_off_rate_radps=float(feet.angular_rate[pushing, 1].max()),
        ankle_push_off_rate_radps=float(
            (feet.angular_rate - shanks.angular_rate)[pushing, 1].max()
        ),
        eversion_rate_radps=float((outward * feet.angular_rate[landing, 0]).max()),
        sensor_clearance_m=float(np.ptp(height[[at_flat, int(np.argmax(height))]])),
        circumduction_m=_circumduction(feet.position[swinging]),
        shank_range_rad=float(np.ptp(shank_pitch)),
        shank_swing_rate_radps=float(-shanks.angular_rate[:, 1].min()),
        shank_contact_pitch_rad=float(shank_pitch[0]),
        ankle_range_rad=float(np.ptp(foot_pitch - shank_pitch)),
        shank_rotation_rad=_inward_rotation(stride, time_s, shanks),
        shank_lean_change_rad=float(lean[0] - lean[at_flat]),
        shank_shock_g=_shock_g(stride, shank, PLACES_M[_SHANKS[stride.side]], along_body=True),
        pelvis_shock_g=_shock_g(stride, pelvis, PLACES_M[Segment.PELVIS], along_body=False),
        obliquity_range_rad=float(np.ptp(obliquity)),
        tilt_range_rad=float(np.ptp(_tilt(hips))),
        rotation_range_rad=float(np.ptp(np.unwrap(_heading(hips)))),
        pelvic_drop_rad=float(-outward * (obliquity[dropping].mean() - obliquity.mean())),
    )


_SHANKS = {Side.LEFT: Segment.LEFT_SHANK, Side.RIGHT: Segment.RIGHT_SHANK}


def pitch(body: Kinematics) -> Floats:
    """Elevation of the forward axis, front end down positive."""
    angle: Floats = -np.arcsin(body.rotation[:, 2, 0])
    return angle


def _tilt(body: Kinematics) -> Floats:
    """Rotation about the hip axis out of the upright, front end down positive."""
    turn = body.rotation
    angle: Floats = np.arctan2(-turn[:, 2, 0], turn[:, 2, 2])
    return angle


def _heading(body: Kinematics) -> Floats:
    """Direction of the right-to-left axis, which a tilt does not change, less a right angle."""
    turn = body.rotation
    angle: Floats = np.arctan2(-turn[:, 0, 1], turn[:, 1, 1])
    return angle


def _lean(body: Kinematics) -> Floats:
    """Lean of the long axis to the left, seen along the body's own forward axis."""
    turn = body.rotation
    angle: Floats = np.arctan2(-turn[:, 2, 1], turn[:, 2, 2])
    return angle


def _circumduction(way: Floats) -> float:
    chord = (way[-1] - way[0])[:2]
    length = float(np.hypot(*chord))
    if length == 0:
        return 0.0
    off = (way - way[0])[:, :2] @ np.array((-chord[1], chord[0])) / length
    return float(np.abs(off).max())


def _inward_rotation(stride: TrueStride, time_s: Floats, shank: Kinematics) -> float:
    early = time_s <= stride.initial_contact_s + ROTATION_UNTIL * stride.stance_time_s
    rate = -leftward(stride.side) * shank.angular_rate[early, 2]
    steps = np.diff(time_s[early]) * (rate[1:] + rate[:-1]) / 2
    return float(max(0.0, np.cumsum(steps).max()))


def _shock_g(
    stride: TrueStride,
    motion: Motion,
    place_m: tuple[float, float, float],
    *,
    along_body: bool,
) -> float:
    """Greatest acceleration without gravity around contact, upward or along the body's z."""
    start, end = (stride.initial_contact_s + offset for offset in SHOCK_WINDOW_S)
    body = motion.evaluate(np.linspace(start, end, SHOCK_SAMPLES)).at_point(place_m)
    up = body.rotation[:, :, 2] if along_body else np.array((0.0, 0.0, 1.0))
    return float((body.acceleration * up).sum(axis=1).max() / GRAVITY_MPS2)
