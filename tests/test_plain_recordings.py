"""Plain recordings: what is read, what is refused, and with which sentence."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sensors import Segment
from sensors.plain import RecordingError, open_plain

N = 300


def arrays(**changes):
    rng = np.random.default_rng(0)
    good = {
        "fs": 100.0,
        "t": np.arange(N) / 100.0 + 4.0,
        "left_foot_gyr": rng.normal(size=(N, 3)).astype(np.float32),
        "left_foot_acc": rng.normal(size=(N, 3)).astype(np.float32),
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def saved(folder, **changes):
    path = folder / "recording.npz"
    np.savez_compressed(path, **arrays(**changes))
    return path


def blocks(path):
    return list(open_plain(path).blocks())


def test_what_was_written_is_read(tmp_path):
    path = saved(tmp_path, info=json.dumps({"Height": 180}))
    recording = open_plain(path)
    ((segment, block),) = recording.blocks()
    assert segment == Segment.LEFT_FOOT
    assert np.array_equal(block.gyr, arrays()["left_foot_gyr"])
    assert np.array_equal(block.acc, arrays()["left_foot_acc"])
    assert (recording.start_s, recording.info) == (4.0, {"Height": 180})


def test_arrays_stored_by_columns_are_read_alike(tmp_path):
    columns = np.asfortranarray(arrays()["left_foot_acc"])
    ((_, block),) = blocks(saved(tmp_path, left_foot_acc=columns))
    assert np.array_equal(block.acc, columns)


def test_a_recording_without_times_goes_by_its_rate(tmp_path):
    ((_, block),) = blocks(saved(tmp_path, t=None))
    assert block.host_ns[-1] == pytest.approx((N - 1) * 1e7)


def test_lost_samples_part_the_blocks_and_keep_their_numbers(tmp_path):
    measured = np.ones(N, dtype=bool)
    measured[[0, 50, 51, 299]] = False
    parts = [(b.first_seq, len(b)) for _, b in blocks(saved(tmp_path, left_foot_measured=measured))]
    assert parts == [(1, 49), (52, 247)]


def test_a_jump_of_the_times_is_a_loss(tmp_path):
    time_s = arrays()["t"]
    time_s[100:] += 0.5
    parts = [(b.first_seq, len(b)) for _, b in blocks(saved(tmp_path, t=time_s))]
    assert parts == [(0, 100), (150, 200)]


def test_samples_with_one_stamp_are_spread_over_the_time_before(tmp_path):
    time_s = np.repeat(np.arange(1, N // 2 + 1) / 50.0, 2)
    ((_, block),) = blocks(saved(tmp_path, t=time_s))
    assert np.allclose(np.diff(block.host_ns)[1:], 1e7)


def test_a_foot_without_a_side_is_read(tmp_path):
    good = arrays()
    path = saved(tmp_path, left_foot_gyr=None, left_foot_acc=None,
                 foot_gyr=good["left_foot_gyr"], foot_acc=good["left_foot_acc"])  # fmt: skip
    assert open_plain(path).segments == (Segment.RIGHT_FOOT,)


def test_a_table_gives_the_same_samples_as_an_archive(tmp_path):
    good = arrays()
    names = ["t", *(f"left_foot_{kind}_{axis}" for kind in ("gyr", "acc") for axis in "xyz")]
    table = np.column_stack([good["t"], good["left_foot_gyr"], good["left_foot_acc"]])
    path = tmp_path / "recording.csv"
    np.savetxt(path, table, delimiter=",", header=",".join(names), comments="", fmt="%.9g")
    ((_, block),) = blocks(path)
    assert open_plain(path).rate_hz == 100.0
    assert np.allclose(block.gyr, good["left_foot_gyr"], atol=1e-7)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"fs": None}, "fs is nan; expected the sample rate"),
        ({"fs": -1.0}, "fs is -1.0; expected the sample rate"),
        ({"left_foot_gyr": None}, "no sensor found; expected arrays such as left_foot_gyr"),
        ({"left_foot_acc": np.zeros((N - 1, 3))}, "acc has shape (299, 3); expected (300, 3)"),
        ({"left_foot_gyr": np.zeros((N, 2))}, "gyr has shape (300, 2); expected (300, 3)"),
        ({"t": np.zeros(7)}, "t has shape (7,); expected (300,)"),
        ({"t": -np.arange(N)}, "t at sample 1 is -1; times must be numbers that never go back"),
        ({"left_foot_acc": np.full((N, 3), np.nan)}, "at sample 0 (t = 4.000 s) is not a number"),
        ({"info": "{"}, "info is not JSON"),
        ({"protocol": "3"}, "protocol is '3'; expected a list in JSON"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_sentence(tmp_path, changes, words):
    path = saved(tmp_path, **changes)
    with pytest.raises(RecordingError) as caught:
        blocks(path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_or_foreign_file_is_refused(tmp_path):
    with pytest.raises(RecordingError, match="no such file"):
        open_plain(tmp_path / "nothing.npz")
    foreign = tmp_path / "foreign.npz"
    foreign.write_bytes(b"PK but not really")
    with pytest.raises(RecordingError, match="not a readable"):
        open_plain(foreign)
    table = tmp_path / "foreign.csv"
    table.write_text("a,b\n1,2\n")
    with pytest.raises(RecordingError, match="no column t"):
        open_plain(table)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"left_foot_acc": np.tile([0.1, 0.0, 1.0], (N, 1))}, "multiply by 9.81 if it is in g"),
        ({"left_foot_gyr": np.tile([0.0, 300.0, 0.0], (N, 1))}, "divide by 57.3 if it is in deg"),
    ],
)
def test_readings_in_other_units_are_refused_with_what_to_do(tmp_path, changes, words):
    with pytest.raises(RecordingError, match=words):
        blocks(saved(tmp_path, **changes))
