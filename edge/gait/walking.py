"""Walking in one span: contacts, strides, bouts and the ways of the feet."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from edge.results import Contact, Stride
from sensors import Segment, Side

from .bout_rows import rows_of
from .bouts import bout_numbers, describe_bout, stride_flags
from .confirmation import event_conflicts
from .metrics import FAMILIES, WAY
from .motion import foot_motion
from .pelvis import walk_of_pelvis
from .strides import Body, find_strides
from .timing import contact_sds, impossible
from .upper import pelvis_motion, shank_motion
from .walk import Path, Walk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edge.results import Bout, Person
    from edge.timegrid import Span

    from .bout_rows import BoutRows
    from .metrics import Family
    from .segment import SegmentMotion, Worn
    from .strides import Strides

FEET = {Segment.LEFT_FOOT: Side.LEFT, Segment.RIGHT_FOOT: Side.RIGHT}
SHANKS = {Segment.LEFT_SHANK: Side.LEFT, Segment.RIGHT_SHANK: Side.RIGHT}
SHANK_OF = {side: segment for segment, side in SHANKS.items()}
# A sensor that gave fewer of its samples is taken for absent.
LEAST_VALID = 0.5
NOBODY_STOOD: Mapping[Segment, Worn] = MappingProxyType({})


def analyse_walking(
    span: Span, person: Person, standing: Mapping[Segment, Worn] = NOBODY_STOOD
) -> Walk:
    """Find contacts, strides and bouts in a span.

    Parameters
    ----------
    span : Span
        Any subset of the five segments, mounted in any way.
    person : Person
        What is known of the person; may be empty.
    standing : mapping of Segment to Worn
        `Walk.standing` of the part before of the same walk.

    Returns
    -------
    Walk
        In the order of time. A number that cannot be given is None, and `flags` say why.

    Notes
    -----
    Pure: same span, same bits.
    """
    if not len(span):
        return Walk()
    if _is_pelvis_alone(span):
        alone = walk_of_pelvis(span, span.segments.index(Segment.PELVIS), person)
        return Walk(alone.contacts, alone.strides, **_bouts(alone.strides))
    body = follow_body(span, follow_feet(span, standing), standing)
    strides = stride_records(body)
    return Walk(
        contacts=_contacts(body),
        strides=strides,
        **_bouts(strides),
        paths={
            segment: Path(span.time_s, body.strides[side].position_m)
            for segment, side in FEET.items()
            if side in body.strides
        },
        standing={
            segment: motion.worn for segment, motion in body.motions.items() if motion.upright_known
        },
    )


def worn_segments(segments: Sequence[Segment], valid: NDArray[np.bool_]) -> tuple[Segment, ...]:
    """Those of k segments that gave enough of their samples, `valid` (n, k)."""
    share = valid.mean(axis=0)
    return tuple(s for s, known in zip(segments, share, strict=True) if known > LEAST_VALID)


def _is_pelvis_alone(span: Span) -> bool:
    worn = worn_segments(span.segments, span.valid)
    return Segment.PELVIS in worn and not FEET.keys() & set(worn)


def _bouts(strides: tuple[Stride, ...]) -> _Bouts:
    """`bouts` and `rows` of a walk."""
    numbers = sorted({s.bout for s in strides} - {0})
    rows = {n: rows_of([s for s in strides if s.bout == n]) for n in numbers}
    return {"bouts": tuple(describe_bout(n, own) for n, own in rows.items()), "rows": rows}


class _Bouts(TypedDict):
    bouts: tuple[Bout, ...]
    rows: dict[int, BoutRows]


def follow_feet(span: Span, standing: Mapping[Segment, Worn] = NOBODY_STOOD) -> dict[Side, Strides]:
    """Strides of the feet of a span, each with the movement of its foot."""
    found: dict[Side, Strides] = {}
    for k, segment in enumerate(span.segments):
        if segment in FEET:
            foot = foot_motion(span, k, standing.get(segment))
            strides = None if foot is None else find_strides(FEET[segment], foot)
            if strides is not None:
                found[FEET[segment]] = strides
    return found


def follow_body(
    span: Span,
    feet: Mapping[Side, Strides],
    standing: Mapping[Segment, Worn] = NOBODY_STOOD,
) -> Body:
    """Movement of every segment of a span in which these strides were made."""
    motions: dict[Segment, SegmentMotion] = {}
    if not feet:
        return Body(feet, motions)
    for k, segment in enumerate(span.segments):
        motion: SegmentMotion | None = None
        if segment in FEET:
            motion = feet[FEET[segment]].motion if FEET[segment] in feet else None
        elif segment in SHANKS:
            own = feet.get(SHANKS[segment])
            swings = None if own is None else own.swing
            motion = shank_motion(span, k, swings, standing.get(segment))
        elif segment is Segment.PELVIS:
            motion = pelvis_motion(span, k, standing.get(segment))
        if motion is not None:
            motions[segment] = motion
    return Body(feet, motions)


def _contacts(body: Body) -> tuple[Contact, ...]:
    found: list[Contact] = []
    for side, strides in body.strides.items():
        landed_sd, left_sd = (sds.tolist() for sds in contact_sds(strides))
        found += [
            Contact(side=side, kind="ic", time_s=t, time_sd_s=sd)
            for t, sd in zip(strides.end_s.tolist(), landed_sd, strict=True)
        ]
        found += [
            Contact(side=side, kind="fc", time_s=t, time_sd_s=sd)
            for t, sd in zip(strides.final_contact_s.tolist(), left_sd, strict=True)
        ]
    return tuple(sorted(found, key=lambda c: c.time_s))


def stride_records(
    body: Body,
    wanted: Mapping[Side, NDArray[np.bool_]] | None = None,
    families: Sequence[Family] = FAMILIES,
) -> tuple[Stride, ...]:
    """Records of strides, in the order in which they ended.

    Parameters
    ----------
    body : Body
        With all strides that are known: neighbours tell bouts and what is usual.
    wanted : mapping of Side to (m,) bool, optional
        Those strides of a foot that are given; without it all of both feet.
    families : sequence of Family
        Metrics that are computed.
    """
    ended = sorted((t, side, i) for side, s in body.strides.items() for i, t in enumerate(s.end_s))
    bouts = bout_numbers(np.array([t for t, _, _ in ended]), len(body.strides))
    bout_of = {(side, i): int(b) for (_, side, i), b in zip(ended, bouts, strict=True)}
    if wanted is None:
        wanted = {side: np.ones(len(s), dtype=bool) for side, s in body.strides.items()}
    records: dict[tuple[Side, int], Stride] = {}
    for side, chosen in wanted.items():
        strides = body.strides[side]
        bout = np.array([bout_of[side, i] for i in range(len(strides))])
        records |= _records(strides, body, bout, np.flatnonzero(chosen).tolist(), families)
    return tuple(records[side, i] for _, side, i in ended if (side, i) in records)


def _records(
    strides: Strides,
    body: Body,
    bout: NDArray[np.int64],
    chosen: Sequence[int],
    families: Sequence[Family],
) -> dict[tuple[Side, int], Stride]:
    columns: dict[str, NDArray[np.float64]] = {}
    wrong = impossible(strides)
    for family in families:
        for name, values in family.columns(strides, body).items():
            # The way is known without the contacts; all else hangs on them.
            columns[name] = values if family is WAY else np.where(wrong, np.nan, values)
    time_s = strides.motion.time_s
    from_s, to_s = time_s[strides.still_before], time_s[strides.still_after]
    # A foot that had been standing has no initial contact before the swing.
    stood = np.minimum(from_s, strides.final_contact_s)
    begin = np.where(np.isnan(strides.begin_s), stood, strides.begin_s)
    flags, steady = stride_flags(strides, bout)
    unknown = np.isnan(columns["stride_length_m"])
    _add_flag(flags, "length_unknown", unknown)
    shank = body.motions.get(SHANK_OF[strides.side])
    if shank is not None:
        _add_flag(flags, "event_conflict", event_conflicts(strides, shank))
    flat_s = time_s[strides.flat_from].tolist(), time_s[strides.flat_to - 1].tolist()
    told: dict[str, list[Any]] = {
        "side": [strides.side] * len(strides),
        "bout": bout.tolist(),
        "stage": ["refined"] * len(strides),
        "initial_contact_s": begin.tolist(),
        "final_contact_s": strides.final_contact_s.tolist(),
        "next_initial_contact_s": strides.end_s.tolist(),
        "foot_flat_s": list(zip(*flat_s, strict=True)),
        "length_from_s": from_s.tolist(),
        "length_to_s": to_s.tolist(),
        "steady": (steady & ~unknown).tolist(),
        "flags": flags,
    }
    told |= {name: _none_for_nan(values) for name, values in columns.items()}
    rows = list(zip(*told.values(), strict=True))
    return {
        (strides.side, i): Stride.model_validate(dict(zip(told, rows[i], strict=True)))
        for i in chosen
    }


def _add_flag(flags: list[tuple[str, ...]], name: str, hit: NDArray[np.bool_]) -> None:
    for i in np.flatnonzero(hit):
        flags[i] = (*flags[i], name)


def _none_for_nan(values: NDArray[np.float64]) -> list[float | None]:
    told: list[float | None] = values.tolist()
    for i in np.flatnonzero(np.isnan(values)):
        told[i] = None
    return told
