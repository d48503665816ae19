"""The command `evenstride analyze`: what it writes, and what it says of bad input."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from edge.results import Analysis


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
