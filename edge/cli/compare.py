"""`evenstride compare`: what changed between two conditions, from their results files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge.errors import UserError

if TYPE_CHECKING:
    from edge.results import Analysis, Comparison


def compare(
    before: Annotated[Path, typer.Argument(help="Results of `evenstride analyze`.")],
    after: Annotated[
        Path | None,
        typer.Argument(help="Those of the other condition; without, late is held to early."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where the comparison goes, as JSON.")
    ] = None,
    publish: Annotated[
        Path | None,
        typer.Option("--publish", help="The edge's configuration: it is sent from there as well."),
    ] = None,
    subject: Annotated[str | None, typer.Option(help="Pseudonym of the person.")] = None,
) -> None:
    """Compare two conditions of one person, sensors left on, at matched speed."""
    from edge.files import write_whole
    from edge.gait.comparing import compare as compare_strides
    from edge.gait.comparing import early_and_late

    first = _read_results(before).strides
    if after is None:
        found = compare_strides(*early_and_late(first), ("early", "late"))
    else:
        found = compare_strides(first, _read_results(after).strides, (before.stem, after.stem))
    typer.echo(found.verdict, err=True)
    text = found.model_dump_json()
    if output is None:
        sys.stdout.write(text + "\n")
    else:
        write_whole(output, text)
    if publish is not None:
        _send(found, publish, subject)


def _send(found: Comparison, config: Path, subject: str | None) -> None:
    """Put a comparison into an edge's outbox."""
    import time

    from edge.config import load_config
    from edge.contract import COMPARISON
    from edge.pseudonym import check_subject
    from edge.store.store import Context, Store

    about = Context(subject=check_subject(subject) if subject else None)
    store = Store(load_config(config).folders.store)
    try:
        store.add(COMPARISON, found, time.monotonic_ns(), about)
    finally:
        store.close()


def _read_results(path: Path) -> Analysis:
    """Read the results file of an analysis."""
    from pydantic import ValidationError

    from edge.results import Analysis

    try:
        return Analysis.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; name a results file of analyze") from None
    except ValidationError:
        raise UserError(
            f"{path}: no results of `evenstride analyze`; "
            f"make some: evenstride analyze RECORDING -o {path.stem}.json"
        ) from None
