"""What was found out at one moment: all that the page is made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.messages import NodeStatus  # noqa: TC001 (pydantic reads it when the model is made)
from edge.results import Record

if TYPE_CHECKING:
    from edge.config import Config
    from edge.envelope import TimeQuality
    from edge.messages import Event, Session
    from edge.results import Bout, Stride
    from edge.store.outbox import Backlog


class Told(Record):
    """What `acquire` answers to `nodes`."""

    nodes: dict[str, NodeStatus]
    session: str | None


# A fitting holds for the wearing of that day.
FITTING_S = 12 * 3600.0


@dataclass(frozen=True, slots=True)
class LiveStride:
    """A stride as it came out of the live analysis; `id` is that of its message."""

    id: str
    utc_s: float
    mono_ns: int
    stride: Stride


@dataclass(frozen=True, slots=True)
class Seat:
    """What the last fitting found about one sensor."""

    segment: str
    verdict: str
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Machine:
    """How the computer fares."""

    disk_free_mb: float | None
    temperature_degc: float | None
    supply_is_weak: bool | None
    clock: TimeQuality
    publish_runs: bool
    acquire_runs: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """All of one moment.

    Attributes
    ----------
    utc_s, mono_ns
        When: wall clock, and the clock of the results.
    told : Told or None
        The answer of `acquire`; None where it did not answer.
    before : Told or None
        Its answer some seconds ago, to see what is lost just now; None where there is none.
    session : (Session, int) or None
        The session that runs and when it began, by the clock of the results.
    events : tuple of (utc_s, Event)
        Of the last day, the newest first.
    seats, fitted_utc_s
        Of the last fitting.
    flags : tuple of str
        That the newest result carries.
    store_error : str or None
        Why the store could not be read.
    """

    config: Config
    utc_s: float
    mono_ns: int
    machine: Machine
    backlog: Backlog
    told: Told | None = None
    before: Told | None = None
    session: tuple[Session, int] | None = None
    strides: tuple[LiveStride, ...] = ()
    bout: tuple[float, Bout] | None = None
    events: tuple[tuple[float, Event], ...] = ()
    seats: tuple[Seat, ...] = ()
    fitted_utc_s: float | None = None
    flags: tuple[str, ...] = ()
    store_error: str | None = None

    @property
    def fitting_holds(self) -> bool:
        """Whether the last fitting is young enough to be of this wearing."""
        return self.fitted_utc_s is not None and 0 <= self.utc_s - self.fitted_utc_s < FITTING_S
