"""What of the recordings goes, and what never does."""

from __future__ import annotations

import shutil
import time

from edge.recording.manifest import MANIFEST, read_manifest
from edge.recording.retention import prune_recordings, recover_all
from edge.store.identity import utc_text
from tests.test_recording import record, turns

DAY_NS = 86_400 * 10**9


def recorded(root, name, days_ago=0.0, *, close=True):
    folder = root / name
    record(folder, turns(40), close=close, utc_ns=lambda: time.time_ns() - round(days_ago * DAY_NS))
    return folder


def free_mb(root):
    return shutil.disk_usage(root).free / 1e6


def test_old_samples_go_and_their_manifest_stays(tmp_path):
    old, new = recorded(tmp_path, "old", 31), recorded(tmp_path, "new", 29)
    [pruned] = prune_recordings(tmp_path, 30, 0)
    assert (pruned.folder, pruned.reason) == (old, "older than 30 days")
    assert [path.name for path in old.iterdir()] == [MANIFEST]
    assert read_manifest(old).state == "pruned"
    assert read_manifest(old).sensors["left"].n == 400
    assert read_manifest(new).state == "complete"


def test_the_oldest_go_first_while_room_is_short(tmp_path):
    names = [recorded(tmp_path, f"r{i}", 10 - i) for i in range(3)]
    [pruned] = prune_recordings(tmp_path, 365, free_mb(tmp_path) + 0.01, dry_run=True)
    assert pruned.folder == names[0]
    assert pruned.reason == "no room"


def test_a_dry_run_deletes_nothing(tmp_path):
    folder = recorded(tmp_path, "old", 31)
    assert len(prune_recordings(tmp_path, 30, 0, dry_run=True)) == 1
    assert read_manifest(folder).state == "complete"


def test_a_recording_that_runs_is_never_touched(tmp_path):
    recorded(tmp_path, "open", 31, close=False)
    assert prune_recordings(tmp_path, 30, 0) == []


def test_the_next_start_closes_what_a_crash_left_open(tmp_path):
    left = recorded(tmp_path, "open", close=False)
    recorded(tmp_path, "whole")
    (tmp_path / "strange").mkdir()
    assert recover_all(tmp_path) == [left]
    assert read_manifest(left).state == "recovered"
    assert read_manifest(left).started <= utc_text(time.time_ns())
