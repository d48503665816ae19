"""Virtual people of many kinds, walking with sensors strapped on any way round."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from calibration.trial import GroupTrial, Readings
from sensors import Segment
from sensors.virtual import Bow, Imperfections, Leg, Stand, VirtualPerson, Walk, Walker

RATE_HZ = 100.0


def any_rotation(rng) -> np.ndarray:
    """Uniform over all rotations, (3, 3)."""
    q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    return q * np.sign(np.linalg.det(q))


def any_person(rng) -> VirtualPerson:
    """A body and a manner of walking, the two legs drawn apart."""

    def leg() -> Leg:
        return Leg(
            stance_share=rng.uniform(0.60, 0.67),
            strike_angle=rng.uniform(0.2, 0.5),
            push_off_angle=rng.uniform(0.8, 1.15),
            toe_out=rng.normal(0.12, 0.07),
            landing_inversion=rng.normal(0.12, 0.04),
            lateral_lean=rng.normal(0.08, 0.03),
            pelvic_drop=rng.uniform(0.03, 0.10),
        )

    person = VirtualPerson(
        left=leg(),
        right=leg(),
        step_width_m=rng.uniform(0.07, 0.16),
        pelvic_rotation=rng.uniform(0.04, 0.12),
        pelvic_sway_m=rng.uniform(0.015, 0.04),
    )
    return person.mirrored() if rng.random() < 0.5 else person


def worn(walker: Walker, rng, segments=tuple(Segment), *, mounted=True):
    """Readings by segment with bias and noise; mounted at random, or along the segment."""
    time_s = np.arange(0, walker.end_s, 1 / RATE_HZ)
    readings = {}
    for segment in segments:
        q = rng.normal(size=4) if mounted else np.array([1.0, 0.0, 0.0, 0.0])
        how = Imperfections(
            q_sensor_to_segment=tuple(q / np.linalg.norm(q)),
            gyr_bias=tuple(rng.normal(0, 0.005, 3)),
            acc_bias=tuple(rng.normal(0, 0.05, 3)),
            gyr_noise=0.003,
            acc_noise=0.03,
            seed=int(rng.integers(1 << 30)),
        )
        read = walker.sensor(segment, how)(time_s)
        readings[segment.value] = (read.gyr, read.acc)
    return readings


def ten_steps(rng, steps=10):
    """Readings of a drawn person who stands, walks straight on and stands."""
    speed = rng.uniform(0.7, 1.6)
    cadence = 60 * speed / (0.42 + 0.18 * speed)
    plan = [Stand(2), Walk(steps, speed, cadence_spm=cadence), Stand(2)]
    return worn(Walker(any_person(rng), plan, seed=int(rng.integers(1 << 30))), rng)


def with_gaps(span, rng):
    """The span with straight lines over gaps of 20 to 300 ms, every two seconds or so."""
    gyr, acc, valid = span.gyr.copy(), span.acc.copy(), span.valid.copy()
    for k in range(len(span.segments)):
        first_s = rng.uniform(0.5, 2.0)
        while first_s < len(span) / span.rate_hz - 1.0:
            a = round(first_s * span.rate_hz)
            b = a + round(rng.choice([0.02, 0.05, 0.1, 0.2, 0.3]) * span.rate_hz)
            for readings in (gyr, acc):
                readings[a:b, k] = np.linspace(readings[a - 1, k], readings[b, k], b - a)
            valid[a:b, k] = False
            first_s += rng.uniform(1.0, 3.0)
    return replace(span, gyr=gyr, acc=acc, valid=valid)


FITTING_PLAN = [Stand(11), Walk(10, 1.2), Stand(3), Bow(5), Stand(3)]


def fitted(rng, folder, change=lambda name, gyr, acc, time_s: (gyr, acc)):
    """A person who stands, walks and bows with five sensors on, as a trial on disk."""
    walker = Walker(VirtualPerson(), FITTING_PLAN, seed=9)
    readings = worn(walker, rng)
    walked_s = walker.end_s - 3 - 20 - 0.5
    parts = {"stand": (0.5, 10.5), "walk": (9.5, walked_s), "bows": (walked_s - 1, walker.end_s)}
    trial = GroupTrial(folder, list(readings))
    for step, (start_s, stop_s) in parts.items():
        cut = slice(round(start_s * 100), round(stop_s * 100))
        trial.save(
            step,
            {
                name: _as_readings(name, *change(name, gyr, acc, np.arange(len(gyr)) / 100), cut)
                for name, (gyr, acc) in readings.items()
            },
        )
    return trial


def _as_readings(name, gyr, acc, cut):
    n = len(gyr)
    time_s = 100 + np.arange(n) / 100
    still = np.zeros(n, dtype=bool)
    return Readings(name, time_s[cut], gyr[cut], acc[cut], None, still[cut])
