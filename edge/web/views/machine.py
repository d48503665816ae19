"""Recording, delivery, disk, clock, supply, calibration, fitting: a line and a light each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.results import Record

from .figure import Light  # noqa: TC001 (pydantic reads it when the model is made)

if TYPE_CHECKING:
    from .facts import Facts

# A second's worth of results is always on its way.
ON_ITS_WAY_S = 30.0
# Raw samples of five nodes take 85 MB an hour at most: so much more than the reserve is a day.
A_DAY_MB = 2000.0
HOT_DEGC = 80.0


class Line(Record):
    """How one part of the machine fares."""

    name: str
    light: Light
    text: str
    advice: str | None = None


def machine_lines(facts: Facts) -> tuple[Line, ...]:
    """All lines, in the order in which they matter to the person who looks."""
    lines = (
        _recording(facts),
        _delivery(facts),
        _disk(facts),
        _clock(facts),
        _supply(facts),
        _calibration(facts),
        _fitting(facts),
    )
    return tuple(line for line in lines if line is not None)


def duration(seconds: float) -> str:
    """`48 s`, `12 min 5 s`, `3 h 12 min`."""
    whole = max(round(seconds), 0)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def amount(megabytes: float) -> str:
    """Of memory, for people."""
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes:.1f} MB"


def _recording(facts: Facts) -> Line:
    if facts.told is None:
        return _silent_acquire(facts)
    if facts.session is None:
        return Line(name="Recording", light="look", text="about to begin")
    since_s = max((facts.mono_ns - facts.session[1]) * 1e-9, 0.0)
    text = f"for {duration(since_s)}"
    free, reserve = facts.machine.disk_free_mb, facts.config.storage.reserve_mb
    if free is not None and free < reserve:
        return Line(
            name="Recording",
            light="mend",
            text="results only: the disk is full",
            advice="Make room: evenstride recording prune. Strides and bouts are still kept.",
        )
    return Line(name="Recording", light="good", text=text)


def _silent_acquire(facts: Facts) -> Line:
    if facts.machine.acquire_runs:
        return Line(
            name="Recording",
            light="look",
            text="measuring does not answer just now",
            advice="It may be closing a long walk; if this stays for a minute, it is restarted.",
        )
    return Line(
        name="Recording",
        light="mend",
        text="nothing is measured",
        advice="Start it: sudo systemctl start evenstride-acquire. What was measured is kept.",
    )


def _delivery(facts: Facts) -> Line:
    backlog, host = facts.backlog, facts.config.broker.host
    waiting = f"{backlog.depth:,} results wait, {amount(backlog.bytes / 1e6)}".replace(",", " ")
    if not facts.machine.publish_runs:
        return Line(
            name="Delivery",
            light="look",
            text=f"does not run; {waiting}" if backlog.depth else "does not run",
            advice="Start it: sudo systemctl start evenstride-publish. Nothing is lost meanwhile.",
        )
    if backlog.oldest_utc_ns is None:
        return Line(name="Delivery", light="good", text=f"all acknowledged by broker {host}")
    age_s = facts.utc_s - backlog.oldest_utc_ns * 1e-9
    if age_s < ON_ITS_WAY_S:
        return Line(name="Delivery", light="good", text=f"broker {host}; {waiting}")
    return Line(
        name="Delivery",
        light="look",
        text=f"{waiting}, the oldest for {duration(age_s)}",
        advice=f"Broker {host} does not take them: check the network. Nothing is lost meanwhile.",
    )


def _disk(facts: Facts) -> Line | None:
    free, reserve = facts.machine.disk_free_mb, facts.config.storage.reserve_mb
    if free is None:
        return None
    if free < reserve:
        light: Light = "mend"
    else:
        light = "look" if free < reserve + A_DAY_MB else "good"
    advice = None if light == "good" else "Not room for a day: evenstride recording prune."
    return Line(name="Disk", light=light, text=f"{amount(free)} free", advice=advice)


def _clock(facts: Facts) -> Line:
    match facts.machine.clock:
        case "ntp":
            return Line(name="Clock", light="good", text="set by the network")
        case "rtc":
            return Line(name="Clock", light="good", text="from the clock chip, ± 10 s")
        case _:
            return Line(
                name="Clock",
                light="look",
                text="not set: times of day may be wrong",
                advice="Connect the network for a minute. Samples keep their order and spacing.",
            )


def _supply(facts: Facts) -> Line | None:
    heat = facts.machine.temperature_degc
    if facts.machine.supply_is_weak:
        advice = "Use a stronger battery and a shorter cable, and let it cool."
        return Line(name="Supply", light="mend", text="too weak, or too hot", advice=advice)
    if heat is None:
        return None
    if heat >= HOT_DEGC:
        advice = "Let air to the case, or it slows down."
        return Line(name="Heat", light="look", text=f"chip {heat:.0f} °C", advice=advice)
    return Line(name="Heat", light="good", text=f"chip {heat:.0f} °C")


def _calibration(facts: Facts) -> Line | None:
    if facts.session is None:
        return None
    session = facts.session[0]
    calibrated = {name.partition("/")[0] for name in session.calibrations}
    bare = len(set(session.assignments) - calibrated)
    stale = sum(1 for flag in facts.flags if flag.startswith("calibration_"))
    if not bare and not stale:
        return Line(name="Calibration", light="good", text="all sensors calibrated")
    told = [f"{bare} of {len(session.assignments)} sensors without one"] if bare else []
    told += ["one is out of date, refused, or of another sensor"] if stale else []
    return Line(
        name="Calibration",
        light="look",
        text="; ".join(told),
        advice="Results carry a flag. For the technician: evenstride calibrate.",
    )


def _fitting(facts: Facts) -> Line | None:
    if facts.told is None:
        return None
    advice = "Ten steps tell whether each sensor sits right: evenstride calibrate fit."
    if not facts.fitting_holds:
        return Line(name="Fitting", light="look", text="not checked today", advice=advice)
    if all(seat.verdict == "green" for seat in facts.seats):
        return Line(name="Fitting", light="good", text="every sensor sits right")
    return Line(name="Fitting", light="look", text="see the sensors above", advice=advice)
