"""Measures calibration and fitting, and writes the figures into docs/validation.md.

    python -m tests.measure_calibration [--draws 1000] [--data FOLDER] [--write docs/validation.md]

Without `--write` the section is printed. Everything is drawn from fixed seeds: the same code gives
the same figures.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from calibration.errors import Refused
from calibration.fits.accel import FACES, POSES, fit_accel
from calibration.fits.gyro import fit_gyro, read_turn
from calibration.fits.holds import read_hold
from calibration.fits.sphere import fibonacci
from calibration.fitting.alignment import LEAST_STEPS, Standing, bow_axis, read_standing, swing_axis
from calibration.fitting.kinds import wear
from calibration.fitting.placement import find_placement, pelvic_correlations
from calibration.fitting.steps import find_steps, level_motion
from calibration.limits import ALIGNMENT_SPREAD_RAD, MILLI_G
from sensors import Segment
from sensors.virtual import Bow, Stand, Walk, Walker
from tests.optical_alignment import axis_against_cameras
from tests.pages import write_section
from tests.test_placement import EXCHANGED_LABELS, SEVERAL, recording
from tests.virtual_bench import GRAVITY, BenchSensor
from tests.virtual_walks import RATE_HZ, any_person, ten_steps, worn

MADE = datetime(2026, 3, 1, tzinfo=UTC)
TURNS = [(face, n) for face in ("x_up", "y_up", "z_up") for n in (3, -3)]
SUBSETS = {
    "all that were worn": tuple(Segment),
    "both shoes": (Segment.LEFT_FOOT, Segment.RIGHT_FOOT),
    "one shoe and pelvis": (Segment.LEFT_FOOT, Segment.PELVIS),
    "both shins and pelvis": (Segment.LEFT_SHANK, Segment.RIGHT_SHANK, Segment.PELVIS),
    "one shoe alone": (Segment.RIGHT_FOOT,),
}


def main() -> None:
    """Measure and print, or write."""
    root = Path(__file__).resolve().parent.parent
    default = Path(os.environ.get("EVENSTRIDE_DATA", root.parent / "shared" / "data"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--data", type=Path, default=default)
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    real = arguments.data.is_dir()
    parts = [*bench_section(arguments.draws), *virtual_placement(arguments.draws)]
    parts += real_placement(arguments.data) if real else []
    parts += virtual_alignment(max(arguments.draws // 10, 20))
    parts += [*real_spread(arguments.data), *real_alignment(arguments.data)] if real else []
    text = "\n".join(parts)
    if arguments.write is None:
        print(text)  # noqa: T201 (this is its output)
    else:
        write_section(arguments.write, "calibration", text)


def bench_section(draws: int) -> list[str]:
    """Accelerometer and gyroscope over sensors drawn from the data sheets' spread."""
    rng = np.random.default_rng(2026)
    accel_errors, six_errors, gyro_errors, stated, six_stated, inside = [], [], [], [], [], []
    up = GRAVITY * fibonacci(50)
    for _ in range(draws):
        sensor = BenchSensor.drawn(rng)
        holds = {pose: read_hold(sensor.hold(rng, pose), pose) for pose in tuple(POSES)[:18]}
        accel = fit_accel(list(holds.values()), MADE, GRAVITY)
        six = fit_accel([holds[face] for face in FACES], MADE, GRAVITY)
        gyro = gyro_of(sensor, rng, accel)
        for fit, errors, says in (
            (accel, accel_errors, stated),
            (six, six_errors, six_stated),
        ):
            read = up @ sensor.acc_matrix.T + sensor.acc_bias - np.array(fit.bias_mps2)
            off = read @ np.array(fit.matrix).T - up @ sensor.to_sensor_frame.T
            errors.append(np.linalg.norm(off, axis=1).max() / MILLI_G)
            says.append(fit.error_u95_mps2 / MILLI_G)
        off = np.array(gyro.matrix) - sensor.gyr_correction
        gyro_errors.append(100 * np.abs(np.diag(off)).max())
        inside.append(covered(sensor, accel, gyro))
    shares = 100 * np.mean(inside, axis=0)
    return [
        "## Calibration on the bench",
        "",
        f"{draws} virtual sensors: offsets to ±80 mg and ±5 °/s, scales to ±3 %, cross-axis to",
        "±2 %; poses held to 6° and off by 0.3 mg; six counted turns of three rounds, closed by",
        "hand to 1°.",
        "Measured by `python -m tests.measure_calibration --write docs/validation.md`.",
        "",
        "| figure | median | 95 % of sensors below | wanted |",
        "|---|---|---|---|",
        row("accelerometer, worst direction, 18 poses, mg", accel_errors, "3"),
        row("the same, stated 95 % of one component, mg", stated, ""),
        row("accelerometer, six faces only, mg", six_errors, ""),
        row("the same, stated, mg", six_stated, ""),
        row("gyroscope scale, worst axis, %", gyro_errors, "0.3"),
        "",
        "The stated 95 % interval holds the truth in this share of sensors (wanted 93 to 97):",
        "",
        "| accelerometer bias | accelerometer matrix | gyroscope bias | gyroscope matrix |",
        "|---|---|---|---|",
        "| " + " | ".join(f"{low:.1f} to {high:.1f} %" for low, high in spans(shares)) + " |",
        "",
    ]


def gyro_of(sensor, rng, accel):
    """Six turns and a rest."""
    turns = [read_turn(sensor.turn(rng, face, n), face, n, accel) for face, n in TURNS]
    return fit_gyro([read_hold(sensor.hold(rng, "z_up", 30.0), "rest")], turns, MADE)


def covered(sensor, accel, gyro):
    """Whether each figure's interval holds the truth: 3, 6, 3, 9 of them."""
    upper = np.triu_indices(3)
    pairs = (
        (accel.bias_mps2, sensor.acc_bias, accel.bias_u95_mps2),
        (
            np.array(accel.matrix)[upper],
            sensor.acc_correction[upper],
            np.array(accel.matrix_u95)[upper],
        ),
        (gyro.bias_radps, sensor.gyr_bias, gyro.bias_u95_radps),
        (gyro.matrix, sensor.gyr_correction, gyro.matrix_u95),
    )
    return np.concatenate(
        [np.ravel(np.abs(np.array(found) - true) <= np.array(u95)) for found, true, u95 in pairs]
    )


def spans(shares):
    """Least and greatest share of the four groups."""
    groups = np.split(shares, np.cumsum([3, 6, 3]))
    return [(group.min(), group.max()) for group in groups]


def row(name, values, wanted):
    """One line of a table."""
    median, most = np.percentile(values, [50, 95])
    return f"| {name} | {median:.3g} | {most:.3g} | {wanted} |"


def virtual_placement(draws: int) -> list[str]:
    """Ten steps of virtual people with random mountings."""
    rng = np.random.default_rng(5)
    right, sure, wrong_sure = 0, 0, 0
    for _ in range(draws):
        found = find_placement(RATE_HZ, ten_steps(rng))
        good = all(seat.sensor == seat.segment for seat in found.seats)
        right += good
        sure += found.confidence > 0.9
        wrong_sure += found.confidence > 0.9 and not good
    return [
        "## Placement",
        "",
        f"Ten steps of {draws} virtual people (0.7 to 1.6 m/s, legs drawn apart, half of them",
        "mirrored), every sensor mounted at random: all five places right in",
        f"{100 * right / draws:.1f} % (wanted 99);",
        f"sure to 90 % or more in {100 * sure / draws:.0f} %, of these wrong: {wrong_sure}.",
        "",
    ]


def real_placement(folder: Path) -> list[str]:
    """Whole recordings, and every ten steps of them, with subsets of the sensors."""
    rng = np.random.default_rng(17)
    whole, counts, sure = 0, {name: [0, 0, 0, 0] for name in SUBSETS}, 1.0
    for name in SEVERAL:
        rate_hz, readings = recording(folder, name, rng)
        found = find_placement(rate_hz, readings)
        whole += all(seat.sensor == seat.segment for seat in found.seats)
        sure = min(sure, found.confidence)
        for start, stop in ten_step_windows(rate_hz, readings):
            for subset, segments in SUBSETS.items():
                part = {
                    s.value: (readings[s][0][start:stop], readings[s][1][start:stop])
                    for s in segments
                    if s in readings
                }
                if len(part) == len(segments) or subset == "all that were worn":
                    count(rate_hz, part, counts[subset])
    lines = [f"| {name} | {' | '.join(map(str, tally))} |" for name, tally in counts.items()]
    return [
        "Real recordings, each sensor turned at random, labels unknown:",
        f"{whole} of {len(SEVERAL)} whole recordings right, least confidence {sure:.2f}.",
        f"In {len(EXCHANGED_LABELS)} of them ({', '.join(sorted(EXCHANGED_LABELS))}) the labels",
        "of the shoes are held to be exchanged: roll of the heel-rise and bend of the path of",
        "both shoes, sway and rotation of the pelvis, and the slope of the insteps in standing",
        "all say so, against the same person's other two trials. With the labels as they stand",
        f"in the files, {whole - len(EXCHANGED_LABELS)} of {len(SEVERAL)} agree.",
        "",
        "The cues on each shoe, and over each recording with a pelvis, as on the left side:",
        "",
        "| cue | mean | SD | right sign |",
        "|---|---|---|---|",
        *cue_rows(folder),
        "",
        "Every ten successive steps of these recordings:",
        "",
        "| worn | right | wrong | wrong and sure (90 % or more) | refused |",
        "|---|---|---|---|---|",
        *lines,
        "",
        "The cues' means and spreads (`calibration/fitting/placement.py`) were read off these very",
        "recordings, so these are figures of the data they come from, not of people to come.",
        "",
    ]


def cue_rows(folder: Path) -> list[str]:
    """How each cue stands over all recordings."""
    rng = np.random.default_rng(1)
    roll, bend, sway, rotation = [], [], [], []
    for name in SEVERAL:
        rate_hz, readings = recording(folder, name, rng)
        worn_ = {w.name: w for w in wear(rate_hz, readings)}
        for side, sign in (("left", 1.0), ("right", -1.0)):
            steps = [step for step in worn_[f"{side}_foot"].steps if step.straight]
            roll.append(sign * np.degrees(np.median([step.roll_rad for step in steps])))
            bend.append(sign * 1e3 * np.median([step.outward_m for step in steps]))
        if "pelvis" in worn_:
            legs = [{"foot": worn_[f"{side}_foot"]} for side in ("left", "right")]
            swayed, rotated, _ = pelvic_correlations(worn_["pelvis"].motion, legs)
            sway.append(swayed)
            rotation.append(rotated)
    cues = (
        ("roll at heel-rise, °", roll, -1),
        ("bend of the path, mm", bend, 1),
        ("pelvic sway, correlation", sway, 1),
        ("pelvic rotation, correlation", rotation, -1),
    )
    return [
        f"| {name} | {np.mean(values):.2f} | {np.std(values):.2f} |"
        f" {np.sum(np.sign(values) == sign)} of {len(values)} |"
        for name, values, sign in cues
    ]


def ten_step_windows(rate_hz, readings):
    """Samples of every ten successive straight steps, five steps apart."""
    shoes = [readings[s] for s in ("left_foot", "right_foot") if s in readings]
    contacts = sorted(
        step.contact
        for gyr, acc in shoes
        for step in find_steps(level_motion(rate_hz, gyr, acc))
        if step.straight
    )
    for first in range(0, len(contacts) - 10, 5):
        start = max(contacts[first] - round(1.2 * rate_hz), 0)
        stop = contacts[first + 9] + round(0.6 * rate_hz)
        if stop - start < 12 * rate_hz:
            yield start, stop


def count(rate_hz, part, tally):
    """Right, wrong, wrong although sure, refused."""
    try:
        found = find_placement(rate_hz, part)
    except Refused:
        tally[3] += 1
        return
    good = all(seat.sensor == seat.segment for seat in found.seats)
    tally[0 if good else 1] += 1
    tally[2] += not good and found.confidence > 0.9


def virtual_alignment(people: int) -> list[str]:
    """Vertical and medio-lateral axes of virtual people against their segments."""
    rng = np.random.default_rng(9)
    off = {"foot": [], "shank": [], "pelvis": []}
    spread = {"foot": [], "shank": [], "pelvis": []}
    plan = [Stand(10), Walk(14, 1.2), Stand(2), Bow(5), Stand(2)]
    for _ in range(people):
        person = any_person(rng)
        person = replace(
            person, left=replace(person.left, toe_out=0.0), right=replace(person.right, toe_out=0.0)
        )
        walker = Walker(person, plan, seed=int(rng.integers(1 << 30)))
        bows_s = walker.end_s - 2 - 20
        for name, (gyr, acc) in worn(walker, rng, mounted=False).items():
            standing = read_standing(gyr[50:950], acc[50:950])
            kind = name.split("_")[-1]
            if kind == "pelvis":
                axis = bow_axis(RATE_HZ, gyr[round((bows_s - 1) * RATE_HZ) :])
            else:
                walk = slice(None, round((bows_s - 1) * RATE_HZ))
                axis = swing_axis(RATE_HZ, gyr[walk], acc[walk], standing)
            left = axis.left if kind == "pelvis" else axis.left * [1, 1, 0]
            off[kind].append(np.degrees(np.arccos(min(1.0, left[1] / np.linalg.norm(left)))))
            spread[kind].append(np.degrees(axis.spread_rad))
    lines = [
        f"| {kind} | {np.median(off[kind]):.1f} | {np.percentile(off[kind], 95):.1f} |"
        f" {np.median(spread[kind]):.1f} |"
        for kind in off
    ]
    return [
        "## Alignment",
        "",
        f"{people} virtual people without toe-out, medio-lateral axis against the segment's own",
        "(swings for foot and shank, five bows for the pelvis), degrees:",
        "",
        "| segment | off, median | off, 95 % | spread over repetitions |",
        "|---|---|---|---|",
        *lines,
        "",
    ]


def real_spread(folder: Path) -> list[str]:
    """How the swing axes of real steps spread, and how many sensors the limit refuses."""
    rng = np.random.default_rng(3)
    spread = []
    for name in SEVERAL:
        rate_hz, readings = recording(folder, name, rng)
        for sensor, (gyr, acc) in readings.items():
            motion = level_motion(rate_hz, gyr, acc)
            steps = [step for step in find_steps(motion) if step.straight]
            if sensor == "pelvis" or len(steps) < LEAST_STEPS:
                continue
            # The recordings have no standing trial of their own: the vertical between steps.
            up = np.mean([motion.up[step.start] for step in steps], axis=0)
            standing = Standing(up / np.linalg.norm(up), 0.0)
            spread.append(np.degrees(swing_axis(rate_hz, gyr, acc, standing).spread_rad))
    refused = np.sum(np.array(spread) > np.degrees(ALIGNMENT_SPREAD_RAD))
    return [
        f"Swing axes of {len(spread)} shoes and shins of the real recordings spread from step to",
        f"step by {np.median(spread):.1f}° (median), {np.percentile(spread, 95):.1f}° (95 %);",
        f"the limit of 3° refuses {refused} of them.",
        "",
    ]


def real_alignment(folder: Path) -> list[str]:
    """Against the cameras of one recording."""
    rows = [
        f"| {f.sensor} | {f.n_steps} | {f.against_optical_swing_deg:+.1f} |"
        f" {f.against_anatomy_deg:+.1f} | {f.lean_deg:+.1f} |"
        for f in axis_against_cameras(folder)
    ]
    return [
        "Against cameras (`gaittoolbox_S02`, one pass of 3.5 m, two straight steps a leg), angles",
        "about the vertical, degrees. The swing axis of the same steps as the markers see it",
        "tells what the method adds; the joint's markers tell where the anatomical axis is. This",
        "person's feet point out by 20 to 30°, so a foot swings about an axis that is not its own:",
        "toe-out cannot be had from walking, only from how the sensor was stuck on the shoe.",
        "",
        "| sensor | steps | against the markers' swing axis | against the joint's axis | lean |",
        "|---|---|---|---|---|",
        *rows,
        "",
    ]


if __name__ == "__main__":
    main()
