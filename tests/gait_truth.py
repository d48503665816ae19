"""What every metric of a stride should be: exact motions of a virtual person put through it.

Where the virtual walker states a number by itself (contacts, strides, steps, chain), that number
is the truth; what it does not state comes from the metric's own formula on the exact motion.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

import numpy as np

from cext.quaternion import conjugate, multiply, rotate
from edge.gait.metrics import FAMILIES
from edge.gait.metrics.describe import describe_strides, table_of
from edge.gait.metrics.pronation import TYPICAL_TOE_OUT_RAD
from edge.gait.metrics.windows import OUTWARD
from edge.gait.segment import SegmentMotion, Worn
from edge.gait.strides import Body, Strides
from edge.timegrid import Span
from sensors import Segment, Side
from sensors.virtual import Imperfections, Skin, Stand, Walk, Walker
from sensors.virtual.signals import GRAVITY_MPS2, PLACES_M
from sensors.virtual.walker import FEET
from tests.virtual_walks import any_person

RATE_HZ = 200.0
# Fields of `Stride` and where the walker's truth has them.
STRIDE_TRUTH = {
    "stride_time_s": "stride_time_s",
    "stance_time_s": "stance_time_s",
    "swing_time_s": "swing_time_s",
    "stride_length_m": "length_m",
    "foot_strike_angle_deg": "strike_angle_rad",
    "push_off_angle_deg": "push_off_angle_rad",
    "landing_inversion_deg": "landing_inversion_rad",
}
CHAIN_TRUTH = {
    "clearance_m": "sensor_clearance_m",
    "eversion_rate_degps": "eversion_rate_radps",
    "push_off_rate_degps": "push_off_rate_radps",
    "ankle_push_off_rate_degps": "ankle_push_off_rate_radps",
    "ankle_range_deg": "ankle_range_rad",
    "shank_range_deg": "shank_range_rad",
    "shank_swing_rate_degps": "shank_swing_rate_radps",
    "shank_rotation_deg": "shank_rotation_rad",
    "shank_lean_change_deg": "shank_lean_change_rad",
    "shank_shock_g": "shank_shock_g",
    "pelvis_shock_g": "pelvis_shock_g",
    "obliquity_range_deg": "obliquity_range_rad",
    "pelvic_tilt_range_deg": "tilt_range_rad",
    "pelvic_rotation_range_deg": "rotation_range_rad",
    "pelvic_drop_deg": "pelvic_drop_rad",
}
# Skin under shank and pelvis sensors, docs/gait.md.
SKINS = {
    Segment.LEFT_SHANK: Skin(stride_turn=(0.0, 0.0, 0.02)),
    Segment.RIGHT_SHANK: Skin(stride_turn=(0.0, 0.0, 0.02)),
    Segment.PELVIS: Skin(
        ring_turn=(0.0, 0.0, 0.0), ring_shift_m=(0.0, 0.0, 0.0), stride_turn=(0.010, 0.0, 0.0)
    ),
}


def walk_of(rng, speed_mps, steps=40):
    """A drawn person who walks at a speed, with the cadence usual at it."""
    cadence = 60.0 * speed_mps / (0.42 + 0.18 * speed_mps)
    plan = [Stand(3), Walk(steps, speed_mps, cadence_spm=cadence), Stand(2)]
    return Walker(any_person(rng), plan, seed=int(rng.integers(1 << 30)))


def any_sensors(rng, segments=tuple(Segment)):
    """Sensors strapped on any way round, with bias and noise."""
    how = {}
    for segment in segments:
        q = rng.normal(size=4)
        how[segment] = Imperfections(
            q_sensor_to_segment=tuple(q / np.linalg.norm(q)),
            gyr_bias=tuple(rng.normal(0, 0.005, 3)),
            acc_bias=tuple(rng.normal(0, 0.03, 3)),
            gyr_noise=0.003,
            acc_noise=0.03,
            seed=int(rng.integers(1 << 30)),
        )
    return how


def span_of(walker, how=None, skins=None, segments=tuple(Segment), rate_hz=RATE_HZ):
    """What sensors on a walker read, as a span."""
    time_s = np.arange(0.0, walker.end_s, 1.0 / rate_hz)
    readings = [
        walker.sensor(s, (how or {}).get(s), (skins or {}).get(s))(time_s) for s in segments
    ]
    gyr = np.stack([r.gyr for r in readings], axis=1)
    acc = np.stack([r.acc for r in readings], axis=1)
    valid = np.ones(gyr.shape[:2], dtype=bool)
    return Span(rate_hz, 0.0, segments, gyr, acc, None, valid, ~valid)


def describe_walk(walk, segments):
    """The same walk with the metrics of its bouts, as the pipeline describes bouts that end."""
    found = [
        describe_strides(
            bout.bout, table_of([s for s in walk.strides if s.bout == bout.bout]), segments
        )
        for bout in walk.bouts
    ]
    return replace(walk, metrics=tuple(chain.from_iterable(found)))


def on_its_way(motion, side):
    """A foot's motion in the frame of its way, from which its shoe points outward as usual."""
    turn = -OUTWARD[side] * TYPICAL_TOE_OUT_RAD / 2.0
    q = np.array([np.cos(turn), 0.0, 0.0, np.sin(turn)])
    return replace(
        motion,
        gyr=rotate(conjugate(q), motion.gyr),
        acc=rotate(conjugate(q), motion.acc),
        q_segment_to_level=multiply(motion.q_segment_to_level, q),
    )


def exact_body(walker, rate_hz=RATE_HZ):
    """The walker as the metrics would see it if nothing were lost between motion and reading."""
    time_s = np.arange(0.0, walker.end_s, 1.0 / rate_hz)
    motions, places = {}, {}
    for segment in Segment:
        at = walker.motion(segment).evaluate(time_s).at_point(PLACES_M[segment])
        force = at.acceleration + np.array([0.0, 0.0, GRAVITY_MPS2])
        acc = np.einsum("nji,nj->ni", at.rotation, force)
        valid = np.ones(len(time_s), dtype=bool)
        q = at.q_segment_to_earth
        worn = Worn(np.eye(3), np.zeros(3))
        assert np.allclose(rotate(q, acc), force)
        motions[segment] = SegmentMotion(
            rate_hz, time_s, at.angular_rate, acc, q, valid, worn, upright_known=True
        )
        places[segment] = at
    for side, segment in FEET.items():
        motions[segment] = on_its_way(motions[segment], side)
    feet = {side: _strides(walker, side, motions, places) for side in Side}
    return Body(feet, motions)


def _strides(walker, side, motions, places):
    motion = motions[FEET[side]]
    true = walker.truth.strides_of(side)

    def moments(name):
        return np.array([getattr(stride, name) for stride in true])

    flat = motion.tick(moments("foot_flat_s")), motion.tick(moments("heel_off_s"))
    after = motion.tick(moments("next_foot_flat_s"))
    return Strides(
        side=side,
        motion=motion,
        position_m=places[FEET[side]].position,
        velocity_mps=places[FEET[side]].velocity,
        begin_s=moments("initial_contact_s"),
        final_contact_s=moments("final_contact_s"),
        end_s=moments("next_initial_contact_s"),
        swing=motion.tick((moments("final_contact_s") + moments("next_initial_contact_s")) / 2),
        still_before=(flat[0] + flat[1]) // 2,
        still_after=after,
        flat_from=flat[0] + 1,
        flat_to=flat[1],
        way_sd_m=np.full(len(true), 0.01),
    )


def true_columns(walker):
    """Truth of every field, by side: arrays over `walker.truth.strides_of(side)`."""
    body = exact_body(walker)
    columns = {}
    for side in Side:
        mine = {}
        for family in FAMILIES:
            mine |= dict(family.columns(body.strides[side], body))
        stated = zip(walker.truth.strides, walker.chain, strict=True)
        pairs = [(stride, chain) for stride, chain in stated if stride.side is side]
        for table, of in ((STRIDE_TRUTH, 0), (CHAIN_TRUTH, 1)):
            for field, name in table.items():
                values = np.array([getattr(pair[of], name) for pair in pairs])
                mine[field] = np.degrees(values) if "_deg" in field else values
        mine["speed_mps"] = mine["stride_length_m"] / mine["stride_time_s"]
        # Pitches of a shank are told against standing, when it leans forward.
        for field in (
            f"shank_pitch_at_{when}_deg" for when in ("contact", "midstance", "push_off")
        ):
            mine[field] = mine[field] - np.degrees(walker.person.standing_shank_pitch)
        mine |= _steps(walker, pairs)
        columns[side] = mine
    return columns


def _steps(walker, pairs):
    steps = {round(step.initial_contact_s, 6): step for step in walker.truth.steps}
    own = [steps.get(round(stride.initial_contact_s, 6)) for stride, _ in pairs]
    names = {
        "step_time_s": "step_time_s",
        "double_support_s": "double_support_s",
        "pelvic_step_advance_m": "pelvic_advance_m",
    }
    return {
        field: np.array([np.nan if s is None else getattr(s, name) for s in own], dtype=float)
        for field, name in names.items()
    }


def beside_truth(walk, walker, *, steady=True):
    """Found and true values of every field, by (field, side): arrays (k, 2)."""
    columns = true_columns(walker)
    table = {}
    for side in Side:
        found = [s for s in walk.strides if s.side == side and (s.steady or not steady)]
        true = walker.truth.strides_of(side)
        middle = np.array([(t.final_contact_s + t.next_initial_contact_s) / 2 for t in true])
        for stride in found:
            inside = (stride.final_contact_s < middle) & (middle < stride.next_initial_contact_s)
            for i in np.flatnonzero(inside):
                for family in FAMILIES:
                    for field in family.system_sd:
                        value = getattr(stride, field)
                        value = np.nan if value is None else value
                        row = (value, columns[side][field][i])
                        table.setdefault((field, side), []).append(row)
    return {key: np.array(rows) for key, rows in table.items()}
