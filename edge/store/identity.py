"""Who and when: sortable ids, times as text, and how far the wall clock can be trusted."""

from __future__ import annotations

import secrets
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.envelope import TimeQuality

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# systemd-timesyncd and chrony's wait service touch these when the clock is set.
SYNCHRONISED = (Path("/run/systemd/timesync/synchronized"), Path("/run/chrony/synchronized"))
CLOCK_CHIP = Path("/sys/class/rtc/rtc0")
# What a machine in a home network reaches by NTP, and what a clock chip drifts in a week.
CLOCK_SD_S: dict[TimeQuality, float | None] = {"ntp": 0.05, "rtc": 5.0, "unsynced": None}

_lock = threading.Lock()
_last = (0, 0)


def new_ulid(utc_ns: int) -> str:
    """Make an id of 26 characters: 48 bits of milliseconds, 80 random bits; sorts by making.

    Within one millisecond the random part counts up (ULID specification, "Monotonicity"), and a
    clock that steps back goes on from the last millisecond.
    """
    global _last  # noqa: PLW0603 (ids of one process must differ, whoever asks)
    with _lock:
        stamp = utc_ns // 1_000_000
        last_stamp, last_random = _last
        if stamp > last_stamp:
            _last = (stamp, secrets.randbits(79))
        else:
            _last = (last_stamp, last_random + 1)
        number = (_last[0] << 80) | _last[1]
    return "".join(CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))


def utc_text(utc_ns: int) -> str:
    """RFC 3339 in UTC with microseconds."""
    seconds, rest = divmod(utc_ns, 1_000_000_000)
    stamp = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    return f"{stamp.isoformat()}.{rest // 1000:06d}Z"


def time_quality() -> TimeQuality:
    """Where the wall clock has its time from."""
    if any(path.exists() for path in SYNCHRONISED):
        return "ntp"
    return "rtc" if CLOCK_CHIP.exists() else "unsynced"


def kernel_boot() -> str:
    """Id of this boot of the machine: CLOCK_MONOTONIC means something only within one."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
