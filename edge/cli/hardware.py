"""`evenstride doctor` and `evenstride nodes`: the machine and what is plugged into it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sensors import Segment  # noqa: TC001 - typer reads the annotations when it runs

if TYPE_CHECKING:
    from edge.hardware.facts import Finding

nodes_app = typer.Typer(help="The serial nodes that are plugged in.")

Port = Annotated[str, typer.Argument(help="The node's port, as `evenstride nodes` lists it.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
# A machine that is not set up yet is looked at all the same.
DEFAULT_CONFIG = Path("/etc/evenstride/evenstride.toml")
MARKS = {"ok": "  ok   ", "warning": "warning", "fault": " FAULT "}


def doctor(
    config: Annotated[
        Path, typer.Option("--config", "-c", help="The configuration whose nodes are read.")
    ] = DEFAULT_CONFIG,
    self_test: Annotated[
        bool,
        typer.Option("--self-test", help="Let I2C chips test themselves; stop the service first."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look at power, disk, clock, ports, buses and nodes; say what to do. Status 1 at a fault."""
    from edge.config import Config, load_config
    from edge.hardware.doctor import diagnose, verdict_of
    from edge.hardware.facts import Verdict
    from edge.hardware.look import look

    known = load_config(config) if config.exists() or config != DEFAULT_CONFIG else Config()
    facts = look(known, self_tests=self_test)
    findings = diagnose(facts)
    if as_json:
        report = {"verdict": verdict_of(findings), "findings": [asdict(f) for f in findings]}
        typer.echo(json.dumps(report, indent=2))
    else:
        typer.echo("\n".join(_lines(findings)))
    if verdict_of(findings) is Verdict.FAULT:
        raise typer.Exit(1)


def _lines(findings: list[Finding]) -> list[str]:
    lines = []
    for finding in findings:
        lines.append(f"{MARKS[finding.verdict]}  {finding.what}: {finding.seen}")
        if finding.advice:
            lines.append(f"           -> {finding.advice}")
    return lines


@nodes_app.callback(invoke_without_command=True)
def nodes(
    context: typer.Context,
    port: Annotated[
        list[str] | None, typer.Option("--port", help="Ask these ports only; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List what is plugged in."""
    if context.invoked_subcommand:
        return
    from edge.hardware.nodes import find_nodes, serial_ports

    found = find_nodes(port or serial_ports())
    if as_json:
        rows = [
            {
                "port": item.port,
                "name": item.hello.name if item.hello else None,
                "chip": item.hello.chip if item.hello else None,
                "segment": (item.hello.segment or None) if item.hello else None,
                "firmware": item.hello.firmware if item.hello else None,
                "rate_hz": item.hello.rate_hz if item.hello else None,
                "reason": item.reason or None,
            }
            for item in found
        ]
        typer.echo(json.dumps(rows, indent=2))
        return
    if not found:
        typer.echo("no serial ports: plug a node in; `evenstride doctor` looks further")
    for item in found:
        if item.hello is None:
            typer.echo(f"{item.port}: no node answers ({item.reason})")
        else:
            hello = item.hello
            wears = hello.segment or "not assigned"
            typer.echo(f"{item.port}: {hello.name}, {hello.chip}, {hello.rate_hz:g} Hz, {wears}")


@nodes_app.command()
def blink(port: Port, duration: Annotated[int, typer.Option(help="Seconds.")] = 5) -> None:
    """Let a node blink, so that you see which one it is."""
    from edge.hardware.nodes import blink as let_blink

    let_blink(port, duration)


@nodes_app.command()
def assign(
    port: Port, segment: Annotated[Segment, typer.Argument(help="Where it is worn.")]
) -> None:
    """Let a node keep the segment it is worn on, through power cuts."""
    from edge.hardware.nodes import assign as let_keep

    hello = let_keep(port, segment)
    typer.echo(f"{hello.name} keeps {hello.segment}")


@nodes_app.command()
def show(
    config: Annotated[
        Path, typer.Option("--config", "-c", help="The configuration whose nodes are shown.")
    ] = DEFAULT_CONFIG,
) -> None:
    """Show the nodes live in the x-IMU3's free viewer on this network; Ctrl-C ends it."""
    import signal
    import threading

    from edge.config import load_config
    from edge.hardware.viewer import show_nodes

    stop = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    show_nodes(load_config(config), stop)
