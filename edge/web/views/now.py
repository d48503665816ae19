"""The view Now: sensors, walking, machine and alarms of one moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from edge.results import Record

from .figure import Light  # noqa: TC001 (pydantic reads it when the model is made)
from .machine import Line, machine_lines
from .sensors import SensorView, sensor_views
from .walking import WalkingView, walking_view

if TYPE_CHECKING:
    from .facts import Facts

MOST_ALARMS = 8


class Alarm(Record):
    """An event of the last day."""

    utc_s: float
    severity: Literal["info", "warning", "alarm"]
    text: str


class NowView(Record):
    """What the page shows of this moment: the answer of `/api/now`."""

    edge: str = Field(description="Site and edge")
    utc_s: float = Field(description="When this was true, by the edge's clock")
    subject: str | None = Field(description="Pseudonym")
    session: str | None
    light: Light = Field(description="Of the headline")
    headline: str = Field(description="For a person who reads one line only")
    sensors: tuple[SensorView, ...]
    walking: WalkingView
    machine: tuple[Line, ...]
    alarms: tuple[Alarm, ...]


def now_view(facts: Facts) -> NowView:
    """Make the view of one moment."""
    sensors = sensor_views(facts)
    machine = machine_lines(facts)
    if facts.store_error is not None:
        advice = "Results cannot be shown; measuring goes on. See: evenstride doctor."
        store = Line(name="Store", light="mend", text=facts.store_error, advice=advice)
        machine = (store, *machine)
    session = facts.session[0] if facts.session else None
    light, headline = _headline(facts, sensors, machine)
    return NowView(
        edge=f"{facts.config.site}/{facts.config.edge}",
        utc_s=facts.utc_s,
        subject=session.subject if session else None,
        session=facts.told.session if facts.told else None,
        light=light,
        headline=headline,
        sensors=sensors,
        walking=walking_view(facts),
        machine=machine,
        alarms=tuple(
            Alarm(utc_s=utc_s, severity=event.severity, text=event.message)
            for utc_s, event in facts.events[:MOST_ALARMS]
        ),
    )


def _headline(
    facts: Facts, sensors: tuple[SensorView, ...], machine: tuple[Line, ...]
) -> tuple[Light, str]:
    """What must be mended first, else what deserves a look, else that all is well."""
    if facts.told is None:
        return "mend", "Nothing live: measuring does not answer. What to do stands below."
    wrong = [view.name for view in sensors if view.light == "mend"]
    wrong += [line.name.lower() for line in machine if line.light == "mend"]
    if wrong:
        return "mend", f"Mend first: {', '.join(wrong)}."
    look = [view.name for view in sensors if view.light == "look"]
    if look:
        return "look", f"Have a look at: {', '.join(look)}."
    n = sum(1 for view in sensors if view.segment and view.node)
    if n == 0:
        return "look", "No sensor is assigned: give each a segment in the configuration."
    return "good", "All five sensors measure." if n == 5 else f"{n} of 5 sensors measure."
