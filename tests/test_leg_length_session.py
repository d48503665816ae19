"""A protocol within a running session: over the control socket, into the recording, and out."""

from __future__ import annotations

import numpy as np
import pytest
from typer.testing import CliRunner

from edge.acquire.control import ControlServer, ask
from edge.acquire.session import Session
from edge.analyze import analyse_recording, person_of
from edge.cli.app import app
from edge.clinic import INTAKE, LEG_LENGTH, ProtocolRun
from edge.clinic.live import IDLE_S, LONGEST_S, LiveWindow, RemoteLive, decode, encode
from edge.config import load_config
from edge.contract import LEG_LENGTH as CHANNEL
from edge.errors import UserError
from edge.recording.manifest import Header
from edge.recording.reader import OwnRecording
from edge.recording.writer import RecordingWriter
from edge.results import LegLength
from edge.store.store import Context, Store
from edge.timegrid import Span
from sensors import Block, Segment
from tests.clinic_person import RATE_HZ, Protocol, obliquity_of

PLACEMENTS = {"back": Segment.PELVIS}
INFO = {"hip_width_mm": 172.0, "hip_width_sd_mm": 10.3, "shoe_insert": True}


def some_span(start_s: float, n: int = 200) -> Span:
    rng = np.random.default_rng(round(start_s))
    flags = rng.random((2, n, 2)) < 0.5
    gyr, acc = rng.normal(size=(2, n, 2, 3))
    segments = (Segment.PELVIS, Segment.LEFT_FOOT)
    return Span(100.0, start_s, segments, gyr, acc, None, flags[0], flags[1])


def test_a_span_comes_through_json_to_the_bit():
    span = some_span(3.25)
    back = decode(encode(span))
    assert (back.rate_hz, back.start_s, back.segments) == (100.0, 3.25, span.segments)
    for name in ("gyr", "acc", "valid", "saturated"):
        np.testing.assert_array_equal(getattr(back, name), getattr(span, name))


def test_the_newest_seconds_marks_and_the_result_go_over_the_socket(tmp_path):
    published = []
    window = LiveWindow(published.append)
    with ControlServer(tmp_path / "control", window.commands()):
        live = RemoteLive(tmp_path / "control")
        with pytest.raises(UserError, match="no samples yet"):
            live.last(1.0)
        window.add(some_span(0.0))
        live.mark("info", {"walking_aid": False})
        for i in range(1, 200):
            window.add(some_span(2.0 * i))
        newest = live.last(3.0)
        assert len(newest) == 300
        assert newest.start_s == pytest.approx(397.0)
        assert len(live.last(LONGEST_S)) == LONGEST_S * 100
        live.mark("phase", {"phase": "stand", "start_s": 1.0, "end_s": 2.0})
        live.mark("rejected", {"why": "sway"})
        live.publish(LegLength(difference_mm=None, refused="nobody stood"))
        assert [label for label, _ in window.take_marks()] == [
            "info",
            "phase",
            "rejected",
        ]
        assert window.take_marks() == []
        assert published[0].refused == "nobody stood"
        for wrong in ({"seconds": 1e9}, {"seconds": "ten"}, {}):
            with pytest.raises(UserError, match="seconds"):
                ask(tmp_path / "control", "live", **wrong)
        with pytest.raises(UserError, match="expected a label"):
            ask(tmp_path / "control", "mark", label="start", what={})
        with pytest.raises(UserError, match="not a result"):
            ask(tmp_path / "control", "leg_length", result="{}")


def test_little_is_kept_in_memory_while_no_protocol_speaks():
    window = LiveWindow(print)
    for i in range(100):
        window.add(some_span(2.0 * i))
    assert len(window.last(LONGEST_S)) <= (IDLE_S + 4.0) * 100


class Patient:
    """Wears one sensor that sends all the time, and does what the steps ask."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._sent = 0

    def perform(self, step) -> None:
        doing = Protocol(obliquity_of(0.012))
        if step.phase == "bows":
            doing.bow([0.2, -0.2] * 4)
        else:
            doing.stand(facing=step.facing, seconds=step.seconds)
        span = doing.span()
        for start in range(0, len(span), 50):
            self._session.take([self._block(span.part(start, min(start + 50, len(span))))])

    def _block(self, span: Span) -> Block:
        number = self._sent + np.arange(len(span))
        self._sent += len(span)
        return Block(
            sensor="back",
            epoch=1,
            first_seq=int(number[0]),
            ticks=number,
            host_ns=(number * 1e9 / RATE_HZ).astype(np.int64),
            readings=np.hstack([span.gyr[:, 0], span.acc[:, 0]]),
            scale=np.ones(6),
            saturated=np.zeros(len(span), dtype=bool),
            time_sd_s=1e-5,
        )


def test_the_result_told_at_once_is_the_one_that_the_recording_gives(tmp_path):
    store = Store(tmp_path / "store.sqlite")
    header = Header(session="s-1", rate_hz=RATE_HZ, origin_ns=0, placements=PLACEMENTS)
    session = Session(
        rate_hz=RATE_HZ,
        placements=PLACEMENTS,
        origin_ns=0,
        writer=RecordingWriter(tmp_path / "s-1", header, lambda: 0),
        store=store,
        about=Context(session="s-1"),
    )
    patient = Patient(session)
    run = ProtocolRun(tuple(s for s in LEG_LENGTH if not s.optional and s.phase != "walk"))
    with ControlServer(tmp_path / "control", session.window.commands()):
        live = RemoteLive(tmp_path / "control")
        live.mark("info", INFO)
        while run.step is not None:
            patient.perform(run.step)
            # The bows are over sooner than their time.
            span = live.last(min(run.step.seconds, 30.0))
            live.mark("phase", run.keep(run.judge(span), span))
        at_once = run.estimate(person_of(INFO))
        live.publish(at_once)
    session.take([])
    session.finish()
    later = analyse_recording(OwnRecording(tmp_path / "s-1")).leg_length
    assert at_once.refused is None
    assert at_once.difference_mm == pytest.approx(12.0, abs=0.3)
    assert at_once.flags == ("shoe_insert",)
    assert later == at_once
    assert CHANNEL in [channel for channel, _, _ in store.outbox.latest()]
    store.close()


def test_the_command_leads_through_the_intake_and_can_be_ended(tmp_path):
    config = tmp_path / "evenstride.toml"
    config.write_text(f"[folders]\nruntime = '{tmp_path}'\n")
    window = LiveWindow(lambda _: None)
    with ControlServer(load_config(config).folders.socket, window.commands()):
        answers = ["180", *[""] * (len(INTAKE) - 1), "s", "q"]
        told = CliRunner().invoke(
            app, ["session", "protocol", "leg-length", "-c", str(config)], input="\n".join(answers)
        )
    assert told.exit_code == 0, told.output
    assert "Ended before P2.1a" in told.output
    assert window.take_marks() == [("info", {"Height": 180.0})]


def test_a_protocol_that_nobody_knows_is_named(tmp_path):
    told = CliRunner().invoke(app, ["session", "protocol", "arm-length"])
    assert isinstance(told.exception, UserError)
    assert "arm-length" in str(told.exception)
