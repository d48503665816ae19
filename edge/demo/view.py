"""The demo's terminal: a live table of the nodes and one of the last strides (rich)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LAST_STRIDES = 8
COLOURS = {"up": "green", "stalled": "yellow", "down": "red"}


def screen(status: Mapping[str, Any], elapsed_s: float, duration_s: float | None) -> Group:
    """Draw what `acquire` answered to `status`."""
    until = f" of {duration_s:.0f}" if duration_s else ""
    counts = status.get("counts", {})
    outbox = status.get("outbox", {})
    head = Text.assemble(
        (" Evenstride demo ", "bold reverse"),
        f"  {elapsed_s:.0f}{until} s",
        f"   strides {counts.get('strides', 0)}   bouts {counts.get('bouts', 0)}",
        f"   waiting for the broker {outbox.get('depth', 0)}",
        "   Ctrl-C ends it",
    )
    return Group(
        head,
        Panel(_nodes(status.get("nodes", {})), title="nodes", border_style="dim"),
        Panel(_strides(status.get("strides", [])), title="last strides", border_style="dim"),
    )


def _nodes(nodes: Mapping[str, Mapping[str, Any]]) -> Table:
    table = Table(box=None, expand=True)
    for name in ("node", "segment", "link"):
        table.add_column(name)
    for name in ("rate Hz", "samples", "lost", "drift ppm", "clock sd ms"):
        table.add_column(name, justify="right")
    for name, node in nodes.items():
        table.add_row(
            name,
            str(node.get("segment") or "-"),
            Text(str(node["link"]), COLOURS.get(node["link"], "")),
            _number(node.get("rate_hz"), "{:.1f}"),
            str(node["n_samples"]),
            Text(str(node["n_lost"]), "red" if node["n_lost"] else ""),
            _number(node.get("clock_drift_ppm"), "{:+.1f}"),
            _number(node.get("clock_sd_s"), "{:.3f}", 1e3),
        )
    return table


def _strides(strides: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=None, expand=True)
    for name in ("side", "stage"):
        table.add_column(name)
    for name in ("at s", "stride s", "stance s", "length m", "+- m", "speed m/s"):
        table.add_column(name, justify="right")
    for stride in reversed(strides[-LAST_STRIDES:]):
        table.add_row(
            str(stride["side"]),
            str(stride["stage"]),
            _number(stride["initial_contact_s"], "{:.2f}"),
            _number(stride["stride_time_s"], "{:.3f}"),
            _number(stride.get("stance_time_s"), "{:.3f}"),
            _number(stride.get("stride_length_m"), "{:.3f}"),
            _number(stride.get("stride_length_sd_m"), "{:.3f}"),
            _number(stride.get("speed_mps"), "{:.2f}"),
        )
    return table


def _number(value: float | None, form: str, unit: float = 1.0) -> str:
    return "-" if value is None else form.format(value * unit)


def picture(status: Mapping[str, Any], elapsed_s: float, duration_s: float | None) -> str:
    """The same screen as an SVG picture, for the documentation."""
    with open("/dev/null", "w", encoding="utf-8") as nowhere:  # noqa: PTH123
        console = Console(record=True, width=100, file=nowhere)
        console.print(screen(status, elapsed_s, duration_s))
    return console.export_svg(title="make demo")
