"""The command `evenstride`: one short function for each subcommand, heavy imports inside.

A mistake of the person at the keyboard becomes one sentence on standard error and exit status 2.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="evenstride",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Measures how a person walks, from five inertial sensors. A research tool, no diagnosis."""
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"evenstride {installed('evenstride')}")
        raise typer.Exit


@app.command()
def analyze(
    recording: Annotated[Path, typer.Argument(help="A recording folder, a .npz or a .csv.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where the results go, as JSON.")
    ] = None,
) -> None:
    """Analyse a recording: contacts, strides, bouts, leg length where the protocol was walked."""
    from .analyze import analyse_recording
    from .files import write_whole
    from .progress import late_progress
    from .sources import open_recording

    with late_progress(f"Analysing {recording.name}") as progress:
        analysis = analyse_recording(open_recording(recording), progress)
    text = analysis.model_dump_json(by_alias=True)
    if output is None:
        sys.stdout.write(text + "\n")
    else:
        write_whole(output, text)


def main() -> None:
    """Run the command; a `UserError` or a `RecordingError` becomes one sentence."""
    from sensors.plain import RecordingError

    from .errors import UserError

    try:
        app()
    except (UserError, RecordingError) as error:
        sys.stderr.write(f"evenstride: {error}\n")
        sys.exit(2)
