"""What `evenstride status` prints: nodes, session, delivery and the machine, a line each."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from edge.publish.health import supply_is_weak, temperature_degc

if TYPE_CHECKING:
    from pathlib import Path


def describe_status(told: dict[str, Any], folder: Path) -> str:
    """Put the reply of `acquire` and the health of the machine into words."""
    counts, outbox = told["counts"], told["outbox"]
    lines = [f"session  {told['session'] or 'none'}"]
    lines += [f"node     {name}: {_node(node)}" for name, node in told["nodes"].items()]
    lines.append(f"results  {counts['strides']} strides, {counts['bouts']} bouts")
    lines.append(f"outbox   {outbox['depth']} waiting, {outbox['bytes'] / 1e6:.2f} MB")
    lines.append(f"disk     {shutil.disk_usage(folder).free / 1e9:.1f} GB free")
    heat = temperature_degc()
    if heat is not None:
        lines.append(f"chip     {heat:.0f} degrees C")
    if supply_is_weak():
        lines.append("supply   TOO WEAK, or the chip is too hot: samples may be lost")
    return "\n".join(lines)


def _node(node: dict[str, Any]) -> str:
    rate = node["rate_hz"]
    told = "rate not known yet" if rate is None else f"{rate:.1f} Hz"
    return f"{node['link']}, {node['segment'] or 'not assigned'}, {told}, {node['n_lost']} lost"
