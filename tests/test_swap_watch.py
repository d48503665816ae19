"""Sensors on the wrong side are noticed within a few strides of a running session."""

from __future__ import annotations

import contextlib
import sqlite3

import numpy as np

from edge.acquire.session import Session
from edge.acquire.swap_watch import MOST_STRIDES, PAUSE_S, STRIDES_A_LOOK, SwapWatch
from edge.algorithms import gait_algorithm
from edge.recording.manifest import Header
from edge.recording.writer import RecordingWriter
from edge.store.store import Context, Store
from edge.timegrid import Span
from sensors import Block, Segment
from sensors.virtual import Imperfections, Stand, VirtualPerson, Walk, Walker

RATE_HZ = 200.0
WORN = {segment.value: segment for segment in Segment}
SWAPPED = WORN | {"left_foot": Segment.RIGHT_FOOT, "right_foot": Segment.LEFT_FOOT}


class Clock:
    ns = 0

    def __call__(self):
        return self.ns


def walk_through(folder, configured):
    """Events about the fitting, and the stride at which the first of them came."""
    walker = Walker(VirtualPerson(), [Stand(3.0), Walk(16), Stand(2.0)], 1)
    time_s = np.arange(0, walker.end_s, 1 / RATE_HZ)
    dice = np.random.default_rng(3)
    readings = {}
    for name, segment in WORN.items():
        turn = dice.normal(size=4) * 0.1 + (1.0, 0.0, 0.0, 0.0)
        worn = Imperfections(tuple(turn / np.linalg.norm(turn)), gyr_noise=0.0012, acc_noise=0.02)
        gyr, acc, _ = walker.sensor(segment, worn)(time_s)
        readings[name] = np.hstack([gyr, acc])
    clock = Clock()
    store = Store(folder / "store.sqlite", clock)
    header = Header(session="s", rate_hz=RATE_HZ, origin_ns=0, placements=configured)
    session = Session(
        rate_hz=RATE_HZ,
        placements=configured,
        origin_ns=0,
        writer=RecordingWriter(folder / "r", header, clock),
        store=store,
        about=Context(session="s", algo=gait_algorithm()),
    )
    noticed_at = None
    for start in range(0, len(time_s), 50):
        number = np.arange(start, min(start + 50, len(time_s)))
        clock.ns = int(number[-1] * 5_000_000)
        session.take(
            [
                Block(
                    name,
                    0,
                    start,
                    number,
                    number * 5_000_000,
                    rows[number],
                    np.ones(6),
                    np.zeros(len(number), bool),
                    1e-5,
                )
                for name, rows in readings.items()
            ]
        )
        store.commit()
        if noticed_at is None and events(folder):
            noticed_at = session.n_strides
    session.finish()
    store.close()
    return events(folder), noticed_at


def events(folder):
    with contextlib.closing(sqlite3.connect(folder / "store.sqlite")) as db:
        rows = db.execute("SELECT payload FROM results WHERE stream LIKE 'event/fitting%'")
        return [payload for (payload,) in rows]


def test_a_swap_is_told_once_and_within_a_few_strides(tmp_path):
    [found], noticed_at = walk_through(tmp_path, SWAPPED)
    assert b"left_foot and right_foot are swapped" in found
    assert noticed_at <= 13  # of both sides, from the first step on


def test_walking_that_tells_nothing_is_looked_at_again_and_what_is_sure_only_after_a_pause():
    looks = []

    def standing(seconds):
        looks.append(seconds)
        n = 1000
        gyr, acc = np.zeros((n, 5, 3)), np.tile([0.0, 0.0, 9.81], (n, 5, 1))
        return Span(
            RATE_HZ, 0.0, tuple(Segment), gyr, acc, None, np.ones((n, 5), bool),
            np.zeros((n, 5), bool),
        )  # fmt: skip

    watch = SwapWatch(WORN)
    for n_strides in range(200):
        assert watch.look(n_strides, n_strides * 0.6, standing) == ()
    assert len(looks) == MOST_STRIDES // STRIDES_A_LOOK
    for n_strides in range(200, 220):
        watch.look(n_strides, n_strides * 0.6 + 10 * PAUSE_S, standing)
    assert len(looks) == MOST_STRIDES // STRIDES_A_LOOK + 3
