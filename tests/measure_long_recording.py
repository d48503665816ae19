"""Measures what `evenstride analyze` costs for hours of walking without a pause.

    python -m tests.measure_long_recording [--hours 1 4 24] [--write docs/validation.md]

A virtual person walks for ten minutes at 200 Hz with five worn sensors: the worst case for memory,
since no pause ever closes a stretch. The ten minutes are recorded again and again, by our own
recorder, until the hours are full; then the command runs as a process of its own.
"""

from __future__ import annotations

import argparse
import math
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from edge.recording.manifest import Header
from edge.recording.writer import RecordingWriter
from sensors import Block, Segment
from sensors.virtual import Stand, Walk, Walker
from tests.gait_truth import any_sensors
from tests.pages import write_section
from tests.virtual_walks import any_person

RATE_HZ = 200.0
TURN_S = 0.5
LOOK_S = 0.05
# Crystals of boards keep within this of their rate.
DRIFT = 50e-6
STEPS = 1080
# Of a chip with 2000 deg/s and 16 g in 16 bits.
SCALE = np.array([np.radians(0.07)] * 3 + [0.488e-3 * 9.80665] * 3)
HEAD = """## Long recordings

`evenstride analyze` on our own recordings of five sensors at 200 Hz, each by a clock of its own, on
a virtual person who walks without a pause, process start to end. Measured by
`python -m tests.measure_long_recording --write docs/validation.md`.

| walked | greatest resident memory | processor | a second of walking | results |
|---|---|---|---|---|
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, nargs="+", default=[1.0, 4.0, 24.0])
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    readings = walking(STEPS, RATE_HZ)
    lines = []
    for hours in arguments.hours:
        with tempfile.TemporaryDirectory() as folder:
            recording = Path(folder) / "recording"
            record(recording, readings, RATE_HZ, hours * 3600)
            memory_mb, used_s, results_mb = analysed(recording)
        lines.append(
            f"| {hours:g} h | {memory_mb:.0f} MB | {used_s:.1f} s "
            f"| {1000 * used_s / hours / 3600:.2f} ms | {results_mb:.0f} MB |"
        )
        sys.stderr.write(lines[-1] + "\n")
    text = HEAD + "\n".join(lines)
    if arguments.write:
        write_section(arguments.write, "long", text)
    else:
        sys.stdout.write(text + "\n")


def walking(steps, rate_hz, segments=tuple(Segment)):
    """Readings of a chip on each segment, (n, 6) int16, of walking and nothing else."""
    rng = np.random.default_rng(7)
    plan = [Stand(3), Walk(steps, 1.2, cadence_spm=108.0), Stand(3)]
    walker = Walker(any_person(rng), plan, seed=7)
    time_s = np.arange(5.0, walker.end_s - 5.0, 1.0 / rate_hz)
    how = any_sensors(rng)
    found = {}
    for segment in segments:
        read = walker.sensor(segment, how[segment])(time_s)
        values = np.rint(np.concatenate([read.gyr, read.acc], axis=1) / SCALE)
        found[segment] = np.clip(values, -32768, 32767).astype(np.int16)
    return found


def record(folder, readings, rate_hz, seconds):
    """Write the readings over and over until `seconds` are full, as `acquire` would.

    Each sensor has a clock of its own: samples that fall on the ticks of the grid would make it
    cheaper than it is.
    """
    now_ns = 0
    header = Header(
        session="long", rate_hz=rate_hz, origin_ns=0, placements={s.value: s for s in readings}
    )
    writer = RecordingWriter(folder, header, lambda: now_ns, lambda: now_ns)
    n_all = min(len(values) for values in readings.values())
    dice = np.random.default_rng(7)
    clocks = {s: (rate_hz * (1 + dice.uniform(-DRIFT, DRIFT)), dice.random()) for s in readings}
    for turn in range(round(seconds / TURN_S)):
        now_ns = round((turn + 1) * TURN_S * 1e9)
        writer.write(
            block_of_turn(turn, segment, values[:n_all], rate_hz, clocks[segment])
            for segment, values in readings.items()
        )
    writer.close()


def block_of_turn(turn, segment, values, rate_hz, clock):
    """What a sensor samples in a turn by its clock: samples a second, and the phase it began in."""
    own_hz, phase = clock
    first, stop = (math.ceil(end * TURN_S * own_hz - phase) for end in (turn, turn + 1))
    number = np.arange(first, stop)
    time_s = (number + phase) / own_hz
    read = values[np.rint(time_s * rate_hz).astype(int) % len(values)]
    ticks, host_ns = number * round(1e9 / rate_hz), np.rint(time_s * 1e9).astype(np.int64)
    none = np.zeros(len(number), dtype=bool)
    return Block(segment.value, 0, first, ticks, host_ns, read, SCALE, none, 1e-5)


def analysed(recording):
    """Greatest resident memory (MB), processor seconds and megabytes of results of the command."""
    output = recording.with_suffix(".json")
    command = [sys.executable, "-m", "edge", "analyze", str(recording), "--output", str(output)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(command)
    memory_mb = 0.0
    # Not `ru_maxrss`: a child begins with its parent's.
    while process.poll() is None:
        memory_mb = max(memory_mb, resident_mb(process.pid))
        time.sleep(LOOK_S)
    if process.returncode:
        sys.exit(f"{' '.join(command)}: ended with {process.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return memory_mb, used_s, output.stat().st_size / 1e6


def resident_mb(pid):
    """Greatest resident memory of a process so far."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    main()
