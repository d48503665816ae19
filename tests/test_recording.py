"""Recordings: what goes in comes out, and what a kill or a power cut leaves is brought back."""

from __future__ import annotations

import itertools
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.errors import UserError
from edge.recording.archive import recover_recording, segment_paths, verify_recording
from edge.recording.live import SUFFIX, read_live
from edge.recording.manifest import JOURNAL, MANIFEST, Header, read_journal, read_manifest
from edge.recording.reader import OwnRecording
from edge.recording.retention import recover_all
from edge.recording.writer import BATCH_NS, SEGMENT_NS, RecordingWriter
from sensors import Block, Segment
from sensors.clock import Exchange

PLACEMENTS = {"left": Segment.LEFT_FOOT, "pelvis": Segment.PELVIS}
HEADER = Header(session="s-1", rate_hz=200.0, origin_ns=0, placements=PLACEMENTS)
SCALE = np.array([1e-3] * 3 + [5e-3] * 3 + [0.15] * 3)


def block(sensor, first_seq, n=10, *, channels=9, dtype=np.int16, epoch=1, seed=0):
    rng = np.random.default_rng([seed, first_seq])
    readings = rng.integers(-32768, 32767, (n, channels)).astype(dtype)
    number = first_seq + np.arange(n)
    return Block(
        sensor=sensor,
        epoch=epoch,
        first_seq=first_seq,
        ticks=number * 5000,
        host_ns=number * 5_000_000 + 77,
        readings=readings / 7.0 if dtype is np.float64 else readings,
        scale=SCALE[:channels],
        saturated=rng.random(n) < 0.1,
        time_sd_s=2e-5,
    )


def turns(n, sensors=("left", "pelvis", "spare")):
    """Blocks of 50 ms of each sensor, turn by turn."""
    for i in range(n):
        yield [block(name, i * 10, channels=6 if name == "pelvis" else 9) for name in sensors]


class Clock:
    """Time that goes on by 50 ms a turn."""

    def __init__(self):
        self.ns = 0

    def __call__(self):
        return self.ns


def record(folder, blocks_by_turn, *, close=True, step_ns=50_000_000, **options):
    clock = Clock()
    writer = RecordingWriter(folder, HEADER, clock, **options)
    for blocks in blocks_by_turn:
        clock.ns += step_ns
        writer.write(blocks)
    if close:
        writer.close()
    return writer


def assert_same(ours, theirs):
    assert (ours.sensor, ours.epoch, ours.first_seq) == (
        theirs.sensor,
        theirs.epoch,
        theirs.first_seq,
    )
    assert ours.time_sd_s == theirs.time_sd_s
    assert ours.readings.dtype == theirs.readings.dtype
    for name in ("ticks", "host_ns", "readings", "scale", "saturated"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))


def flat(blocks_by_turn):
    return list(itertools.chain.from_iterable(blocks_by_turn))


def test_gives_back_the_same_blocks_in_the_same_order(tmp_path):
    record(tmp_path / "r", turns(100))
    recording = OwnRecording(tmp_path / "r")
    for ours, theirs in zip(recording.all_blocks(), flat(turns(100)), strict=True):
        assert_same(ours, theirs)
    assert recording.manifest.state == "complete"
    assert recording.manifest.sensors["spare"].n == 1000
    assert verify_recording(tmp_path / "r") == []


def test_hands_only_placed_sensors_to_the_analysis(tmp_path):
    record(tmp_path / "r", turns(40))
    assert {segment for segment, _ in OwnRecording(tmp_path / "r").blocks()} == set(
        PLACEMENTS.values()
    )


def test_the_analysis_gets_all_samples_in_blocks_without_a_loss_inside(tmp_path):
    made = list(turns(600))
    del made[200]  # a loss
    for later in made[400:]:  # a node that began anew
        later[:] = [replace(b, epoch=2, first_seq=b.first_seq - 4000) for b in later]
    record(tmp_path / "r", made)
    joined = list(OwnRecording(tmp_path / "r").blocks())
    assert [b.host_ns[0] for _, b in joined] == sorted(b.host_ns[0] for _, b in joined)
    assert len(joined) < 40
    for name, segment in PLACEMENTS.items():
        sent = [b for b in flat(made) if b.sensor == name]
        got = [b for of, b in joined if of is segment]
        for field in ("ticks", "host_ns", "readings", "saturated"):
            there, here = ([getattr(b, field) for b in blocks] for blocks in (sent, got))
            np.testing.assert_array_equal(np.concatenate(here), np.concatenate(there))
        numbers = [(b.epoch, b.first_seq + i) for b in got for i in range(len(b))]
        assert numbers == [(b.epoch, b.first_seq + i) for b in sent for i in range(len(b))]
        assert {b.time_sd_s for b in got} == {max(b.time_sd_s for b in sent)}


def test_a_clock_that_steps_back_changes_nothing_of_the_order(tmp_path):
    """The grid uses the sample that came first: live and afterwards it must be the same one."""
    made = list(turns(40, ["left"]))
    for later in made[20:]:  # further back than one block is long
        later[:] = [replace(b, host_ns=b.host_ns - 80_000_000) for b in later]
    del made[18]
    record(tmp_path / "r", made)
    joined = [b.first_seq for _, b in OwnRecording(tmp_path / "r").blocks()]
    assert joined == sorted(joined)


@pytest.mark.parametrize("dtype", [np.int16, np.float64])
def test_readings_stay_what_the_device_sent(tmp_path, dtype):
    made = [[block("a", i * 10, dtype=dtype), block("b", i * 10)] for i in range(30)]
    record(tmp_path / "r", made)
    for ours, theirs in zip(OwnRecording(tmp_path / "r").all_blocks(), flat(made), strict=True):
        assert_same(ours, theirs)


def test_a_sensor_that_comes_later_begins_a_new_segment(tmp_path):
    made = [*turns(40, ["left"]), *([block("late", i * 10)] for i in range(40))]
    record(tmp_path / "r", made)
    assert len(segment_paths(tmp_path / "r")) == 2
    assert len(list(OwnRecording(tmp_path / "r").all_blocks())) == 80


def test_rolls_to_a_sealed_segment_every_ten_minutes(tmp_path):
    record(tmp_path / "r", turns(30), step_ns=SEGMENT_NS // 10)
    names = [path.name for path in segment_paths(tmp_path / "r")]
    assert names == [f"segment-{i:04d}.parquet" for i in range(3)]
    assert not list((tmp_path / "r").glob(f"*{SUFFIX}"))
    assert len(list(OwnRecording(tmp_path / "r").all_blocks())) == 90


def test_a_segment_that_cannot_be_sealed_stays_as_it_is_and_the_recording_says_why(tmp_path):
    clock = Clock()
    writer = RecordingWriter(tmp_path / "r", HEADER, clock)
    for i, blocks in enumerate(turns(20)):
        clock.ns += SEGMENT_NS // 10
        if i == 11:
            # In the way of what the sealing process would write.
            (tmp_path / "r" / "segment-0001.sealing").mkdir()
        writer.write(blocks)
    writer.close()
    assert "segment-0001" in writer.stopped
    assert (tmp_path / "r" / "segment-0001.arrows").exists()
    assert verify_recording(tmp_path / "r") == []


def test_the_service_does_without_the_library_of_sealed_segments():
    program = "import sys, edge.acquire.__main__; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_counts_losses_and_not_restarts(tmp_path):
    made = [[block("left", 0)], [block("left", 25)], [block("left", 0, epoch=2)]]
    record(tmp_path / "r", made)
    count = read_manifest(tmp_path / "r").sensors["left"]
    assert (count.n, count.n_lost) == (30, 15)


def test_the_journal_holds_exchanges_wall_times_and_phases(tmp_path):
    clock = Clock()
    writer = RecordingWriter(tmp_path / "r", HEADER, clock, lambda: 10**18)
    writer.exchanges("left", [(1, Exchange(5, 100, 101, 9))])
    writer.marker("phase", phase="stand", start_s=1.0, end_s=11.0)
    clock.ns += BATCH_NS
    writer.write([block("left", 0)])
    writer.close()
    kinds = [entry["kind"] for entry in read_journal(tmp_path / "r")]
    assert kinds == ["manifest", "exchange", "marker", "wall"]
    assert OwnRecording(tmp_path / "r").phases == (
        {"phase": "stand", "start_s": 1.0, "end_s": 11.0},
    )


PROGRAM = """
import sys, time
from pathlib import Path
from edge.recording.writer import RecordingWriter
from tests.test_recording import HEADER, Clock, turns
clock = Clock()
writer = RecordingWriter(Path(sys.argv[1]), HEADER, clock)
for i, blocks in enumerate(turns(1_000_000)):
    clock.ns += 50_000_000
    writer.write(blocks)
    print(i, flush=True)
"""


@pytest.mark.parametrize("n_turns", [1, 17, 100])
def test_a_kill_costs_less_than_a_second(tmp_path, n_turns):
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, tmp_path / "r"], stdout=subprocess.PIPE
    )
    for _ in range(n_turns):
        child.stdout.readline()
    child.send_signal(signal.SIGKILL)
    n_written = n_turns + len(child.stdout.readlines())
    child.wait()
    child.stdout.close()
    manifest = recover_recording(tmp_path / "r")
    n = manifest.sensors["left"].n if manifest.segments else 0
    assert n >= (n_written - 1) * 10 - 200
    assert verify_recording(tmp_path / "r") == []


def test_says_that_an_open_recording_wants_recovering(tmp_path):
    record(tmp_path / "r", turns(30), close=False)
    with pytest.raises(UserError, match="evenstride recording recover"):
        OwnRecording(tmp_path / "r")
    assert recover_recording(tmp_path / "r").state == "recovered"
    assert len(list(OwnRecording(tmp_path / "r").all_blocks())) > 0


@pytest.fixture(scope="module")
def open_recording(tmp_path_factory):
    folder = tmp_path_factory.mktemp("torn") / "r"
    record(folder, turns(100), close=False)
    return folder


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(share=st.floats(0, 1), tail=st.sampled_from(["cut", "zeros", "noise"]), seed=st.integers(0))
def test_a_torn_live_segment_gives_whole_pieces_and_never_a_wrong_value(
    open_recording, share, tail, seed
):
    [path] = open_recording.glob(f"*{SUFFIX}")
    whole = path.read_bytes()
    at = int(share * len(whole))
    rest = {
        "cut": b"",
        "zeros": bytes(len(whole) - at),
        "noise": np.random.default_rng(seed).bytes(len(whole) - at),
    }[tail]
    torn = path.with_name("torn.bin")
    torn.write_bytes(whole[:at] + rest)
    pieces, true = list(read_live(torn)), list(read_live(path))
    for (_, ours), (_, theirs) in zip(pieces, true, strict=False):
        assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)
    assert len(pieces) >= int(share * len(true)) - 1


def test_a_journal_torn_in_a_line_keeps_the_lines_before(tmp_path):
    record(tmp_path / "r", turns(30), close=False)
    journal = tmp_path / "r" / JOURNAL
    journal.write_bytes(b'{"kind": "marker", "label": "a"}\n{"kind": "mar')
    recover_recording(tmp_path / "r")
    assert journal.read_bytes() == b'{"kind": "marker", "label": "a"}\n'


def test_recovering_twice_is_as_good_as_once(tmp_path):
    record(tmp_path / "r", turns(50), close=False)
    assert recover_recording(tmp_path / "r") == recover_recording(tmp_path / "r")


def test_two_that_recover_at_once_take_turns(tmp_path):
    record(tmp_path / "r", turns(200), close=False)
    with ThreadPoolExecutor(2) as pool:
        ours, theirs = pool.map(recover_recording, [tmp_path / "r"] * 2)
    assert ours.sensors == theirs.sensors
    assert verify_recording(tmp_path / "r") == []


def test_a_recording_that_is_being_written_cannot_be_recovered(tmp_path):
    writer = record(tmp_path / "r", turns(30), close=False)
    with pytest.raises(UserError, match="is being recorded just now; stop acquire first"):
        recover_recording(tmp_path / "r")
    writer.close()
    assert verify_recording(tmp_path / "r") == []


@pytest.mark.parametrize("column", ["sensor", "gyr_x"])
def test_a_damaged_sealed_segment_is_put_aside_and_the_rest_recovered(tmp_path, column):
    """Also where only other readers would meet the damage: its hash is about to be made anew."""
    record(tmp_path / "r", turns(100), step_ns=SEGMENT_NS // 50)
    [first, *others] = segment_paths(tmp_path / "r")
    assert others
    group = pq.read_metadata(first).row_group(0)
    [told] = [c for c in group.to_dict()["columns"] if c["path_in_schema"] == column]
    begin = told["dictionary_page_offset"] or told["data_page_offset"]
    flipped = bytearray(first.read_bytes())
    flipped[begin + told["total_compressed_size"] - 2] ^= 1
    first.write_bytes(flipped)
    manifest = recover_recording(tmp_path / "r")
    assert manifest.reason == f"damaged, and put aside: {first.name}"
    assert [segment.name for segment in manifest.segments] == [path.name for path in others]
    assert verify_recording(tmp_path / "r") == []


def test_a_segment_that_is_not_the_one_recorded_is_not_analysed(tmp_path):
    record(tmp_path / "r", turns(30))
    [path] = segment_paths(tmp_path / "r")
    table = pq.read_table(path)
    changed = {key: told.replace(b"0.15", b"0.14") for key, told in table.schema.metadata.items()}
    pq.write_table(table.replace_schema_metadata(changed), path)
    with pytest.raises(UserError, match="not what the manifest says was recorded"):
        list(OwnRecording(tmp_path / "r").all_blocks())


def test_a_recording_whose_manifest_is_gone_is_recovered_from_its_journal(tmp_path):
    record(tmp_path / "left" / "r", turns(100), close=False)
    (tmp_path / "left" / "r" / MANIFEST).write_bytes(b"")
    assert recover_all(tmp_path / "left") == [tmp_path / "left" / "r"]
    assert verify_recording(tmp_path / "left" / "r") == []
    assert read_manifest(tmp_path / "left" / "r").header == HEADER


def test_finds_an_altered_a_missing_and_a_strange_file(tmp_path):
    record(tmp_path / "r", turns(40))
    [sealed] = segment_paths(tmp_path / "r")
    shutil.copy(sealed, sealed.with_name("segment-0007.parquet"))
    content = bytearray(sealed.read_bytes())
    content[100] ^= 1
    sealed.write_bytes(content)
    faults = " ".join(verify_recording(tmp_path / "r"))
    assert "segment-0000.parquet: its content has changed" in faults
    assert "segment-0007.parquet: not in the manifest" in faults
    sealed.unlink()
    assert "segment-0000.parquet: missing" in " ".join(verify_recording(tmp_path / "r"))


def test_a_damaged_file_is_named_and_no_traceback(tmp_path):
    record(tmp_path / "r", turns(40))
    [sealed] = segment_paths(tmp_path / "r")
    sealed.write_bytes(sealed.read_bytes()[:-100])
    with pytest.raises(UserError, match=r"segment-0000.parquet: damaged"):
        list(OwnRecording(tmp_path / "r").all_blocks())


def test_a_disk_that_runs_full_stops_the_recording_and_keeps_what_is_there(tmp_path):
    clock = Clock()
    writer = RecordingWriter(tmp_path / "r", HEADER, clock)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, hard))
        for blocks in turns(200):
            clock.ns += 50_000_000
            writer.write(blocks)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, previous)
    assert writer.stopped is not None
    writer.close()
    assert recover_recording(tmp_path / "r").sensors["left"].n > 100
    assert read_manifest(tmp_path / "r").state == "stopped"


def test_a_journal_that_the_disk_refuses_is_said_and_not_raised(tmp_path):
    writer = RecordingWriter(tmp_path / "r", HEADER, Clock())
    # What was noted and not yet written meets a disk that takes nothing.
    os.dup2(os.open("/dev/full", os.O_WRONLY), writer._journal.fileno())
    writer.marker("remark", text="lost")
    writer.close()
    assert "No space left" in writer.stopped
    assert read_manifest(tmp_path / "r").state == "stopped"


def test_stops_before_the_disk_is_full_so_that_results_still_fit(tmp_path):
    writer = record(tmp_path / "r", turns(40), reserve_mb=1e9)
    assert "MB left on the disk" in writer.stopped
    assert read_manifest(tmp_path / "r").reason == writer.stopped


def test_refuses_a_folder_that_exists(tmp_path):
    with pytest.raises(UserError, match="cannot be recorded into"):
        RecordingWriter(tmp_path, HEADER)


@given(data=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_any_manifest_is_read_or_refused_in_a_sentence(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / MANIFEST).write_bytes(data)
    with pytest.raises(UserError, match=MANIFEST):
        read_manifest(folder)


def test_a_manifest_tells_the_versions_that_computed(tmp_path):
    record(tmp_path / "r", turns(20))
    manifest = json.loads((tmp_path / "r" / MANIFEST).read_text())
    assert {"evenstride", "numpy", "python"} <= manifest["software"].keys()
