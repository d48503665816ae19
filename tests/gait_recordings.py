"""What is found on real recordings beside their truth: errors, stated deviations, counts.

Recordings made by other people, in the folder `EVENSTRIDE_DATA` (docs/gait.md names them). Each
function takes a file and gives a `Tally`; the keys are what `tests/measure_recordings.py` prints.
"""

from __future__ import annotations

import re
import tempfile
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np

from edge.analyze import analyse_recording
from edge.sources import open_recording

# A contact further than this from its reference is another one.
NEAR_S = 0.25
# A shorter way of a marker is no stride.
LEAST_WAY_M = 0.15
# A stride that lasts this long or longer is walking.
WALKING_S = 0.9
# The optical scale of `pyshoe_vicon` is in doubt: all methods come out that much short.
CIRCLES_SCALE = 0.982
# Of a reference bout, to be found.
LEAST_OVERLAP = 0.3
PELVIS_KEY = re.compile(r"(t|fs|info|pelvis_(acc|gyr|measured))$")


class Tally:
    """Errors with their stated standard deviations, NaN where none is stated, and counts."""

    def __init__(self):
        self.errors = defaultdict(list)
        self.counts = defaultdict(int)

    def add(self, name, error, stated_sd=np.nan):
        if error is not None and np.isfinite(error):
            self.errors[name].append((error, np.nan if stated_sd is None else stated_sd))

    def __add__(self, other):
        both = Tally()
        for tally in (self, other):
            for name, rows in tally.errors.items():
                both.errors[name] += rows
            for name, n in tally.counts.items():
                both.counts[name] += n
        return both


def analysed(path, *, pelvis_alone=False):
    """Truth and analysis of a recording, of all its sensors or of the pelvis alone."""
    with np.load(path) as data:
        truth = dict(data)
    if not pelvis_alone:
        return truth, analyse_recording(open_recording(path))
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "pelvis.npz")
        np.savez(copy, **{k: v for k, v in truth.items() if PELVIS_KEY.match(k)})
        return truth, analyse_recording(open_recording(copy))


def shoes(path):
    """Both shoes beside heel markers: contacts, stride times, lengths."""
    truth, analysis = analysed(path)
    tally = Tally()
    for side in ("left", "right"):
        strides = truth[f"{side}_strides_t"]
        _contacts(tally, analysis, side, strides[:, 3], strides[:, 4])
        heel = truth[f"mocap_{side}_heel"][:, :2].astype(float)
        marker = _Marker(truth["mocap_t"], heel)
        inside = strides[0, 0], strides[-1, 1]
        _lengths(tally, [s for s in analysis.strides if s.side == side], marker, inside)
    return tally


def clinic(path):
    """Both feet beside annotated contacts."""
    truth, analysis = analysed(path)
    tally = Tally()
    for side in ("left", "right"):
        marks = truth[f"{side}_swing_to_ic_t"][1:]
        _contacts(tally, analysis, side, marks[:, 1], marks[:, 0])
    return tally


def circles(path):
    """One shoe beside its optical position, seen from below."""
    truth, analysis = analysed(path)
    tally = Tally()
    time_s = truth["t"]
    marker = _Marker(time_s, truth["mocap_foot_xy"].astype(float))
    stands = time_s[np.clip(truth["stance_index"].astype(int), 0, len(time_s) - 1)]
    spans = [span for span in pairwise(stands) if marker.way(*span) >= LEAST_WAY_M]
    middles = [marker.half_way(*span) for span in spans]
    given = [s for s in analysis.strides if s.stride_length_m is not None]
    tally.counts["strides_true"] = len(spans)
    tally.counts["strides_found"] = sum(
        any(s.length_from_s <= middle <= s.length_to_s for s in given) for middle in middles
    )
    _lengths(tally, given, marker, (stands[0], stands[-1]), scale=CIRCLES_SCALE)
    path_found = analysis.trajectory["right_foot"]
    found = np.array(path_found.position_m)[:, :2]
    at = [np.interp(time_s, path_found.time_s, found[:, axis]) for axis in range(2)]
    tally.add("path", _distance(np.stack(at, axis=1), marker.at(time_s) * [1.0, -1.0]))
    return tally


def loop(path):
    """One foot that ends where it began."""
    _, analysis = analysed(path)
    (way,) = analysis.trajectory.values()
    tally = Tally()
    tally.add("loop", float(np.linalg.norm(np.subtract(way.position_m[-1], way.position_m[0]))))
    return tally


def home(path, system):
    """The pelvis alone beside cameras (`stereophoto`) or insoles (`indip`)."""
    truth, analysis = analysed(path)
    tally = Tally()
    if f"{system}_wb_start_end" not in truth:
        return tally
    contacts = np.array([c.time_s for c in analysis.contacts])
    inside = np.zeros(len(contacts), dtype=bool)
    for i, (from_s, to_s) in enumerate(truth[f"{system}_wb_start_end"]):
        inside |= (contacts >= from_s - 0.1) & (contacts <= to_s + 0.1)
        tally.counts["bouts_true"] += 1
        strides = [s for s in analysis.strides if s.speed_mps is not None]
        strides = [s for s in strides if _overlap(s, from_s, to_s) > 0.0]
        if sum(_overlap(s, from_s, to_s) for s in strides) < LEAST_OVERLAP * (to_s - from_s):
            continue
        tally.counts["bouts_found"] += 1
        lasts = np.array([s.stride_time_s for s in strides])
        bout = next(b for b in analysis.bouts if b.bout == strides[0].bout)
        speed = np.average([s.speed_mps for s in strides], weights=lasts)
        length = np.average([s.stride_length_m for s in strides], weights=lasts)
        tally.add("speed", speed - float(truth[f"{system}_wb_speed"][i]), bout.speed_sd_mps)
        true_m = float(truth[f"{system}_wb_stride_length_mean"][i])
        tally.add("length", length - true_m, bout.stride_length_sd_m)
        cadence = 120.0 * len(strides) / lasts.sum()
        tally.add("cadence", cadence - float(truth[f"{system}_wb_cadence"][i]))
    marks = truth[f"{system}_wb_ics"][:, 1]
    _count(tally, "ic", contacts[inside], marks[np.isfinite(marks)])
    return tally


def pelvis_beside_feet(path):
    """Speeds (m, 2) by the pelvis alone and by the feet, with times (m,), stride by stride.

    And the trial's speed by the feet with starts and stops, and the stated SD of the pelvis' bout.
    """
    _, with_feet = analysed(path)
    _, alone = analysed(path, pelvis_alone=True)
    rows = []
    for stride in alone.strides:
        if stride.speed_mps is None:
            continue
        moments = np.array([stride.initial_contact_s, stride.next_initial_contact_s])
        ways = [np.diff(_walked(with_feet.strides, side, moments))[0] for side in ("left", "right")]
        ways = [way for way in ways if np.isfinite(way)]
        if ways:
            rows.append((stride.speed_mps, np.mean(ways) / stride.stride_time_s, np.ptp(moments)))
    rows = np.array(rows)
    bouts = [b for b in with_feet.bouts if b.speed_mps is not None]
    lasts = [b.end_s - b.start_s for b in bouts]
    whole = np.average([b.speed_mps for b in bouts], weights=lasts)
    longest = max(alone.bouts, key=lambda b: b.n_strides)
    return rows[:, :2], rows[:, 2], whole, longest.speed_sd_mps


def _walked(strides, side, moments_s):
    """Way of a foot since the first stride at some moments, a straight line over each stride.

    NaN where a stride has no length.
    """
    own = [s for s in strides if s.side == side]
    times = np.array([(s.length_from_s, s.length_to_s) for s in own]).ravel()
    lengths = np.array([s.stride_length_m for s in own], dtype=float)
    ends = np.cumsum(np.nan_to_num(lengths))
    ways = np.stack([ends - np.nan_to_num(lengths), ends], axis=1)
    ways[np.isnan(lengths)] = np.nan
    return np.interp(moments_s, times, ways.ravel(), left=np.nan, right=np.nan)


class _Marker:
    """Plane way of a marker (n, 2) over its times (n,), gaps bridged."""

    def __init__(self, time_s, place_m):
        seen = np.isfinite(place_m).all(axis=1)
        self.time_s, self.place_m = time_s[seen], place_m[seen]

    def at(self, time_s):
        return np.stack([np.interp(time_s, self.time_s, p) for p in self.place_m.T], axis=-1)

    def way(self, from_s, to_s):
        return float(np.linalg.norm(self.at(to_s) - self.at(from_s)))

    def half_way(self, from_s, to_s):
        """When half of the way is made: surely in the swing."""
        inside = (self.time_s >= from_s) & (self.time_s <= to_s)
        since = self.place_m[inside] - self.at(from_s)
        chord = self.at(to_s) - self.at(from_s)
        return self.time_s[inside][np.argmax(since @ chord >= 0.5 * chord @ chord)]


def _lengths(tally, strides, marker, inside, scale=1.0):
    for stride in strides:
        from_s, to_s = stride.length_from_s, stride.length_to_s
        true_m = marker.way(from_s, to_s)
        within = inside[0] < (from_s + to_s) / 2.0 < inside[1] and to_s <= marker.time_s[-1] + 0.02
        if stride.stride_length_m is None or not within or true_m < LEAST_WAY_M:
            continue
        error, sd = stride.stride_length_m - true_m, stride.stride_length_sd_m
        tally.add("length", error, sd)
        kind = "walking" if to_s - from_s >= WALKING_S else "jogging"
        tally.add(f"{kind} length", error)
        # Whether the interval holds is asked of the method, not of the scale of the cameras.
        tally.add(f"{kind} length, scaled", stride.stride_length_m / scale - true_m, sd)
        tally.add(f"{kind} speed", stride.speed_mps - true_m / (to_s - from_s))


def _contacts(tally, analysis, side, landed_s, left_s):
    own = [c for c in analysis.contacts if c.side == side]
    for kind, marks in (("ic", landed_s), ("fc", left_s)):
        found = [c for c in own if c.kind == kind]
        times = np.array([c.time_s for c in found])
        for i, j in _count(tally, kind, times, marks):
            tally.add(kind, times[i] - marks[j], found[i].time_sd_s)
    for stride in (s for s in analysis.strides if s.side == side):
        first = int(np.argmin(np.abs(landed_s - stride.initial_contact_s)))
        ends = np.array([stride.initial_contact_s, stride.next_initial_contact_s])
        marks = landed_s[first : first + 2]
        if len(marks) < 2 or np.abs(ends - marks).max() >= NEAR_S or stride.stride_time_s is None:
            continue
        tally.add("stride time", stride.stride_time_s - np.diff(marks)[0], stride.stride_time_sd_s)


def _count(tally, kind, found_s, marks_s):
    """Pairs of a found contact and the nearest mark that is still free; counted with the rest."""
    pairs, taken = [], set()
    for i, at_s in enumerate(found_s):
        nearest = int(np.argmin(np.abs(marks_s - at_s)))
        if abs(marks_s[nearest] - at_s) < NEAR_S and nearest not in taken:
            taken.add(nearest)
            pairs.append((i, nearest))
    inside = (found_s > marks_s[0] - NEAR_S) & (found_s < marks_s[-1] + NEAR_S)
    tally.counts[f"{kind}_true"] += len(marks_s)
    tally.counts[f"{kind}_found"] += len(pairs)
    tally.counts[f"{kind}_extra"] += int(inside.sum()) - len(pairs)
    return pairs


def _overlap(stride, from_s, to_s):
    return min(to_s, stride.next_initial_contact_s) - max(from_s, stride.initial_contact_s)


def _distance(found, true):
    """RMS distance of two plane ways (n, 2) after the best turn and shift."""
    found, true = found - found.mean(axis=0), true - true.mean(axis=0)
    u, _, vt = np.linalg.svd(found.T @ true)
    turn = u @ np.diag([1.0, np.sign(np.linalg.det(u @ vt))]) @ vt
    return float(np.sqrt(((found @ turn - true) ** 2).sum(axis=1).mean()))
