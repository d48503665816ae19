"""The doctor's rules for nodes: silent, swapped, lossy, late, or not feeling gravity."""

from __future__ import annotations

from math import degrees
from typing import TYPE_CHECKING

from edge.nodes import too_narrow
from sensors import Segment
from sensors.drivers.catalog import DEVICES

from .facts import Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .facts import Facts, NodeFact

UNSURE_S = 0.5e-3
STANDARD_GRAVITY = 9.80665
REST_GYR_SD_RAD_S = 0.02


def node_findings(facts: Facts) -> Iterator[Finding]:
    """How each configured node fares; one finding where all is well."""
    for node in facts.nodes:
        what = f"node {node.name}"
        if not node.is_open or node.received == 0:
            yield _silent(node, what)
            continue
        faults = list(_node_faults(node, what))
        yield from faults
        if not faults:
            seen = f"{node.chip} on {node.port}: {node.rate_hz or 0:.1f} Hz, nothing lost"
            yield Finding(what, Verdict.OK, seen)


def _silent(node: NodeFact, what: str) -> Finding:
    reason = node.reason.lower()
    if "exclusive" in reason or "lock" in reason or "busy" in reason:
        advice = "another program reads it; stop it: sudo systemctl stop evenstride-acquire"
    elif "permission" in reason:
        advice = "sudo usermod -a -G dialout,i2c $USER, then log in again"
    elif "no such file" in reason or "not found" in reason:
        advice = "plug it in, and compare its name with what `evenstride nodes` lists"
    elif node.is_open:
        advice = (
            "it gives no samples: check that its firmware speaks our protocol, and its baud rate"
        )
    else:
        advice = "check plug, cable and power"
    seen = node.reason if not node.is_open else "the port is open, no samples came"
    return Finding(what, Verdict.FAULT, f"{node.port}: {seen}", advice)


def _node_faults(node: NodeFact, what: str) -> Iterator[Finding]:
    if node.segment and node.stored_segment and node.segment != node.stored_segment:
        yield Finding(
            what,
            Verdict.FAULT,
            f"configured as {node.segment}, the node itself was named for {node.stored_segment}",
            "swap them back, or name it anew with `evenstride nodes assign`",
        )
    if node.segment and node.acc_range_g is not None and node.gyr_range_deg_s is not None:
        narrow = too_narrow(Segment(node.segment), node.acc_range_g, node.gyr_range_deg_s)
        if narrow:
            advice = "widen it in the node's firmware or own settings: docs/wiring.md"
            yield Finding(what, Verdict.FAULT, narrow, advice)
    if node.lost or node.rejected > 1:
        total = node.lost + node.received
        yield Finding(
            what,
            Verdict.WARNING,
            f"{node.lost} of {total} samples lost, {node.rejected} packets damaged",
            "look at cable, plugs and length; on a UART halve the baud rate",
        )
    if node.time_sd_s is not None and node.time_sd_s > UNSURE_S:
        sync = next((d.sync_class for d in DEVICES if d.driver == node.driver), "A")
        if sync == "A":
            yield Finding(
                what,
                Verdict.WARNING,
                f"its clock is known to {node.time_sd_s * 1e3:.1f} ms only",
                "look at the latency of its port, and whether this machine is busy",
            )
    yield from _at_rest(node, what)


def _at_rest(node: NodeFact, what: str) -> Iterator[Finding]:
    """The chip's own test: at rest it must feel gravity, and hardly turn."""
    if node.acc_mps2 is None or node.gyr_sd_rad_s is None or node.gyr_mean_rad_s is None:
        return
    if node.gyr_sd_rad_s > REST_GYR_SD_RAD_S:
        yield Finding(what, Verdict.WARNING, "it was moved", "lay it down and look again")
        return
    off = node.acc_mps2 / STANDARD_GRAVITY - 1
    if abs(off) > 0.05:
        cause = "its range is set wrongly" if abs(off) > 0.4 else "it needs a calibration"
        yield Finding(
            what,
            Verdict.FAULT,
            f"at rest it feels {node.acc_mps2:.2f} m/s2 instead of 9.81",
            f"{cause}; see `evenstride calibrate`, and the model in the configuration",
        )
    if node.gyr_mean_rad_s > 0.1:
        yield Finding(
            what,
            Verdict.FAULT,
            f"at rest it feels a turn of {degrees(node.gyr_mean_rad_s):.1f} deg/s",
            "a good chip stays below 3; replace it, or try a calibration",
        )
