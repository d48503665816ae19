"""Targets that take a file, a payload or a request: what must hold is that each is read, or refused
with an error that has a sentence for people.

Each target is a function that makes its seeds and its check; the check takes the bytes.
"""

import contextlib
import io
import json
import shutil
import socket
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["edge", "sensors", "calibration"]):
    from calibration.store import StoreError, read_toml
    from edge.acquire.control import ControlServer
    from edge.calibrate.fittings import FILE as FITTING
    from edge.calibrate.fittings import last_alignments
    from edge.clinic.live import LiveWindow
    from edge.config import load_config
    from edge.contract import CHANNELS
    from edge.envelope import encode
    from edge.errors import UserError
    from edge.operation.audit import Audit
    from edge.papers.check import TrafficCheck, check_payload
    from edge.publish.commands import Commands
    from edge.publish.mqtt_link import Message
    from edge.recording.archive import DAMAGE, read_pieces, seal_segment, verify_recording
    from edge.recording.live import SUFFIX, read_live
    from edge.recording.manifest import JOURNAL, MANIFEST
    from edge.recording.reader import OwnRecording
    from edge.store.store import Store
    from sensors.plain import RecordingError, open_plain

import numpy as np

from tests.test_recording import block, record

HERE = Path(tempfile.mkdtemp(prefix="evenstride-fuzz-"))


def small_recording(*, close):
    folder = HERE / "r"
    blocks = [block(name, i * 10, 5) for i in range(2) for name in ("left", "pelvis")]
    writer = record(folder, [blocks], step_ns=1_000_000_000, close=False)
    writer.marker("phase", name="walk")
    writer.marker("info", height_m=1.7)
    writer.marker("hello", node="left", hello={"tick_hz": 1e6})
    writer._journal.flush()
    if close:
        writer.close()
    return folder


def configuration():
    path = HERE / "evenstride.toml"
    seed = b'site = "a"\n[broker]\nhost = "::1"\nport = 1\ntls = true\n[nodes.x]\nport = "i2c-1"\n'

    def check(data):
        path.write_bytes(data)
        load_config(path)

    return [seed, b"[storage]\nreserve_mb = 1e3\n[time]\nspeed = 2"], check


def command():
    store = Store(HERE / "store.sqlite")
    obey = Commands(HERE / "none.sock", store, Audit(HERE / "audit.jsonl"), lambda: 0)

    def check(data):
        name, _, payload = data.partition(b"\n")
        obey(name.decode("latin-1"), payload)
        store.outbox.done([row.n for row in store.outbox.rows(0, 1 << 62, 100)])

    return [b'mark\n{"correlation": "c-1", "arguments": {"label": "info", "what": "x"}}'], check


def control_socket():
    path = HERE / "control.sock"
    window = LiveWindow(lambda _result: None)
    ControlServer(path, window.commands()).__enter__()

    def check(data):
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(5.0)
            link.connect(str(path))
            link.sendall(data + b"\n")
            link.shutdown(socket.SHUT_WR)
            replies = [json.loads(line) for line in link.makefile("rb")]
        assert len(replies) == data.count(b"\n") + 1
        window.take_marks()

    requests = [
        {"command": "live", "seconds": 1},
        {"command": "mark", "label": "info", "what": {}},
        {"command": "leg_length", "result": "{}"},
    ]
    return [json.dumps(request).encode() for request in requests], check


def live_segment():
    path = HERE / f"torn{SUFFIX}"
    [seed] = small_recording(close=False).glob(f"*{SUFFIX}")

    def check(data):
        path.write_bytes(data)
        for _ in read_live(path):
            pass

    return [seed.read_bytes()], check


def sealed_segment():
    path = HERE / "torn.parquet"
    [live] = small_recording(close=False).glob(f"*{SUFFIX}")
    seed = seal_segment(live).read_bytes()

    def check(data):
        path.write_bytes(data)
        with contextlib.suppress(*DAMAGE):
            list(read_pieces(path))

    return [seed], check


def recording():
    """Manifest and journal of a finished recording; the samples are sound."""
    folder = small_recording(close=True)
    seed = (folder / MANIFEST).read_bytes() + b"\0" + (folder / JOURNAL).read_bytes()
    exchange = {"kind": "exchange", "t_mono_ns": 1, "sensor": "left", "epoch": 1}
    ticks = {"sent_ns": 1, "node_received_ticks": 2, "node_sent_ticks": 3, "received_ns": 4}

    def check(data):
        manifest, _, journal = data.partition(b"\0")
        (folder / MANIFEST).write_bytes(manifest)
        (folder / JOURNAL).write_bytes(journal)
        verify_recording(folder)
        opened = OwnRecording(folder, refit_clocks=True)
        assert isinstance(opened.info, dict)
        assert isinstance(opened.phases, tuple)
        assert opened.duration_s is not None
        list(opened.blocks())

    return [seed, seed + (json.dumps(exchange | ticks) + "\n").encode() * 30], check


def calibration():
    path = HERE / "left.toml"

    def check(data):
        path.write_bytes(data)
        read_toml(path)

    return [b'schema = "calibration/1.0"\nsensor = "a"\n[gyr]\nbias = [0.0, 0.0, 0.0]\n'], check


def fitting():
    path = HERE / FITTING

    def check(data):
        path.write_bytes(data)
        last_alignments(HERE)

    return [b'{"sensors": [{"alignment": null}, {"alignment": {"sensor": "x"}}]}'], check


def plain_csv():
    path = HERE / "a.csv"
    seed = b"time,left_foot_gyr_x,left_foot_gyr_y,left_foot_gyr_z,left_foot_acc_x\n0,1,2,3,4\n"
    return [seed, b"# fs: 100\n" + seed], plain_check(path)


def plain_npz():
    path, made = HERE / "a.npz", io.BytesIO()
    zeros = np.zeros((4, 3))
    np.savez(made, fs=100.0, left_foot_gyr=zeros, left_foot_acc=zeros, info="{}", phases="[]")
    return [made.getvalue()], plain_check(path)


def plain_check(path):
    def check(data):
        path.write_bytes(data)
        opened = open_plain(path)
        list(opened.blocks())

    return check


def payload():
    return [example(channel) for channel in CHANNELS], check_payload


def traffic():
    def check(data):
        topic, _, content = data.partition(b"\n")
        retained = len(content) % 2 == 0
        seen = TrafficCheck()
        seen.see(Message(topic.decode("utf-8", "replace"), content, retain=retained))
        seen.report()

    return [b"evenstride/v1/a/b/gait/stride\n" + example(CHANNELS[0])], check


def example(channel):
    store = Store(HERE / f"{channel.name.replace('/', '-')}.sqlite")
    names = dict.fromkeys(("node", "kind", "command", "family", "segment"), "x")
    try:
        return encode(store.compose(channel, channel.example, 0, **names))
    finally:
        store.close()


def audit():
    path = HERE / "other.jsonl"
    Audit(path).note("start", session="s")
    seed = path.read_bytes()

    def check(data):
        path.write_bytes(data)
        Audit(path).note("stop")
        Audit(path).verify()

    return [seed, seed * 2], check


TARGETS = {
    made.__name__: made
    for made in (
        *(configuration, command, control_socket, live_segment, sealed_segment, recording),
        *(calibration, fitting, plain_csv, plain_npz, payload, traffic, audit),
    )
}
REFUSALS = (UserError, RecordingError, StoreError)


def main():
    name = sys.argv.pop(1)
    seeds, check = TARGETS[name]()
    for place in (Path(word) for word in sys.argv[1:]):
        if place.is_dir():
            for i, seed in enumerate(seeds):
                (place / f"seed-{i}").write_bytes(seed)

    def one_input(data):
        with contextlib.suppress(*REFUSALS):
            check(data)

    atheris.Setup(sys.argv, one_input)
    try:
        atheris.Fuzz()
    finally:
        shutil.rmtree(HERE)


if __name__ == "__main__":
    main()
