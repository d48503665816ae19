"""Runs the faults and prints a table: fault, tries, lost, duplicated, out of order, time.

make faults                         about five minutes
make faults ARGS="--full"           the numbers of the requirements: an hour and more
make faults ARGS="--only broker"    those whose name holds the word
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.faults import acquire, delivery, recording, torn
from tests.mosquitto import PROGRAM

# These make their folder themselves.
RIGGED = {"acquire killed", "broker", "publish killed", "sustained", "outage"}
HEAD = ("fault", "tries", "lost", "duplicated", "out of order", "s to recover: median (most)", "")


def plan(full: bool, seed: int, tries: int | None) -> dict:
    """Name of a fault to what runs it."""

    def many(work, few: int, all_of_them: int):
        n = tries or (all_of_them if full else few)
        return partial(work, tries=n, dice=random.Random(seed))

    return {
        "writer killed": many(recording.writer_killed, 100, 1000),
        "torn segment": many(torn.torn_live, 3_000, torn.MEGABYTE),
        "torn sealed segment": many(torn.torn_sealed, 3_000, torn.MEGABYTE),
        "torn journal": many(torn.torn_journal, 3_000, torn.MEGABYTE),
        "torn manifest": many(torn.torn_manifest, 30, torn.MEGABYTE),
        "torn log of the store": many(torn.torn_log, 300, 20_000),
        "torn store": many(torn.torn_store, 50, 5_000),
        "store deleted": many(recording.store_deleted, 5, 50),
        "clock steps": many(recording.clock_steps, 100, 1000),
        "full disk": many(recording.full_disk, 2, 20),
        "read-only disk": many(recording.read_only, 2, 20),
        "acquire killed": many(acquire.acquire_killed, 5, 1000),
        "broker": many(delivery.broker_faults, 30, 200),
        "publish killed": many(delivery.publisher_killed, 10, 200),
        "sustained": lambda f: delivery.sustained(f, 60 if full else 10),
        "outage": lambda f: delivery.outage(f, 200_000 if full else 20_000),
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tries", type=int, help="of each fault that has tries")
    asked = parser.parse_args()
    if PROGRAM is None:
        sys.exit("no mosquitto: sudo apt-get install mosquitto")
    console = Console(width=170)
    table = Table(*HEAD)
    good = True
    for name, work in plan(asked.full, asked.seed, asked.tries).items():
        if asked.only not in name:
            continue
        with tempfile.TemporaryDirectory() as folder, console.status(name):
            place = Path(folder) / "f"
            if name not in RIGGED:
                place.mkdir()
            outcome = work(place)
        good &= outcome.is_good
        table.add_row(*outcome.row(), style="" if outcome.is_good else "bold red")
        console.print(f"{name}: {'well' if outcome.is_good else 'NOT WELL'}; {outcome.note}")
    console.print(table)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
