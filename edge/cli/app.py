"""The command `evenstride`: one short function for each subcommand, heavy imports inside.

A mistake of the person at the keyboard becomes one sentence on standard error and exit status 2.
"""

from __future__ import annotations

import gc
import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from .calibrate import calibrate_app
from .compare import compare
from .contract import contract_app
from .hardware import doctor, nodes_app
from .provision import provision_app
from .recording import recording_app
from .session import session_app

app = typer.Typer(
    name="evenstride",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


app.add_typer(calibrate_app, name="calibrate")
app.add_typer(contract_app, name="contract")
app.add_typer(nodes_app, name="nodes")
app.add_typer(provision_app, name="provision")
app.add_typer(recording_app, name="recording")
app.add_typer(session_app, name="session")
app.command()(compare)
app.command()(doctor)


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
    refit_clocks: Annotated[
        bool, typer.Option("--refit-clocks", help="Fit the nodes' clocks anew, from both sides.")
    ] = False,
) -> None:
    """Analyse a recording: contacts, strides, bouts, leg length where the protocol was walked."""
    from edge.analyze import analyse_into
    from edge.files import whole_file
    from edge.progress import late_progress
    from edge.results_file import ResultsFile
    from edge.sources import open_recording

    opened = open_recording(recording, refit_clocks=refit_clocks)
    # Results are many, soon gone, and without circles.
    gc.set_threshold(20_000)
    with (
        nullcontext(sys.stdout) if output is None else whole_file(output) as file,
        ResultsFile(None if output is None else output.parent) as results,
    ):
        with late_progress(f"Analysing {recording.name}") as progress:
            rest = analyse_into(opened, results.add, progress)
        results.write(rest, file)
        file.write("\n")


# Read by libraries when they are loaded: matrices here have three rows, so threads only cost;
# Arrow's own pool keeps what it once had; and a search for plugins takes longer than any command.
FRUGAL = {
    "OPENBLAS_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "PYDANTIC_DISABLE_PLUGINS": "__all__",
}

ConfigFile = Annotated[
    Path, typer.Option("--config", "-c", help="The configuration, TOML.", show_default=True)
]
DEFAULT_CONFIG = Path("/etc/evenstride/evenstride.toml")


@app.command()
def acquire(
    config: ConfigFile = DEFAULT_CONFIG,
    subject: Annotated[
        str | None, typer.Option(help="Pseudonym of the person who wears the sensors.")
    ] = None,
) -> None:
    """Read the nodes, record everything, analyse, and write results to the store."""
    from edge.acquire.lean import become_service
    from edge.pseudonym import check_subject

    become_service(config, check_subject(subject) if subject else None)


@app.command()
def publish(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Carry the store's outbox to the MQTT broker, whatever becomes of the broker."""
    from edge.config import load_config
    from edge.operation.service import stop_on_signals
    from edge.publish.service import run_publish

    run_publish(load_config(config), stop_on_signals())


@app.command()
def web(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Serve the page on which a clinician sees sensors, walking and results."""
    from edge.config import load_config
    from edge.operation.service import stop_on_signals
    from edge.web.service import run_web

    run_web(load_config(config), stop_on_signals(), typer.echo)


@app.command()
def status(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Say how the nodes, the session and delivery fare."""
    from edge.acquire.control import ask
    from edge.acquire.status import describe_status
    from edge.config import load_config

    loaded = load_config(config)
    typer.echo(describe_status(ask(loaded.folders.socket, "status"), loaded.folders.state))


@app.command()
def audit(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Walk the log of who did what, and say whether it is whole."""
    from edge.config import load_config
    from edge.operation.audit import Audit

    path = load_config(config).folders.audit
    typer.echo(f"{path}: {Audit(path).verify()} lines, as they were written")


@app.command()
def subject() -> None:
    """Make a code for a person; who wears it is known to the clinic alone."""
    from edge.pseudonym import new_subject

    typer.echo(new_subject())


@app.command()
def demo(
    duration: Annotated[
        float, typer.Option(min=0, help="Seconds to walk; 0: until Ctrl-C.")
    ] = 60.0,
    speed: Annotated[float, typer.Option(min=0.1, max=100, help="Times real time.")] = 1.0,
    source: Annotated[
        Path | None, typer.Option(help="Play this recording instead of the virtual walker.")
    ] = None,
    broker: Annotated[
        str | None, typer.Option(help="HOST:PORT of a broker; without it the demo has its own.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the virtual person's steps.")] = 1,
    keep: Annotated[
        Path | None, typer.Option(help="Folder in which store and recording stay afterwards.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(help="File for a picture (SVG) of the last screen.")
    ] = None,
) -> None:
    """Five virtual nodes on a virtual person, through acquire and publish to an MQTT broker."""
    from edge.demo.run import Demo, DemoPlan
    from edge.operation.service import stop_on_signals

    Demo(DemoPlan(duration, speed, source, broker, seed, keep, picture)).run(stop_on_signals())


def main() -> None:
    """Run the command; a `UserError` or a `RecordingError` becomes one sentence."""
    # First of all: an import would load numpy.
    os.environ |= {name: os.environ.get(name, value) for name, value in FRUGAL.items()}
    from edge.errors import UserError, leave
    from sensors.plain import RecordingError

    try:
        app()
    except (UserError, RecordingError) as error:
        leave(error)
