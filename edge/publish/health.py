"""How the machine fares: disk, load, memory, heat, supply. For `diag`, `status` and `doctor`."""

from __future__ import annotations

import os
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from edge.messages import Diag
from edge.operation.lapse import WARN_DAYS, days_left, lapse_in_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.store.store import Store

    from .publisher import Publisher

HEAT = Path("/sys/class/thermal/thermal_zone0/temp")
# Raspberry Pi firmware: bits 0 to 3 are under-voltage, capped, throttled, soft limit, just now.
THROTTLED = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")
# Slewing moves a clock by 0.5 ms a second; NTP steps it beyond 128 ms.
STEP_S = 0.1
DAY = timedelta(days=1)
MEMORY = Path("/proc/self/statm")


class Health:
    """Makes the `diag` payload; warns once when the supply is too weak or the chip too hot."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._warned = False

    def __call__(self, publisher: Publisher) -> Diag:
        """How machine and delivery fare now."""
        backlog = self._store.outbox.backlog()
        age_s = None
        if backlog.oldest_utc_ns is not None:
            age_s = max((time.time_ns() - backlog.oldest_utc_ns) / 1e9, 0.0)
        throttled = supply_is_weak()
        if throttled and not self._warned:
            message = "the supply is too weak or the chip too hot: samples may be lost"
            self._store.tell("supply", "warning", message)
            self._store.commit()
        self._warned = bool(throttled)
        return Diag(
            outbox_depth=backlog.depth,
            outbox_age_s=age_s,
            outbox_mb=backlog.bytes / 1e6,
            n_dropped=self._store.outbox.n_dropped,
            n_published=publisher.n_published,
            lag_s=publisher.lag_s,
            disk_free_mb=shutil.disk_usage(self._folder).free / 1e6,
            cpu_share=os.getloadavg()[0] / (os.cpu_count() or 1),
            memory_mb=memory_mb(),
            temperature_degc=temperature_degc(),
            throttled=throttled,
        )


class ClockWatch:
    """Tells when the wall clock has jumped against the monotonic one; samples do not care."""

    def __init__(
        self,
        store: Store,
        utc_ns: Callable[[], int] = time.time_ns,
        mono_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._store = store
        self._utc_ns = utc_ns
        self._mono_ns = mono_ns
        self._offset_ns = utc_ns() - mono_ns()

    def look(self) -> None:
        """Compare the two clocks; an event says by how much one has jumped."""
        offset_ns = self._utc_ns() - self._mono_ns()
        step_s = (offset_ns - self._offset_ns) / 1e9
        # Followed in small steps too: a clock that is slewed has not jumped.
        self._offset_ns = offset_ns
        if abs(step_s) < STEP_S:
            return
        message = f"the wall clock jumped by {step_s:+.1f} s; samples keep their time"
        self._store.tell("clock", "info", message, step_s=step_s)
        self._store.commit()


class CertificateWatch:
    """Tells each day when the edge's certificate is about to lapse: then delivery would end."""

    def __init__(
        self,
        store: Store,
        certificate: Path | None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._certificate = certificate
        self._now = now
        self._looked: datetime | None = None

    def look(self) -> None:
        """Compare the end of the certificate with the wall clock."""
        now = self._now()
        if self._certificate is None or (self._looked and now - self._looked < DAY):
            return
        self._looked = now
        days = days_left(self._certificate, now)
        if days is None or days > WARN_DAYS:
            return
        told = lapse_in_words(days) + ("" if days > 0.0 else ": nothing is delivered")
        message = f"this edge's certificate {told}; make a new bundle: evenstride provision edge"
        self._store.tell("certificate", "warning" if days > 0.0 else "alarm", message, days=days)
        self._store.commit()


def memory_mb() -> float:
    """Resident memory of this process."""
    pages = int(MEMORY.read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def temperature_degc() -> float | None:
    """Heat of the chip; None where there is no sensor."""
    try:
        return int(HEAT.read_text(encoding="ascii")) / 1000
    except (OSError, ValueError):
        return None


def supply_is_weak() -> bool | None:
    """Whether a Pi is throttled now; None where nobody says."""
    try:
        return bool(int(THROTTLED.read_text(encoding="ascii"), 16) & 0xF)
    except (OSError, ValueError):
        return None


def is_encrypted(folder: Path) -> bool | None:
    """Whether a folder lies on an encrypted device (dm-crypt); None where that cannot be told."""
    folder = folder.resolve()
    while not folder.exists():
        folder = folder.parent
    number = folder.stat().st_dev
    device = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
    if not device.exists():
        return None
    try:
        identity = (device / "dm" / "uuid").read_text(encoding="ascii")
    except OSError:
        return False
    return identity.startswith("CRYPT-")
