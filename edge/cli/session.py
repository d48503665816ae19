"""`evenstride session`: protocols that an operator leads a person through."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge.errors import UserError

session_app = typer.Typer(no_args_is_help=True, help="Protocols within a running session.")
ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="The configuration, TOML.")]
DEFAULT_CONFIG = Path("/etc/evenstride/evenstride.toml")
PROTOCOLS = ("leg-length",)


@session_app.callback()
def session() -> None:
    """Protocols within a running session."""


@session_app.command()
def protocol(
    name: Annotated[str, typer.Argument(help="Which one: leg-length.")],
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Walk a clinic protocol: prompts, countdowns, a verdict after every trial, the result."""
    import time

    from edge.clinic.live import RemoteLive
    from edge.clinic.terminal import walk_protocol
    from edge.config import load_config

    if name not in PROTOCOLS:
        raise UserError(f"protocol {name!r} is not known; expected {', '.join(PROTOCOLS)}")
    walk_protocol(RemoteLive(load_config(config).folders.socket), time.sleep)
