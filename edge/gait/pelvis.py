"""Walking seen by the pelvis sensor alone: steps, cadence, and an estimate of speed and length.

The pelvis moves like a mass on an inverted pendulum: the faster the legs swing under it, the
larger the acceleration that repeats with every step. Which foot lands is not told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cext import crests, lowpass
from cext.quaternion import rotate
from edge.results import Contact, Stride

from .bout_rows import BoutSpeed
from .stance import GRAVITY_MPS2, median
from .upper import levelled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge.results import Person
    from edge.timegrid import Span

    from .bout_rows import BoutRows


@dataclass(frozen=True, slots=True)
class PelvisParameters:
    """Steps and speed of the pelvis.

    Attributes
    ----------
    step_band_hz : tuple of float
        Vertical acceleration outside is no step.
    least_mps2 : float
        A step's crest rises and falls by this.
    contact_before_s : float
        The foot meets the ground this long before the crest.
    longest_step_s, least_steps : float, int
        A longer pause ends the walking; fewer steps are none.
    odd_end : float
        A first or last step that lasts so many usual ones is none: people lean into the first step
        and come to rest after the last.
    stride_s, longest_stride : tuple of float, float
        Shortest and longest stride of two steps. One that lasts `longest_stride` times the usual
        one of its stretch is a start, a stop or a pause, and none either.
    pendulum, quickness, turning : float
        The law of `_speed`, fitted to twelve people.
    person_sd_mps, stride_sd_mps : float
        Standard deviation of the speed from person to person, and from stride to stride.
    height_sd : float
        Of a person of unknown height, as a share of it.
    contact_sd_s : float
        Standard deviation of a contact against instrumented insoles.
    turn_rad : float
        A stride that turns more is no steady one.
    running_mps2 : float
        RMS of the vertical acceleration; walking at 1.9 m/s reaches 5.7, jogging 6.2.
    """

    step_band_hz: tuple[float, float] = (0.5, 2.8)
    least_mps2: float = 0.5
    contact_before_s: float = 0.045
    longest_step_s: float = 1.5
    least_steps: int = 5
    odd_end: float = 1.4
    stride_s: tuple[float, float] = (0.6, 2.5)
    longest_stride: float = 1.3
    pendulum: float = 0.73
    quickness: float = 0.25
    turning: float = 0.186
    person_sd_mps: float = 0.085
    stride_sd_mps: float = 0.16
    height_sd: float = 0.055
    contact_sd_s: float = 0.06
    turn_rad: float = 0.35
    running_mps2: float = 6.0


PELVIS = PelvisParameters()
# Leg length is 0.53 of body height (D. A. Winter, Biomechanics and Motor Control of Human
# Movement, 4th ed., figure 4.1: greater trochanter); of a person of unknown height, of 1.72 m.
LEG_SHARE = 0.53
UNKNOWN_HEIGHT_M = 1.72


@dataclass(frozen=True, slots=True)
class _Legs:
    """Length of a person's legs, and the share by which it makes a speed unsure."""

    length_m: float
    speed_share_sd: float


@dataclass(frozen=True, slots=True, eq=False)
class PelvisWalk:
    """What the pelvis alone tells of a span, in the order of time."""

    contacts: tuple[Contact, ...]
    strides: tuple[Stride, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Levelled:
    """Acceleration beyond gravity (n, 3) and yaw rate (n,) in a level frame."""

    time_s: NDArray[np.float64]
    rate_hz: float
    acc: NDArray[np.float64]
    yaw: NDArray[np.float64]
    valid: NDArray[np.bool_]


def walk_of_pelvis(
    span: Span, k: int, person: Person, parameters: PelvisParameters = PELVIS
) -> PelvisWalk:
    """Find steps and strides by the pelvis, the k-th segment of a span."""
    pelvis = _level(span, k)
    legs = _legs(person, parameters)
    contacts: list[Contact] = []
    strides: list[Stride] = []
    n_bouts = 0
    for steps in _runs(pelvis, parameters):
        landed = (pelvis.time_s[steps] - parameters.contact_before_s).tolist()
        contacts += [
            Contact(side=None, kind="ic", time_s=t, time_sd_s=parameters.contact_sd_s)
            for t in landed
        ]
        own = _strides(pelvis, steps, legs, n_bouts + 1, parameters)
        n_bouts += bool(own)
        strides += own
    return PelvisWalk(tuple(contacts), tuple(strides))


def _legs(person: Person, p: PelvisParameters) -> _Legs:
    if person.height_m is not None:
        return _Legs(LEG_SHARE * person.height_m, 0.0)
    # In `_speed` it stands to the power of (1 + quickness) / 2.
    return _Legs(LEG_SHARE * UNKNOWN_HEIGHT_M, p.height_sd * (1.0 + p.quickness) / 2.0)


def _level(span: Span, k: int) -> _Levelled:
    readings = levelled(span, k)
    free = rotate(readings.attitude, readings.acc)
    free[:, 2] -= GRAVITY_MPS2
    yaw = rotate(readings.attitude, readings.gyr)[:, 2]
    return _Levelled(span.time_s, span.rate_hz, free, yaw, span.valid[:, k])


def _runs(pelvis: _Levelled, p: PelvisParameters) -> list[NDArray[np.int64]]:
    """Ticks of the steps of each stretch of walking."""
    slow, fast = p.step_band_hz
    bobbing = lowpass(pelvis.acc[:, 2], pelvis.rate_hz, fast)
    bobbing -= lowpass(bobbing, pelvis.rate_hz, slow)
    steps = crests(bobbing, p.least_mps2)
    pauses = np.flatnonzero(np.diff(steps) > p.longest_step_s * pelvis.rate_hz) + 1
    runs = [_without_odd_ends(run, p) for run in np.split(steps, pauses) if len(run) > 1]
    return [run for run in runs if len(run) >= p.least_steps]


def _without_odd_ends(steps: NDArray[np.int64], p: PelvisParameters) -> NDArray[np.int64]:
    lasts = np.diff(steps)
    usual = np.flatnonzero(lasts <= p.odd_end * median(lasts))
    return steps[usual[0] : usual[-1] + 2]


def _strides(
    pelvis: _Levelled, steps: NDArray[np.int64], legs: _Legs, bout: int, p: PelvisParameters
) -> list[Stride]:
    shortest, longest = p.stride_s
    found = []
    last = len(steps) - 3
    usual = 2.0 * float(median(np.diff(steps))) / pelvis.rate_hz
    longest = min(longest, p.longest_stride * usual)
    for i, (begin, end) in enumerate(zip(steps[:-2], steps[2:], strict=True)):
        lasts = float(end - begin) / pelvis.rate_hz
        if not shortest <= lasts <= longest:
            continue
        turned = float(np.abs(pelvis.yaw[begin:end].sum())) / pelvis.rate_hz
        edge, lost = i in {0, 1, last - 1, last}, not pelvis.valid[begin:end].all()
        running = float(pelvis.acc[begin:end, 2].std()) > p.running_mps2
        marks = {
            "edge": edge,
            "turn": turned > p.turn_rad,
            "lost_samples": lost,
            "running": running,
        }
        # Nobody swings over the leg like a pendulum when running.
        speed = 0.0 if running else _speed(pelvis.acc[begin:end], lasts, turned, legs, p)
        sd = _speed_sd(speed, p.stride_sd_mps, legs, p)
        begin_s = float(pelvis.time_s[begin]) - p.contact_before_s
        found.append(
            Stride(
                side=None,
                bout=bout,
                stage="refined",
                initial_contact_s=begin_s,
                final_contact_s=None,
                next_initial_contact_s=begin_s + lasts,
                stride_length_m=None if running else speed * lasts,
                stride_length_sd_m=None if running else sd * lasts,
                stride_time_s=lasts,
                stride_time_sd_s=float(np.sqrt(2.0)) * p.contact_sd_s,
                speed_mps=None if running else speed,
                steady=not any(marks.values()),
                flags=("pelvis_only", *(name for name, hit in marks.items() if hit)),
            )
        )
    return found


def _speed(
    acc: NDArray[np.float64], lasts_s: float, turned_rad: float, legs: _Legs, p: PelvisParameters
) -> float:
    """Mean speed over a stride of two steps, m/s.

    Notes
    -----
    A mass that swings over a leg of length l by steps of length s and duration T rises and falls
    by s^2 / (8 l), so its vertical acceleration repeats with the steps at an amplitude a in
    proportion to s^2 / (l T^2): v ~ sqrt(l a), or v / sqrt(g l) ~ (a / g)^(1/2), both sides
    without unit (after W. Zijlstra and A. L. Hof, Gait Posture 18(2):1, 2003). Real walking needs
    the fore-aft amplitude added, which grows where the vertical one is damped; the cadence f as
    f sqrt(l / g), since short quick steps swing more like a pendulum than long slow ones, whose
    arc the knee and the ankle flatten; and less way for a pelvis that turns: docs/gait.md.
    """
    phase = np.exp(-4j * np.pi * np.arange(len(acc)) / len(acc))
    forth, left, up = 2.0 * np.abs(phase @ acc) / len(acc)
    share = (up + np.hypot(forth, left)) / GRAVITY_MPS2
    quickness = 2.0 / lasts_s * np.sqrt(legs.length_m / GRAVITY_MPS2)
    straight = max(1.0 - p.turning * turned_rad, 0.0)
    law = p.pendulum * np.sqrt(share) * quickness**p.quickness * straight
    return float(np.sqrt(GRAVITY_MPS2 * legs.length_m) * law)


def _speed_sd(speed_mps: float, stride_sd_mps: float, legs: _Legs, p: PelvisParameters) -> float:
    person_sd = np.hypot(p.person_sd_mps, legs.speed_share_sd * speed_mps)
    return float(np.hypot(person_sd, stride_sd_mps))


def pelvis_speed(rows: BoutRows, parameters: PelvisParameters = PELVIS) -> BoutSpeed | None:
    """Speed and length of a bout that the pelvis alone saw; None where it ran all the time."""
    known = np.isfinite(rows.every["stride_length_m"])
    if not known.any():
        return None
    lasts, lengths = rows.every["stride_time_s"][known], rows.every["stride_length_m"][known]
    # Strides overlap by a step: half of them are independent. What else their SD holds, they share.
    chance = parameters.stride_sd_mps**2
    all_sd = rows.every["stride_length_sd_m"][known] / lasts
    shared = max(float(np.mean(all_sd**2)) - chance, 0.0)
    sd = float(np.sqrt(shared + chance / max(len(lengths) / 2.0, 1.0)))
    return BoutSpeed(
        speed_mps=float(lengths.sum() / lasts.sum()),
        speed_sd_mps=sd,
        stride_length_m=float(lengths.mean()),
        stride_length_sd_m=sd * float(lasts.mean()),
    )
