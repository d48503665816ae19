"""Whatever bytes come from outside are read or refused in a sentence; `make fuzz` digs deeper.

Each finding of the fuzzer stands here with its bytes.
"""

from __future__ import annotations

import contextlib
import io
import json
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calibration.store import StoreError, read_toml
from edge.calibrate.fittings import FILE, last_alignments
from edge.errors import UserError
from edge.operation.audit import Audit
from edge.publish.commands import Commands
from edge.recording.live import read_live
from edge.recording.manifest import JOURNAL
from edge.recording.reader import OwnRecording
from edge.store.store import Store
from sensors.plain import RecordingError, open_plain
from tests.test_recording import record, turns


def plain(path):
    for _ in open_plain(path).blocks():
        pass


def fitting(path):
    last_alignments(path.parent)


def live(path):
    for _ in read_live(path):
        pass


READERS = [("a.csv", plain), ("a.npz", plain), ("a.toml", read_toml), (FILE, fitting), ("a", live)]
some_bytes = st.one_of(
    st.binary(max_size=200),
    st.text("t,\n0123456789.-e_xyzagcrightleftfoot[]{}=\"'", max_size=200).map(str.encode),
)


@pytest.mark.parametrize(("name", "read"), READERS, ids=lambda x: getattr(x, "__name__", x))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=some_bytes)
def test_any_file_is_read_or_refused_in_a_sentence(tmp_path, name, read, data):
    path = tmp_path / name
    path.write_bytes(data)
    with contextlib.suppress(UserError, RecordingError, StoreError):
        read(path)


def packed(method):
    """An .npz whose central directory claims a method of packing."""
    made = io.BytesIO()
    np.savez(made, fs=100.0)
    whole = bytearray(made.getvalue())
    at = whole.index(b"PK\x01\x02")
    whole[at + 10 : at + 12] = method.to_bytes(2, "little")
    return bytes(whole)


def foreign_info():
    """An .npz whose member `info` is no array."""
    made = io.BytesIO(two_rows())
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr("info.npy", b"none")
    return made.getvalue()


def two_rows(**arrays):
    made = io.BytesIO()
    zeros = np.zeros((2, 3))
    np.savez(made, **{"fs": 100.0, "left_foot_gyr": zeros, "left_foot_acc": zeros, **arrays})
    return made.getvalue()


FOUND = [
    ("a.csv", b"t\nt"),
    ("a.npz", packed(6)),
    ("a.npz", packed(zipfile.ZIP_LZMA)),
    ("a.npz", two_rows(fs=np.zeros(2000)).replace(b", }", b", (")),
    ("a.npz", foreign_info()),
    ("a.npz", two_rows(fs="fast")),
    ("a.npz", two_rows(info=7)),
    ("a.npz", two_rows(protocol="[" * 100_000)),
    ("a.npz", two_rows(t=np.array([0.0, np.inf]))),
    ("a.npz", two_rows(left_foot_acc=np.array([["a", "b", "c"]] * 2))),
]


@pytest.mark.parametrize(("name", "data"), FOUND)
def test_a_plain_recording_that_the_fuzzer_found_is_refused(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(RecordingError, match=str(path)):
        plain(path)


def test_a_deeply_nested_calibration_is_refused(tmp_path):
    path = tmp_path / "left.toml"
    path.write_text("a = " + "[" * 100_000)
    with pytest.raises(StoreError, match="not a readable TOML file"):
        read_toml(path)


@pytest.mark.parametrize("lack", ["sensor", "epoch", "sent_ns"])
def test_a_journal_with_a_strange_exchange_is_named(tmp_path, lack):
    record(tmp_path / "r", turns(30))
    entry = {"kind": "exchange", "sensor": "left", "epoch": 1, "sent_ns": 1, "received_ns": 4}
    del entry[lack]
    (tmp_path / "r" / JOURNAL).write_text(json.dumps(entry) + "\n")
    with pytest.raises(UserError, match="analyse it without --refit-clocks"):
        list(OwnRecording(tmp_path / "r", refit_clocks=True).blocks())


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(max_size=40), payload=some_bytes)
def test_any_command_is_answered_or_passed_over(tmp_path, name, payload):
    store = Store(tmp_path / "store.sqlite")
    Commands(tmp_path / "none.sock", store, Audit(tmp_path / "audit"), lambda: 0)(name, payload)
    store.close()
