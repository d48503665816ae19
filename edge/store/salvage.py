"""Brings back what can be read of a damaged store: a failing card, a file cut short.

SQLite itself survives kills and power cuts. This is for what it cannot mend: pages that are gone.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from typing import TYPE_CHECKING, Any

from edge.contract import CHANNELS, channel_of

from .identity import kernel_boot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAGIC = b"SQLite format 3\0"
# Where the outbox itself is damaged nobody knows what was delivered: so much goes out once more,
# with the ids it had.
AGAIN_NS = 86_400 * 10**9
KNOWN = {channel.name for channel in CHANNELS}


def is_cut_short(path: Path) -> bool:
    """Whether a database file is shorter than its own header says."""
    return path.stat().st_size < _whole_size(path)


def _whole_size(path: Path) -> int:
    """Bytes by the header (SQLite file format, 1.3): page size at 16, number of pages at 28."""
    with path.open("rb") as file:
        header = file.read(100)
    if len(header) < 100 or not header.startswith(MAGIC):
        return 0
    page_size = int.from_bytes(header[16:18], "big")
    n_pages = int.from_bytes(header[28:32], "big")
    return (65_536 if page_size == 1 else page_size) * n_pages


def salvage(damaged: Path, fresh: sqlite3.Connection) -> int:
    """Copy all readable rows into an empty store.

    Returns
    -------
    int
        Results that were brought back.
    """
    # SQLite reads nothing of a file that is too short; pages of zeros it only refuses one by one.
    os.truncate(damaged, max(_whole_size(damaged), damaged.stat().st_size))
    old = sqlite3.connect(damaged)
    results = {
        row[0]: row for row in _readable(old, "results", "rowid") if _is_whole(row[0], row[4])
    }
    waiting = {row[1]: row for row in _readable(old, "outbox", "n") if row[1] in results}
    kept = [row for row in _readable(old, "latest", "stream") if row[1] in KNOWN]
    old.close()
    newest_ns = max((row[3] for row in results.values()), default=0)
    for name, row in results.items():
        channel = channel_of(row[1])
        if name not in waiting and channel and row[3] >= newest_ns - AGAIN_NS:
            place = (None, name, channel.name, row[1], kernel_boot())
            waiting[name] = (*place, time.monotonic_ns(), row[3], len(row[4]))
    fresh.execute("BEGIN")
    fresh.executemany("INSERT INTO results VALUES (?, ?, ?, ?, ?)", results.values())
    fresh.executemany("INSERT INTO latest VALUES (?, ?, ?)", kept)
    # Ids sort by their making: what waits goes out in the order it came in.
    places = (row[1:] for row in sorted(waiting.values(), key=lambda row: str(row[1])))
    fresh.executemany("INSERT INTO outbox VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", places)
    fresh.execute("COMMIT")
    return len(results)


def _readable(db: sqlite3.Connection, table: str, key: str) -> Iterator[tuple[Any, ...]]:
    """Rows from the front up to the damage, then from the back up to it."""
    for order in ("ASC", "DESC"):
        try:
            yield from db.execute(f"SELECT * FROM {table} ORDER BY {key} {order}")  # noqa: S608
        except sqlite3.DatabaseError:
            continue
        else:
            return


def _is_whole(name: str, payload: bytes) -> bool:
    """Whether a payload is the JSON it was, and that of this row."""
    try:
        return bool(json.loads(payload)["id"] == name)
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
