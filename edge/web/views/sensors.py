"""The five places of the body: how each sensor fares, and what to do about what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from edge.messages import SATURATED_SHARE
from edge.results import Record
from sensors import Segment

from .figure import Light, worst

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.messages import NodeStatus

    from .facts import Facts, Seat

NAMES = {
    Segment.LEFT_FOOT: "left foot",
    Segment.RIGHT_FOOT: "right foot",
    Segment.LEFT_SHANK: "left shank",
    Segment.RIGHT_SHANK: "right shank",
    Segment.PELVIS: "pelvis",
}
WITHOUT = {
    Segment.LEFT_FOOT: "Without it there are no strides of the left side.",
    Segment.RIGHT_FOOT: "Without it there are no strides of the right side.",
    Segment.LEFT_SHANK: "Without it nothing is known of the left shank and ankle.",
    Segment.RIGHT_SHANK: "Without it nothing is known of the right shank and ankle.",
    Segment.PELVIS: "Without it nothing is known of the pelvis, and leg length is not given.",
}
LINKS = {"up": "measures", "stalled": "silent", "down": "no link"}
FITTED: dict[str, Light] = {"green": "good", "amber": "look", "red": "mend"}
# From 5 % on a stride carries the flag lost_samples (docs/gait.md); a tenth of it deserves a look.
LOSES_MUCH, LOSES = 0.05, 0.005
# Above the spread of clocks of boards and of counting over five seconds.
SLOW = 0.95
# Contacts are known to 8 ms: a clock as bad as a quarter of that begins to matter.
CLOCK_SD_S = 0.002
# A lithium cell: below the first it lasts no day, below the second no hour.
BATTERY_LOW_V, BATTERY_EMPTY_V = 3.7, 3.4
Finding = tuple[Light, str]


class SensorView(Record):
    """One sensor, or the place where none is."""

    segment: Segment | None = Field(description="null for a node that is not assigned")
    name: str
    side: Literal["left", "right"] | None
    node: str | None
    light: Light
    state: str
    rate: str | None = None
    losses: str | None = Field(default=None, description="Samples lost, of all")
    clock: str | None = Field(default=None, description="95 %, of its time")
    battery: str | None = None
    advice: tuple[str, ...] = Field(default=(), description="What is wrong, and what to do")


def sensor_views(facts: Facts) -> tuple[SensorView, ...]:
    """The five segments in the order of the body, then nodes without a segment."""
    nodes = facts.told.nodes if facts.told else {}
    before = facts.before.nodes if facts.before else {}
    placed = {status.segment: name for name, status in nodes.items() if status.segment}
    seats = {seat.segment: seat for seat in facts.seats if facts.fitting_holds}
    views = []
    for segment in Segment:
        node = placed.get(segment)
        if node is None:
            views.append(_empty_place(segment, known=facts.told is not None))
        else:
            configured = facts.config.nodes.get(node)
            rate_hz = (configured and configured.rate_hz) or facts.config.rate_hz
            findings = _findings(nodes[node], before.get(node), rate_hz, seats.get(segment))
            views.append(_view(node, nodes[node], findings))
    return (*views, *_spare(nodes))


def _spare(nodes: Mapping[str, NodeStatus]) -> list[SensorView]:
    advice: Finding = (
        "look",
        "It is recorded, not analysed: give it a segment in the configuration.",
    )
    return [
        _view(name, status, [advice]) for name, status in nodes.items() if status.segment is None
    ]


def _empty_place(segment: Segment, *, known: bool) -> SensorView:
    return SensorView(
        segment=segment,
        name=NAMES[segment],
        side=_side(segment),
        node=None,
        light="none",
        state="no sensor" if known else "not known",
        advice=(WITHOUT[segment],) if known else (),
    )


def _view(node: str, status: NodeStatus, findings: list[Finding]) -> SensorView:
    n = status.n_samples + status.n_lost
    return SensorView(
        segment=status.segment,
        name=NAMES[status.segment] if status.segment else node,
        side=_side(status.segment),
        node=node,
        light=worst([light for light, _ in findings]),
        state=LINKS[status.link],
        rate="not known yet" if status.rate_hz is None else f"{status.rate_hz:.1f} Hz",
        losses=f"{status.n_lost:,} of {n:,}".replace(",", " "),
        clock=None if status.clock_sd_s is None else f"± {1960 * status.clock_sd_s:.2g} ms",
        battery=None if status.battery_v is None else f"{status.battery_v:.2f} V",
        advice=tuple(sentence for _, sentence in findings),
    )


def _side(segment: Segment | None) -> Literal["left", "right"] | None:
    if segment is None or segment is Segment.PELVIS:
        return None
    return "left" if segment.startswith("left") else "right"


def _findings(
    now: NodeStatus, before: NodeStatus | None, rate_hz: float, seat: Seat | None
) -> list[Finding]:
    """What is wrong with a sensor; what stops it from measuring hides the rest."""
    if now.link == "down":
        return [("mend", "Check its plug and cable; it is tried again by itself.")]
    if now.link == "stalled":
        return [("mend", "The port is open but nothing comes: unplug the sensor, plug it in.")]
    checks = (
        _loses(now, before),
        _is_slow(now, rate_hz),
        _is_saturated(now),
        _is_late(now),
        _is_empty(now),
    )
    found = [finding for finding in checks if finding is not None]
    if seat is not None:
        found += [(FITTED.get(seat.verdict, "look"), _sentence(text)) for text in seat.findings]
    return found


def _loses(now: NodeStatus, before: NodeStatus | None) -> Finding | None:
    if before is None or now.n_lost < before.n_lost or now.n_samples < before.n_samples:
        return None
    lost = now.n_lost - before.n_lost
    n = lost + now.n_samples - before.n_samples
    if not n or lost / n < LOSES:
        return None
    light: Light = "mend" if lost / n >= LOSES_MUCH else "look"
    return (
        light,
        f"It loses {100 * lost / n:.2g} % of its samples now: check cable, hub and supply.",
    )


def _is_slow(now: NodeStatus, rate_hz: float) -> Finding | None:
    if now.rate_hz is None or now.rate_hz >= SLOW * rate_hz:
        return None
    told = f"It measures at {now.rate_hz:.0f} Hz, expected {rate_hz:.0f} Hz"
    return "look", f"{told}: ask the technician to set the sensor's rate, or rate_hz."


def _is_saturated(now: NodeStatus) -> Finding | None:
    if now.n_saturated <= SATURATED_SHARE * max(now.n_samples, 1):
        return None
    return "look", f"Its range was exceeded {now.n_saturated} times: tighten the strap."


def _is_late(now: NodeStatus) -> Finding | None:
    if now.clock_sd_s is None or now.clock_sd_s <= CLOCK_SD_S:
        return None
    told = f"Its time is known to ± {1960 * now.clock_sd_s:.2g} ms only"
    return "look", f"{told}: wait a minute; if it stays, use another cable or port."


def _is_empty(now: NodeStatus) -> Finding | None:
    if now.battery_v is None or now.battery_v >= BATTERY_LOW_V:
        return None
    if now.battery_v >= BATTERY_EMPTY_V:
        return "look", "Its battery will not last the day: charge it before the person leaves."
    return "mend", "Its battery is almost empty: charge it."


def _sentence(text: str) -> str:
    return f"Fitting: {text}."
