"""`evenstride contract`: the documents of the contract, and a live broker held against it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge.errors import UserError

contract_app = typer.Typer(no_args_is_help=True, help="What goes over MQTT, as documents.")


@contract_app.command()
def write(
    folder: Annotated[Path, typer.Argument(help="Where they go.")] = Path("docs/contract"),
) -> None:
    """Write AsyncAPI, JSON Schemas, topic table and access list."""
    from edge.papers.contract import write_documents

    write_documents(folder)


@contract_app.command()
def check(
    broker: Annotated[str, typer.Option("--broker", help="HOST or HOST:PORT.")] = "localhost",
    duration: Annotated[float, typer.Option("--duration", help="Seconds to listen.")] = 10.0,
    config: Annotated[
        Path | None, typer.Option("--config", help="For TLS and certificates.")
    ] = None,
) -> None:
    """Listen to a broker and say what is not as the contract has it."""
    from edge.config import Config, load_config, parse_config
    from edge.papers.check import check_broker

    known = (load_config(config) if config else Config()).broker
    host, _, port = broker.partition(":")
    values = {**known.model_dump(), "host": host, "port": int(port) if port.isdigit() else None}
    # A person who names a broker here reads only: nothing of ours goes there.
    asked = parse_config({"broker": {**values, "insecure": True}}, "--broker").broker
    found = check_broker(asked, duration, "evenstride-check")
    typer.echo(found.report())
    if found.faults:
        raise UserError(f"{broker}: {found.faults.total()} faults against the contract")
    if not found.n:
        raise UserError(
            f"{broker}: nothing of ours was heard in {duration:g} s; is an edge running?"
        )
