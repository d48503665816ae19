"""Measures leg length on simulated people, and writes the figures into docs/leg-length.md.

    python -m tests.measure_leg_length [--people 600] [--write docs/leg-length.md]

Without `--write` the section is printed. Everything is drawn from fixed seeds: the same code gives
the same figures.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from edge.gait.leg_length import estimate_leg_length
from tests.clinic_people import SIZES_MM, WRONG, Spread, measure
from tests.clinic_person import person
from tests.clinic_walker import record, steady

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
HEADER = (
    "| references | SD mm | interval holds the truth | half-width mm | side stated at 10 mm |"
    " at 15 mm | estimate on the right side at 15 mm | refused |"
)
REFERENCES = {"bows": "bows", "bows and stool": "bows+seat", "all three": "bows+seat+caliper"}


def main() -> None:
    """Measure and print, or write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=600)
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    text = "\n".join(
        [*as_assumed(arguments.people), *as_not_assumed(arguments.people // 2), *without_errors()]
    )
    if arguments.write is None:
        print(text)  # noqa: T201
        return
    before, rest = arguments.write.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    arguments.write.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def as_assumed(n: int) -> list[str]:
    """People drawn with the spreads that the estimator assumes."""
    rows = []
    for name, references in REFERENCES.items():
        every = measure(references, Spread(), SIZES_MM, n)
        ten, fifteen = (measure(references, Spread(), (s, -s), n, seed=s) for s in (10, 15))
        rows.append(
            f"| {name} | {every.sd_mm:.2f} | {100 * every.coverage:.1f} % |"
            f" {every.half_width_mm:.1f} | {100 * ten.side_stated:.0f} % |"
            f" {100 * fifteen.side_stated:.0f} % | {100 * fifteen.right_side:.1f} % |"
            f" {100 * every.refused_share:.1f} % |"
        )
    return [
        f"{n} people a cell, drawn with the assumed spreads, -20 to 20 mm, hip width 172 +- 10 mm,",
        "six bows:",
        "",
        HEADER,
        "|---|---|---|---|---|---|---|---|",
        *rows,
        "",
    ]


def as_not_assumed(n: int) -> list[str]:
    """People who are not what the estimator assumes."""
    rows = []
    for name, spread in WRONG.items():
        cells = [measure(r, spread, (10, -10), n, seed=6) for r in REFERENCES.values()]
        rows.append(
            f"| {name} | {', '.join(f'{c.sd_mm:.1f}' for c in cells)} |"
            f" {', '.join(f'{c.coverage:.3f}' for c in cells)} |"
        )
    return [
        f"The same with wrong assumptions, {n} people a cell, 10 mm (bows, bows and stool, all):",
        "",
        "| people are really | SD mm | interval holds the truth |",
        "|---|---|---|",
        *rows,
        "",
    ]


def without_errors() -> list[str]:
    """Raw signals of the virtual person, five ideal sensors."""
    rows = []
    for true_mm in (0, 5, 10, 20, -20):
        recording = record(steady(true_mm / 1e3), seat=True)
        result = estimate_leg_length(recording.span, recording.phases, person())
        rows.append(
            f"| {true_mm} | {result.difference_mm:.2f} | {true_mm / 2:.1f} |"
            f" {result.pelvic_midstance_difference_mm:.2f} |"
            f" {result.dynamic_minus_standing_mm:.2f} |"
        )
    return [
        "From the raw signals of the virtual person without any error, mm:",
        "",
        "| true difference | measured | true D | measured D | walking minus standing (true 0) |",
        "|---|---|---|---|---|",
        *rows,
    ]


if __name__ == "__main__":
    main()
