"""Measures every metric of a stride against the exact truth of virtual people.

    python -m tests.measure_gait [--people 24] [--write docs/validation.md]

Speeds from 0.5 to 1.7 m/s, the two legs of each person drawn apart, sensors strapped on any way
round, with bias and noise, on skin that turns and rings. The figures become a section of a page.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from edge.gait import analyse_walking
from edge.gait.metrics import FAMILIES, unit_of
from edge.results import Person
from sensors import Segment, Side
from tests.gait_truth import SKINS, any_sensors, beside_truth, describe_walk, span_of, walk_of
from tests.pages import write_section

SPEEDS_MPS = (0.5, 0.8, 1.1, 1.4, 1.7)
CONDITIONS = {"bolted": (False, None), "worn": (True, SKINS)}
STEPS = 80
UNIT_SCALE = {"s": (1000.0, "ms"), "m": (1000.0, "mm"), "m/s": (1000.0, "mm/s")}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=24)
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    text = section(arguments.people)
    if arguments.write:
        write_section(arguments.write, "gait", text)
    else:
        sys.stdout.write(text + "\n")


def walks(people):
    """Walks with truth, by condition: mean error, spread, truth and coverage of each field."""
    for i in range(people):
        for condition, (imperfect, skins) in CONDITIONS.items():
            rng = np.random.default_rng(1000 + i)
            walker = walk_of(rng, SPEEDS_MPS[i % len(SPEEDS_MPS)], STEPS)
            span = span_of(walker, any_sensors(rng) if imperfect else None, skins)
            walk = describe_walk(analyse_walking(span, Person()), tuple(Segment))
            yield condition, SPEEDS_MPS[i % len(SPEEDS_MPS)], walk, beside_truth(walk, walker)


def collect(people):
    """Rows (condition, speed, field): errors of sides, of differences, and intervals that held."""
    rows = {}
    for condition, speed_mps, walk, table in walks(people):
        intervals = {(m.name, m.side): m for group in walk.metrics for m in group.metrics}
        for field in {name for name, _ in table}:
            row = rows.setdefault((condition, field), [])
            means = {}
            for side in Side:
                pairs = table[field, side]
                pairs = pairs[np.isfinite(pairs).all(axis=1)]
                if len(pairs) < 2:
                    continue
                error = pairs[:, 0] - pairs[:, 1]
                means[side] = error.mean()
                found = intervals[field, side.value].interval
                held = found is not None and found[0] <= pairs[:, 1].mean() <= found[1]
                row.append((speed_mps, error.mean(), error.std(), held, np.nan))
            if len(means) == 2:
                apart = means[Side.RIGHT] - means[Side.LEFT]
                row.append((speed_mps, np.nan, np.nan, np.nan, apart))
    return {key: np.array(row, dtype=float) for key, row in rows.items()}


HEAD = """## Metrics of a stride

{people} virtual people, {slow} to {fast} m/s, legs drawn apart, {steps} steps each, five sensors at
200 Hz. Bolted: ideal sensors on the bone. Worn: mounted at random, accelerometer bias 30 mm/s²,
gyroscope bias 0.3 °/s, noise, skin that turns and rings under shanks and pelvis.
Measured by `python -m tests.measure_gait --write docs/validation.md`.

Mean: error of the mean of a walk and side, mean and SD over people; slow and fast: its mean below
0.9 and above 1.3 m/s. Stride: SD within a walk. Difference: error of right minus left, RMS. Held:
share of the 95 % intervals of means that hold the truth; they are wide on purpose, for fittings,
skin and people that the walker does not have.

| field | unit | bolted, mean | worn, mean | slow | fast | stride | difference | held |
|---|---|---|---|---|---|---|---|---|
"""


def section(people):
    rows = collect(people)
    head = HEAD.format(people=people, slow=SPEEDS_MPS[0], fast=SPEEDS_MPS[-1], steps=STEPS)
    lines = [line_of(field, rows) for family in FAMILIES for field in family.system_sd]
    return head + "\n".join(lines)


def line_of(field, rows):
    scale, unit = UNIT_SCALE.get(unit_of(field), (1.0, unit_of(field).replace("deg", "°")))
    bolted, worn = rows["bolted", field], rows["worn", field]
    speed = worn[:, 0]

    def text(value):
        return "" if np.isnan(value) else f"{float(f'{scale * value:.2g}') + 0.0:.4g}"

    def mean_sd(row):
        return f"{text(np.nanmean(row[:, 1]))} ± {text(np.nanstd(row[:, 1], ddof=1))}"

    cells = [
        f"`{field}`",
        "" if unit == "1" else unit,
        mean_sd(bolted),
        mean_sd(worn),
        text(np.nanmean(worn[speed < 0.9, 1])),
        text(np.nanmean(worn[speed > 1.3, 1])),
        text(np.sqrt(np.nanmean(worn[:, 2] ** 2))),
        text(np.sqrt(np.nanmean(worn[:, 4] ** 2))),
        f"{100 * np.nanmean(worn[:, 3]):.0f} %",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
