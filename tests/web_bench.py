"""A store as a day leaves it, and an `acquire` that answers: what tests of the page look at."""

from __future__ import annotations

import contextlib
import time

import numpy as np

from edge.acquire.control import ControlServer
from edge.contract import (
    BOUT,
    COMPARISON,
    LEG_LENGTH,
    SESSION,
    STRIDE,
    SUMMARY_DAY,
    SUMMARY_HOUR,
)
from edge.messages import NodeStatus, Session
from edge.results import Bout, Stride
from edge.store.identity import new_ulid, utc_text
from edge.store.store import Context, Store
from sensors import Segment, Side
from tests.test_summaries import day_of, walk

SUBJECT = "K7Q2-M9XD-0"
HOUR_NS = 3_600_000_000_000


def live_stride(side, end_s, time_s=1.1, length_m=1.3, flags=()):
    """A stride of the live analysis; `end_s` counts from the beginning of the session."""
    return Stride(
        side=side,
        bout=1,
        stage="live",
        initial_contact_s=end_s - time_s,
        final_contact_s=end_s - 0.4 * time_s,
        next_initial_contact_s=end_s,
        stride_time_s=time_s,
        stride_time_sd_s=0.01,
        stride_length_m=length_m,
        stride_length_sd_m=0.02,
        stance_time_s=0.6 * time_s,
        steady=not flags,
        flags=flags,
    )


def node(segment, **changed):
    told = {
        "segment": segment,
        "link": "up",
        "rate_hz": 200.0,
        "n_samples": 10_000,
        "n_lost": 0,
        "clock_sd_s": 0.0002,
    }
    return NodeStatus(**{**told, **changed})


def five_nodes():
    return {segment.value.replace("_", "-"): node(segment) for segment in Segment}


def answer_of(nodes, session):
    """What `acquire` answers."""
    return {
        "nodes": {name: found.model_dump(mode="json") for name, found in nodes.items()},
        "session": session,
    }


@contextlib.contextmanager
def answering(folder, nodes, session):
    with ControlServer(folder / "control.sock", {"nodes": lambda _: answer_of(nodes, session)}):
        yield


def fill_store(folder, now_ns=None, hours=8.5):
    """A running session of some hours, with walks, summaries, leg length and a comparison."""
    now_ns = now_ns or time.time_ns()
    zero_ns = now_ns - round(hours * HOUR_NS)
    mono_zero_ns = time.monotonic_ns() - round(hours * HOUR_NS)
    about = Context(session=new_ulid(zero_ns), subject=SUBJECT)
    utc = {"ns": zero_ns}
    mono = {"ns": mono_zero_ns}
    store = Store(folder / "store.sqlite", lambda: mono["ns"], lambda: utc["ns"])

    def add(channel, data, at_s, **address):
        utc["ns"], mono["ns"] = (zero + round(at_s * 1e9) for zero in (zero_ns, mono_zero_ns))
        store.add(channel, data, mono["ns"], about, **address)

    add(SESSION, _session(about, zero_ns), 0.0)
    rng = np.random.default_rng(1)
    walks = [
        walk(k + 1, 200.0 + 400.0 * k + rng.uniform(0, 90), int(rng.integers(10, 90)),
             speed_mps=rng.normal(1.15, 0.08), rng=rng)
        for k in range(int(hours * 9) - 1)
    ]  # fmt: skip
    for found in walks:
        bout = found.bouts[0].model_copy(
            update={"speed_sd_mps": 0.03, "stride_length_m": 1.2, "stride_length_sd_m": 0.012}
        )
        add(BOUT, bout, bout.end_s)
    for period, summary in day_of(walks, hours):
        if period == "hour" and summary.end_s <= hours * 3600.0:
            add(SUMMARY_HOUR, summary, summary.end_s)
        elif period == "day":
            add(SUMMARY_DAY, summary, hours * 3600.0 - 30.0)
    add(LEG_LENGTH, LEG_LENGTH.example.model_copy(update={"longer_side": "right"}), 60.0)
    add(COMPARISON, COMPARISON.example, 90.0)
    for k in range(20):
        side = Side.LEFT if k % 2 else Side.RIGHT
        end_s = hours * 3600.0 - 0.55 * (20 - k)
        add(STRIDE, live_stride(side, end_s, 1.1 + 0.01 * rng.normal()), end_s)
    store.tell("link", "warning", "node left-foot is silent since 2.1 s", node="left-foot")
    store.close()
    return about.session


def bout_of(number=1, start_s=10.0, end_s=40.0):
    return Bout(bout=number, start_s=start_s, end_s=end_s, n_strides=54, cadence_spm=109.0,
                speed_mps=1.21, speed_sd_mps=0.03, stride_length_m=1.3,
                stride_length_sd_m=0.012)  # fmt: skip


def _session(about, zero_ns):
    return Session(
        session=about.session,
        subject=about.subject,
        protocol="free-living",
        started=utc_text(zero_ns),
        assignments={segment.value.replace("_", "-"): segment for segment in Segment},
        calibrations=("pelvis/1",),
    )
