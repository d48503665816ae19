"""Measures gait on real recordings: every figure by halves of the people, and what intervals hold.

    EVENSTRIDE_DATA=FOLDER python -m tests.measure_recordings [--write docs/validation.md]

Halves are people 1 to 5 and 6 to 10 of the clinic walks and every other recording of the circles.
Of the other sets there is one person each.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import numpy as np

from tests import gait_recordings as real
from tests.pages import write_section

Z_95 = 1.96
MM, MS = 1000.0, 1000.0
# Slower is standing about: its ratio says nothing.
LEAST_MPS = 0.2
# Set, figure, how it is computed, of which errors or counts, scale, unit.
ROWS = (
    ("shoes", "stride length, RMSE", "rms", "length", MM, "mm"),
    ("shoes", "stride length, SD", "sd", "length", MM, "mm"),
    ("shoes", "initial contacts, SD", "sd", "ic", MS, "ms"),
    ("shoes", "final contacts, SD", "sd", "fc", MS, "ms"),
    ("shoes", "initial contacts found", "found", "ic", 1.0, "%"),
    ("shoes", "initial contacts extra", "extra", "ic", 1.0, "%"),
    ("shoes", "stride time, SD", "sd", "stride time", MS, "ms"),
    ("shoes", "speed of a stride, mean", "mean", "walking speed", MM, "mm/s"),
    ("clinic", "initial contacts found", "found", "ic", 1.0, "%"),
    ("clinic", "initial contacts extra", "extra", "ic", 1.0, "%"),
    ("clinic", "final contacts found", "found", "fc", 1.0, "%"),
    ("clinic", "final contacts extra", "extra", "fc", 1.0, "%"),
    ("clinic", "initial contacts, SD", "sd", "ic", MS, "ms"),
    ("clinic", "final contacts, SD", "sd", "fc", MS, "ms"),
    ("clinic", "stride time, SD", "sd", "stride time", MS, "ms"),
    ("circles", "strides found", "found", "strides", 1.0, "%"),
    ("circles", "walking, stride length, mean", "mean", "walking length", MM, "mm"),
    ("circles", "walking, stride length, SD", "sd", "walking length", MM, "mm"),
    ("circles", "walking, the same, scale taken out", "sd", "walking length, scaled", MM, "mm"),
    ("circles", "jogging, the same, scale taken out", "sd", "jogging length, scaled", MM, "mm"),
    ("circles", "all, stride length, RMSE", "rms", "length", MM, "mm"),
    ("circles", "way, median of the RMS distances", "median", "path", MM, "mm"),
    ("loop", "end to start", "mean", "loop", MM, "mm"),
    ("home, cameras", "speed, RMSE", "rms", "speed", MM, "mm/s"),
    ("home, cameras", "stride length, RMSE", "rms", "length", MM, "mm"),
    ("home, cameras", "cadence, RMSE", "rms", "cadence", 1.0, "a minute"),
    ("home, cameras", "contacts found", "found", "ic", 1.0, "%"),
    ("home, cameras", "contacts extra", "extra", "ic", 1.0, "%"),
    ("home, insoles", "speed, RMSE", "rms", "speed", MM, "mm/s"),
    ("home, insoles", "stride length, RMSE", "rms", "length", MM, "mm"),
    ("home, insoles", "cadence, RMSE", "rms", "cadence", 1.0, "a minute"),
    ("home, insoles", "bouts found", "found", "bouts", 1.0, "%"),
    ("home, insoles", "contacts found", "found", "ic", 1.0, "%"),
    ("home, insoles", "contacts extra", "extra", "ic", 1.0, "%"),
    ("clinic, pelvis alone", "speed of a trial, left out, RMSE", "rms", "same", MM, "mm/s"),
    ("clinic, pelvis alone", "mean", "mean", "same", MM, "mm/s"),
    ("clinic, pelvis alone", "with starts and stops, RMSE", "rms", "whole", MM, "mm/s"),
)
HEAD = """## Gait on real recordings

Recordings and their truth: [gait.md](gait.md). Measured by
`python -m tests.measure_recordings --write docs/validation.md`. Halves: people 1 to 5 and 6 to 10
of the clinic, every other recording of the circles; elsewhere there is one person. Held: share of
the 95 % intervals, stated SD times 1.96, that hold the truth (of contacts, the constants by which
the sets define them otherwise are in it). Pelvis alone in the clinic: the scale of the law from
the other {others} people, speed of a trial against the person's own feet, over the same strides,
and against the bouts of the feet, which have starts and stops in them.

| set | figure | n | all | first half | second half | held |
|---|---|---|---|---|---|---|
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    folder = os.environ.get("EVENSTRIDE_DATA")
    if folder is None or not Path(folder).is_dir():
        sys.exit(f"EVENSTRIDE_DATA is {folder}; set it to the folder of the recordings")
    text = section(Path(folder))
    if arguments.write:
        write_section(arguments.write, "recordings", text)
    else:
        sys.stdout.write(text + "\n")


def section(folder):
    sets = tallies(folder)
    lines = [line_of(sets, *row) for row in ROWS]
    return HEAD.format(others=len(people_of(folder)) - 1) + "\n".join(lines)


def tallies(folder):
    """Of each set, the tallies of both halves, or of the one person."""
    walks = sorted((folder / "ipol_10m").glob("*.npz"))
    rounds = sorted((folder / "pyshoe_vicon").glob("*.npz"))
    rooms = sorted(folder.glob("mobgap_*.npz"))
    return {
        "shoes": [joined(map(real.shoes, folder.glob("gaitmap_mocap*.npz")))],
        "clinic": [joined(real.clinic(p) for p in walks if half_of(p) == h) for h in (0, 1)],
        "circles": [joined(map(real.circles, rounds[h::2])) for h in (0, 1)],
        "loop": [joined(map(real.loop, folder.glob("xio_*.npz")))],
        "home, cameras": [joined(real.home(p, "stereophoto") for p in rooms)],
        "home, insoles": [joined(real.home(p, "indip") for p in rooms)],
        "clinic, pelvis alone": left_out(people_of(folder)),
    }


def joined(tallies_of):
    return sum(tallies_of, real.Tally())


def half_of(path):
    return int(int(path.stem.split("-")[0]) > 5)


def people_of(folder):
    """Recordings with pelvis and both feet, by person; those of the clinic by their number."""
    people = {
        path.stem: [path]
        for pattern in ("gaittoolbox_*.npz", "qmt_*.npz")
        for path in folder.glob(pattern)
    }
    for path in sorted((folder / "ipol_10m").glob("*.npz")):
        people.setdefault(path.stem.split("-")[0], []).append(path)
    return people


def log_scale(speeds):
    """Logarithm by which the feet are faster than the pelvis says, mean over strides."""
    by_pelvis, by_feet = speeds[speeds.min(axis=1) > LEAST_MPS].T
    return np.mean(np.log(by_feet / by_pelvis))


def left_out(people):
    """Speeds of the clinic's people by the pelvis, each with the scale of all the others."""
    trials = {name: [real.pelvis_beside_feet(p) for p in paths] for name, paths in people.items()}
    scales = {name: np.mean([log_scale(s) for s, *_ in own]) for name, own in trials.items()}
    halves = real.Tally(), real.Tally()
    for name in filter(str.isdigit, people):
        scale = np.exp(np.mean([other for n, other in scales.items() if n != name]))
        tally = halves[int(name) > 5]
        for speeds, lasts_s, whole, sd in trials[name]:
            by_pelvis, by_feet = np.average(speeds, axis=0, weights=lasts_s)
            tally.add("same", scale * by_pelvis - by_feet, sd)
            tally.add("whole", scale * by_pelvis - whole)
    return list(halves)


def line_of(sets, name, figure, how, of, scale, unit):
    parts = sets[name]
    whole = joined(parts)
    n = whole.counts[f"{of}_true"] if how in {"found", "extra"} else len(whole.errors[of])
    values = [value_of(part, how, of) for part in ([whole, *parts] if len(parts) > 1 else [whole])]
    cells = [f"{scale * v:.3g} {unit}" for v in values] + [""] * (3 - len(values))
    return f"| {name} | {figure} | {n} | {' | '.join(cells)} | {held(whole, how, of)} |"


def value_of(tally, how, of):
    if how in {"found", "extra"}:
        return 100.0 * tally.counts[f"{of}_{how}"] / tally.counts[f"{of}_true"]
    errors = np.array(tally.errors[of])[:, 0]
    if how == "sd":
        return errors.std(ddof=1)
    return {"rms": np.sqrt(np.mean(errors**2)), "mean": errors.mean(), "median": np.median(errors)}[
        how
    ]


def held(tally, how, of):
    """Share of the stated intervals that hold the truth, beside figures of spread."""
    if how not in {"sd", "rms"}:
        return ""
    errors, sds = np.array(tally.errors[of]).T
    stated = np.isfinite(sds)
    if not stated.any():
        return ""
    return f"{100.0 * np.mean(np.abs(errors[stated]) <= Z_95 * sds[stated]):.0f} %"


if __name__ == "__main__":
    main()
