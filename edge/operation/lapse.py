"""When a certificate lapses: from then on a broker lets its edge in no longer."""

from __future__ import annotations

import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Time for a technician to come by; certificates of `evenstride provision` last 90 days.
WARN_DAYS = 21


def days_left(certificate: Path, now: datetime) -> float | None:
    """Days until a certificate lapses, negative afterwards; None where it cannot be told."""
    command = ["openssl", "x509", "-noout", "-enddate", "-in", str(certificate)]
    try:
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        end = datetime.fromtimestamp(ssl.cert_time_to_seconds(told.strip().partition("=")[2]), UTC)
    except (OSError, subprocess.CalledProcessError, ValueError):
        return None
    return (end - now) / timedelta(days=1)


def lapse_in_words(days: float) -> str:
    """What so many days left mean, for people."""
    return f"lapses in {days:.0f} days" if days > 0.0 else "has lapsed"
