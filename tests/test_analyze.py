"""The command `evenstride analyze`: what it writes, and what it says of bad input."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from edge.analyze import analyse_into, analyse_recording
from edge.pipeline import LONGEST_READINGS, Pipeline
from edge.recording.reader import OwnRecording
from edge.results import Analysis, Person, Stride
from edge.results_file import ResultsFile
from sensors import Segment, Side
from sensors.plain import open_plain
from sensors.virtual import Imperfections, Stand, VirtualPerson, Walk, Walker
from tests.gait_truth import span_of
from tests.measure_long_recording import record, walking
from tests.virtual_walks import any_person


def run(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "edge", "analyze", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.data
def test_a_real_walk_gives_every_stride_of_the_optical_system(data_folder, tmp_path):
    source = data_folder / "gaitmap_mocap_pass1.npz"
    output = tmp_path / "results.json"
    assert run(source, "--output", output).returncode == 0
    results = Analysis.model_validate_json(output.read_text())
    for stride in results.strides:
        assert (stride.stride_length_m is None) == (stride.stride_length_sd_m is None)
    truth = np.load(source)
    for side in ("left", "right"):
        events = truth[f"{side}_strides_t"]
        heel = truth[f"mocap_{side}_heel"]
        found = [s for s in results.strides if s.side == side and s.stride_length_m is not None]
        errors = []
        for _, _, _, contact, _ in events:
            stride = min(found, key=lambda s: abs(s.next_initial_contact_s - contact))
            assert abs(stride.next_initial_contact_s - contact) < 0.05
            a, b = np.searchsorted(truth["mocap_t"], [stride.length_from_s, stride.length_to_s])
            way = float(np.linalg.norm((heel[b] - heel[a])[:2]))
            errors.append(stride.stride_length_m - way)
        assert np.sqrt(np.nanmean(np.square(errors))) < 0.06


def test_a_recording_of_rest_has_no_strides(tmp_path):
    rest = {"fs": 100.0, "pelvis_gyr": np.zeros((500, 3)), "pelvis_acc": np.zeros((500, 3))}
    rest["pelvis_acc"][:, 2] = 9.81
    np.savez(tmp_path / "rest.npz", **rest)
    done = run(tmp_path / "rest.npz")
    results = json.loads(done.stdout)
    assert (done.returncode, results["schema"]) == (0, "analysis/1.0")
    assert results["strides"] == results["bouts"] == results["contacts"] == []
    assert results["recording"]["duration_s"] == 5.0


def test_a_command_keeps_to_one_thread():
    script = (
        "import os, sys; sys.argv = ['evenstride', '--version']\n"
        "from edge.cli.app import main\n"
        "assert not {'numpy', 'pydantic'} & sys.modules.keys()\n"
        "try: main()\n"
        "except SystemExit: import numpy\n"
        "print(len(os.listdir('/proc/self/task')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True
    )
    assert done.stdout.split()[-1] == "1", done.stderr


def test_steps_before_a_rest_are_told_once():
    plan = [Stand(3), Walk(8), Stand(7), Walk(8), Stand(7), Walk(8), Stand(2)]
    walker = Walker(any_person(np.random.default_rng(4)), plan, seed=4)
    pipeline = Pipeline(Person())
    walks = [*pipeline.push(span_of(walker, rate_hz=100.0)), *pipeline.finish()]
    told = [c for walk in walks for c in walk.contacts]
    assert len(told) == len(walker.truth.contacts)
    assert [c.time_s for c in told] == sorted(c.time_s for c in told)


def test_any_cut_of_the_stream_gives_the_same_bits():
    walker = Walker(VirtualPerson(), [Stand(15), Walk(12), Stand(8)], seed=4)
    span = span_of(walker, rate_hz=200.0)
    found = []
    for seed in range(12):
        rng, pipeline, at, walks = np.random.default_rng(seed), Pipeline(Person()), 0, []
        while at < len(span):
            part = span.part(at, at + int(rng.integers(1, 700)))
            # As the time grid says it, whatever it handed out before.
            walks += pipeline.push(replace(part, start_s=5.1 + at / span.rate_hz))
            at += len(part)
        walks += pipeline.finish()
        found.append([stride for walk in walks for stride in walk.strides])
    assert len(found[0]) > 10
    assert all(strides == found[0] for strides in found)


def test_a_stride_is_told_live_once_within_a_second_by_the_feet_alone():
    plan = [Stand(3), Walk(20), Stand(4), Walk(20), Stand(7)]
    walker = Walker(any_person(np.random.default_rng(4)), plan, seed=4)
    span = span_of(walker, rate_hz=100.0)
    pipeline = Pipeline(Person(), live=True)
    told, refined = [], []
    for at in range(0, len(span), 20):
        part = span.part(at, min(at + 20, len(span)))
        until_s = part.start_s + len(part) / part.rate_hz
        for stride in (s for walk in pipeline.push(part) for s in walk.strides):
            (told if stride.stage == "live" else refined).append((until_s, stride))
    assert len(told) == len(refined) > 30
    assert max(at_s - stride.next_initial_contact_s for at_s, stride in told[3:]) < 1.0
    in_time = sorted((s for _, s in told), key=lambda s: s.next_initial_contact_s)
    for live, later in zip(in_time, (s for _, s in refined), strict=True):
        assert live.side == later.side
        assert live.next_initial_contact_s == pytest.approx(later.next_initial_contact_s, abs=0.01)
        assert live.stride_length_m == pytest.approx(later.stride_length_m, abs=0.02)
        assert live.step_time_s == pytest.approx(later.step_time_s, abs=0.02)
        assert live.double_support_s == pytest.approx(later.double_support_s, abs=0.02)
        assert live.pelvic_drop_deg is live.shank_shock_g is None
    assert any(stride.pelvic_drop_deg is not None for _, stride in refined)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        (None, "no such file"),
        ({"fs": 100.0, "shoe": np.zeros(3)}, "no sensor found"),
        (
            {"fs": 100.0, "pelvis_gyr": np.zeros((9, 3)), "pelvis_acc": np.full((9, 3), np.nan)},
            "is not a number",
        ),
        ({"fs": 100.0, "pelvis_gyr": np.zeros((9, 3)), "pelvis_acc": np.zeros((8, 3))}, "shape"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_written(tmp_path, arrays, words):
    source, output = tmp_path / "bad.npz", tmp_path / "results.json"
    if arrays is not None:
        np.savez(source, **arrays)
    done = run(source, "--output", output)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert not output.exists()


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    np.savez(tmp_path / "r.npz", fs=100.0, pelvis_gyr=np.zeros((9, 3)), pelvis_acc=np.ones((9, 3)))
    done = run(tmp_path / "r.npz", "--output", tmp_path / "none" / "results.json")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "name a file in a folder that exists" in done.stderr


def walking_feet(seconds):
    """A person who walks without a pause, and the span of both feet at 100 Hz."""
    person = any_person(np.random.default_rng(5))
    steps = round(seconds * 1.8)
    walker = Walker(person, [Stand(3), Walk(steps, 1.2, cadence_spm=108.0), Stand(8)], seed=5)
    return walker, span_of(walker, segments=(Segment.LEFT_FOOT, Segment.RIGHT_FOOT), rate_hz=100.0)


def test_results_written_as_they_come_are_the_results_of_the_whole(tmp_path):
    _, span = walking_feet(20.0)
    arrays = {"fs": span.rate_hz}
    for k, segment in enumerate(span.segments):
        arrays |= {f"{segment}_gyr": span.gyr[:, k], f"{segment}_acc": span.acc[:, k]}
    np.savez(tmp_path / "walk.npz", **arrays)
    with ResultsFile(tmp_path) as results, (tmp_path / "r.json").open("w") as file:
        results.write(analyse_into(open_plain(tmp_path / "walk.npz"), results.add), file)
    whole = analyse_recording(open_plain(tmp_path / "walk.npz"))
    assert len(whole.strides) > 20
    assert (tmp_path / "r.json").read_text() == whole.model_dump_json(by_alias=True)


def test_a_walk_longer_than_a_part_is_one_bout_and_every_stride_comes_once():
    walker, span = walking_feet(1.1 * LONGEST_READINGS / (2 * 100.0))
    pipeline = Pipeline(Person())
    walks = pipeline.push(span) + pipeline.finish()
    strides = [stride for walk in walks for stride in walk.strides]
    (bout,) = [bout for walk in walks for bout in walk.bouts]
    assert len([walk for walk in walks if walk.strides]) == 2
    assert {stride.bout for stride in strides} == {1}
    assert bout.n_strides == len(strides)
    for side in Side:
        found = [s.next_initial_contact_s for s in strides if s.side == side]
        true = [s.next_initial_contact_s for s in walker.truth.strides_of(side)]
        assert abs(len(found) - len(true)) <= 1, "a person starts and ends with half a stride"
        assert max(np.abs(np.subtract(true, t)).min() for t in found[1:-1]) < 0.03
        assert np.diff(found).min() > 0.8
    # Only the beginning and the end are edges, not the place where the parts meet.
    edges = [s.initial_contact_s for s in strides if "edge" in s.flags]
    assert all(t < 10.0 or t > walker.end_s - 14.0 for t in edges)


def test_a_shank_is_held_against_standing_in_every_part_of_a_long_walk():
    steps = round(2.1 * LONGEST_READINGS / (2 * 100.0))
    walker = Walker(VirtualPerson(), [Stand(4), Walk(steps, 1.2, cadence_spm=108.0), Stand(2)])
    worn = (Segment.LEFT_FOOT, Segment.LEFT_SHANK)
    biased = {s: Imperfections(gyr_bias=(0.004, -0.006, 0.005)) for s in worn}
    pipeline = Pipeline(Person())
    walks = pipeline.push(span_of(walker, biased, segments=worn, rate_hz=100.0)) + pipeline.finish()
    means = [
        np.mean([s.shank_pitch_at_contact_deg for s in walk.strides if s.steady])
        for walk in walks
        if walk.strides
    ]
    assert len(means) == 2
    assert abs(means[1] - means[0]) < 0.3


def strides_in_memory():
    return sum(isinstance(o, Stride) for o in gc.get_objects())


def test_no_stride_stays_in_memory_once_it_is_written(tmp_path):
    readings = walking(220, 100.0, (Segment.LEFT_FOOT, Segment.RIGHT_FOOT))
    record(tmp_path / "long", readings, 100.0, 1600.0)
    most, n_strides, before = 0, 0, strides_in_memory()
    with ResultsFile() as results:

        def take(field, records):
            nonlocal most, n_strides
            results.add(field, records)
            n_strides += len(records) if field == "strides" else 0
            if field == "days":
                most = max(most, strides_in_memory() - before)

        analyse_into(OwnRecording(tmp_path / "long"), take)
    assert n_strides > 2600
    assert most < n_strides / 2
