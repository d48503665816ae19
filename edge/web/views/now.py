"""The view Now: sensors, walking, machine and alarms of one moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from edge.results import Record

from .figure import Light, worst
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
    light: Light = Field(description="The worst of all")
    headline: str
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
    return NowView(
        edge=f"{facts.config.site}/{facts.config.edge}",
        utc_s=facts.utc_s,
        subject=session.subject if session else None,
        session=facts.told.session if facts.told else None,
        light=worst([view.light for view in sensors] + [line.light for line in machine]),
        headline=_headline(facts, sensors),
        sensors=sensors,
        walking=walking_view(facts.strides, facts.bout, facts.utc_s, facts.mono_ns),
        machine=machine,
        alarms=tuple(
            Alarm(utc_s=utc_s, severity=event.severity, text=event.message)
            for utc_s, event in facts.events[:MOST_ALARMS]
        ),
    )


def _headline(facts: Facts, sensors: tuple[SensorView, ...]) -> str:
    """What a person who sees one line only must know."""
    if facts.told is None:
        return "Nothing is shown live: measuring does not answer."
    wrong = [view.name for view in sensors if view.light == "mend"]
    if wrong:
        return f"Mend first: {', '.join(wrong)}."
    look = [view.name for view in sensors if view.light == "look"]
    if look:
        return f"Have a look at: {', '.join(look)}."
    n = sum(1 for view in sensors if view.segment and view.node)
    if n == 0:
        return "No sensor is assigned: name each in the configuration."
    return "All five sensors measure." if n == 5 else f"{n} of 5 sensors measure."
