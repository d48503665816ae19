"""A recording read again with its clocks fitted from both sides."""

from dataclasses import asdict

import numpy as np
import pytest

from edge.recording.manifest import Header
from edge.recording.reader import OwnRecording
from edge.recording.writer import RecordingWriter
from sensors import Segment
from sensors.node_stream import NodeStream
from sensors.virtual.crystal import Crystal
from sensors.virtual.faults import Reboot
from sensors.virtual.firmware import Firmware
from sensors.virtual.line import USB
from sensors.virtual.rehearsal import rehearse
from sensors.virtual.sampler import Board
from sensors.virtual.wire import Wire

SECOND = 1_000_000_000
TURN_HZ = 0.5


def swinging(time_s):
    """The phase of the turning tells the true time."""
    gyr = np.zeros((len(time_s), 3))
    gyr[:, 0] = 30 * np.sin(2 * np.pi * TURN_HZ * time_s)
    gyr[:, 1] = 30 * np.cos(2 * np.pi * TURN_HZ * time_s)
    return gyr, np.tile([0.0, 0.0, 9.80665], (len(time_s), 1)), None


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """Three minutes of one node that wanders and restarts once."""
    folder = tmp_path_factory.mktemp("recordings") / "r"
    header = Header(session="s", rate_hz=200, origin_ns=0, placements={"n": Segment.PELVIS})
    writer = RecordingWriter(folder, header, lambda: 0)
    board = Board(crystal=Crystal(35.0, 2.0, 60.0))
    wire = Wire(Firmware("n", swinging, board=board), model=USB, faults=[Reboot(every_s=120.003)])
    stream = NodeStream()
    for block in rehearse(wire, stream, until_ns=180 * SECOND):
        writer.write([block])
    writer.marker("hello", node="n", hello={**asdict(stream.hello), "uid": ""})
    writer.exchanges("n", stream.take_exchanges())
    writer.close()
    return folder


def errors_s(blocks):
    """Host time less the time that the motion tells."""
    parts = []
    for _, block in blocks:
        true_s = np.arctan2(block.gyr[:, 0], block.gyr[:, 1]) / (2 * np.pi * TURN_HZ)
        error = block.host_ns * 1e-9 - true_s
        parts.append(error - np.rint(error * TURN_HZ) / TURN_HZ)
    return np.concatenate(parts)


def test_times_fitted_afterwards_are_truer(recording):
    live = errors_s(OwnRecording(recording).blocks())
    after = errors_s(OwnRecording(recording, refit_clocks=True).blocks())
    assert len(after) == len(live)
    assert np.std(after) < 0.7 * np.std(live)
    assert np.quantile(np.abs(after), 0.999) < 0.1e-3


def test_a_recording_without_exchanges_keeps_its_times(recording):
    (recording / "journal.jsonl").rename(recording / "aside")
    kept = errors_s(OwnRecording(recording, refit_clocks=True).blocks())
    live = errors_s(OwnRecording(recording).blocks())
    (recording / "aside").rename(recording / "journal.jsonl")
    assert np.array_equal(kept, live)
