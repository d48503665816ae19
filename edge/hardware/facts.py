"""What `doctor_look` sees, and what `doctor` finds: frozen records, None where nothing is told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    what : str
        The thing: a port, a bus, a node, the disk.
    verdict : Verdict
        How it stands.
    seen : str
        What was seen.
    advice : str
        What to do; empty where all is well.
    """

    what: str
    verdict: Verdict
    seen: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class PortFact:
    """A serial port; `latency_ms` of the adapters that hold bytes back."""

    path: str
    description: str
    allowed: bool
    latency_ms: int | None = None


@dataclass(frozen=True, slots=True)
class BusFact:
    """An I2C bus, its speed where the machine tells it, and what answers on it.

    Attributes
    ----------
    addresses : tuple of int
        All that answer.
    chips : tuple of (int, str, str)
        Address, driver and model of those that are inertial chips of our table.
    tested : tuple of (int, tuple of str)
        Address and faults of those that have tested themselves.
    """

    number: int
    allowed: bool
    speed_hz: int | None = None
    addresses: tuple[int, ...] = ()
    chips: tuple[tuple[int, str, str], ...] = ()
    tested: tuple[tuple[int, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class NodeFact:
    """A configured node, read for some seconds.

    Attributes
    ----------
    acc_mps2 : float or None
        Magnitude of the mean specific force.
    gyr_sd_rad_s, gyr_mean_rad_s : float or None
        Spread and mean magnitude of the angular rate.
    time_sd_s : float or None
        Stated uncertainty of its times.
    """

    name: str
    port: str
    driver: str
    is_open: bool
    reason: str
    chip: str = ""
    segment: str = ""
    stored_segment: str = ""
    received: int = 0
    lost: int = 0
    rejected: int = 0
    rate_hz: float | None = None
    nominal_hz: float | None = None
    acc_range_g: float | None = None
    gyr_range_deg_s: float | None = None
    acc_mps2: float | None = None
    gyr_sd_rad_s: float | None = None
    gyr_mean_rad_s: float | None = None
    time_sd_s: float | None = None


@dataclass(frozen=True, slots=True)
class CertificateFact:
    """A configured certificate and the days until it lapses, None where that cannot be told."""

    path: str
    days_left: float | None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that was looked at; None where the machine does not tell."""

    machine: str = ""
    ports: tuple[PortFact, ...] = ()
    buses: tuple[BusFact, ...] = ()
    nodes: tuple[NodeFact, ...] = ()
    certificates: tuple[CertificateFact, ...] = ()
    folder: str = ""
    folder_encrypted: bool | None = None
    folder_writable: bool = True
    free_bytes: int | None = None
    throttled: int | None = None
    temperature_c: float | None = None
    clock_synchronised: bool | None = None
    modem_manager: bool = False
