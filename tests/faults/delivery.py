"""Faults on the way to the broker: the real `evenstride publish`, a real mosquitto, a bad wire."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from edge.contract import STRIDE
from edge.store.store import Store
from tests.faults.outcome import Outcome
from tests.mosquitto import Mosquitto
from tests.proxy import Proxy
from tests.subscriber import Subscriber

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator
    from pathlib import Path

FAULTS = ("killed broker", "cut wire", "half-open wire", "slow wire", "refusing wire")
MODES = {"half-open wire": "half_open", "slow wire": "slow", "refusing wire": "refusing"}
DRAIN_S = 300.0


class Publish:
    """`evenstride publish` as a process, killed and started again."""

    def __init__(self, folder: Path, port: int) -> None:
        self._config = folder / "evenstride.toml"
        self._config.write_text(
            f'[broker]\nhost = "127.0.0.1"\nport = {port}\nretry_s = 0.05\npatience_s = 1.0\n'
            f'backfill_per_s = 5000\n[folders]\nstate = "{folder}"\nruntime = "{folder}"\n'
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "edge", "publish", "--config", self._config]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


class Rig:
    """Store, publisher, wire, broker and consumer of one run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broker = Mosquitto(folder)
        self.broker.start()
        self.wire = Proxy(self.broker.port)
        self.consumer = Subscriber(self.broker.port)
        self.store = Store(folder / "store.sqlite")
        self.publish = Publish(folder, self.wire.port)
        self.publish.start()
        self.ids: list[str] = []

    def add(self, n: int) -> None:
        for _ in range(n):
            self.ids.append(self.store.add(STRIDE, STRIDE.example, time.monotonic_ns()))
        self.store.commit()

    def wait_until_delivered(self) -> float:
        began = time.monotonic()
        while self.store.outbox.backlog().depth:
            if time.monotonic() - began > DRAIN_S:
                break
            time.sleep(0.02)
        return time.monotonic() - began

    def judge(self, outcome: Outcome) -> Outcome:
        """Count what is missing, doubled or out of order at the consumer."""
        # The consumer may be slower than the edge: wait as long as it still hears something new.
        self.consumer.wait_until_quiet(3.0)
        strides = self.consumer.payloads("gait/stride")
        outcome.lost += len(set(self.ids) - self._heard())
        again = sum(Counter(s["id"] for s in strides).values()) - len(self._heard())
        first = {s["id"]: s for s in reversed(strides)}
        places = Counter((s["boot_id"], s["stream"], s["seq"]) for s in first.values())
        outcome.duplicated += sum(n - 1 for n in places.values())
        outcome.disordered += disorder(strides)
        outcome.note = f"{len(self.ids)} results, {again} sent again with the same id"
        return outcome

    def _heard(self) -> set[str]:
        return {s["id"] for s in self.consumer.payloads("gait/stride")}

    def close(self) -> None:
        self.publish.kill()
        self.consumer.close()
        self.wire.close()
        self.broker.kill()
        self.store.close()


def disorder(strides: list[dict]) -> int:
    """How often a number is smaller than the one before, by lane, each id counted once."""
    seen: set[str] = set()
    last: dict[tuple[str, bool], int] = {}
    n = 0
    for stride in strides:
        if stride["id"] in seen:
            continue
        seen.add(stride["id"])
        lane = (stride["boot_id"], stride["historical"])
        n += stride["seq"] < last.get(lane, -1)
        last[lane] = stride["seq"]
    return n


@contextmanager
def rig_in(folder: Path) -> Iterator[Rig]:
    folder.mkdir()
    rig = Rig(folder)
    try:
        yield rig
    finally:
        rig.close()


def broker_faults(folder: Path, tries: int, dice: random.Random) -> Outcome:
    """All faults of broker and wire in random order, while results keep coming."""
    outcome = Outcome("broker killed, cut, half-open, slow, refusing", tries)
    n_each = max(100_000 // max(tries, 200), 50)
    with rig_in(folder) as rig:
        for _ in range(tries):
            rig.add(n_each // 2)
            inflict(rig, dice.choice(FAULTS), n_each - n_each // 2, dice)
            outcome.recover_s.append(rig.wait_until_delivered())
        return rig.judge(outcome)


def inflict(rig: Rig, fault: str, n: int, dice: random.Random) -> None:
    """Let one fault act for a moment while results come, then take it away."""
    if fault == "killed broker":
        # What a killed broker has acknowledged and not yet passed on is the broker's loss, not the
        # edge's: so its acknowledgements are held back, and it passes on what it has, first.
        rig.wire.mode = "half_open"
        rig.consumer.wait_until_quiet()
        rig.broker.kill()
        # A killed broker forgets who listened: the wire opens when the consumer is back.
        rig.wire.mode = "refusing"
        rig.consumer.wait_until_lost()
        rig.add(n)
        rig.broker.start()
        rig.consumer.wait_until_subscribed()
    else:
        rig.wire.mode = MODES.get(fault, "open")
        if fault in {"cut wire", "refusing wire"}:
            rig.wire.cut()
        rig.add(n)
        time.sleep(dice.uniform(0.0, 0.3))
    rig.wire.mode = "open"


def publisher_killed(folder: Path, tries: int, dice: random.Random) -> Outcome:
    """SIGKILL of `evenstride publish` while it delivers."""
    outcome = Outcome("publish killed", tries)
    with rig_in(folder) as rig:
        for _ in range(tries):
            rig.add(200)
            time.sleep(dice.uniform(0.0, 1.5))
            rig.publish.kill()
            rig.add(50)
            rig.publish.start()
            outcome.recover_s.append(rig.wait_until_delivered())
        return rig.judge(outcome)


def outage(folder: Path, n: int) -> Outcome:
    """A day of results waits for the broker; strides of now must not wait for them."""
    outcome = Outcome("a day's outage", 1)
    with rig_in(folder) as rig:
        rig.publish.kill()
        rig.add(n)
        # What is older than the live window goes the way of an outage.
        time.sleep(6)
        rig.publish.start()
        began, worst_s, n_live = time.monotonic(), 0.0, 0
        while rig.store.outbox.backlog().depth and time.monotonic() - began < DRAIN_S:
            added = time.monotonic()
            rig.add(1)
            n_live += 1
            while rig.ids[-1] not in live_ids(rig):
                if time.monotonic() - added > 30:
                    break
                time.sleep(0.005)
            if n_live > 3:  # while the process starts there is nobody to deliver
                worst_s = max(worst_s, time.monotonic() - added)
            time.sleep(0.5)
            if rig.store.outbox.backlog().depth <= 1:
                break
        outcome.recover_s.append(time.monotonic() - began)
        rig.judge(outcome)
        outcome.note += f"; live strides at most {worst_s:.2f} s old meanwhile"
        return outcome


def live_ids(rig: Rig) -> set[str]:
    """Ids of the newest messages: enough to find one that was just added."""
    return {p["id"] for _, p, _ in rig.consumer.heard[-2000:] if p}


def sustained(folder: Path, seconds: float, per_s: int = 1000) -> Outcome:
    """So many results a second, for a while: does the outbox stay empty?"""
    outcome = Outcome(f"{per_s} results/s for {seconds:.0f} s", 1)
    deepest = 0
    with rig_in(folder) as rig:
        time.sleep(2)
        began = time.monotonic()
        for turn in range(int(seconds * 20)):
            rig.add(per_s // 20)
            deepest = max(deepest, rig.store.outbox.backlog().depth) if turn > 20 else 0
            time.sleep(max(began + (turn + 1) / 20 - time.monotonic(), 0))
        took_s = time.monotonic() - began
        outcome.recover_s.append(rig.wait_until_delivered())
        rig.judge(outcome)
        rate = len(rig.ids) / took_s
        outcome.note = f"{rate:.0f}/s kept up, at most {deepest} waiting"
        return outcome
