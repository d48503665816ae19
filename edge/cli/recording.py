"""`evenstride recording`: look at recordings, check them, bring them back, make room."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge.errors import UserError

recording_app = typer.Typer(no_args_is_help=True, help="Check, recover and prune recordings.")
Folder = Annotated[Path, typer.Argument(help="Folder of one recording.")]


@recording_app.command()
def info(folder: Folder) -> None:
    """Say what a recording holds."""
    from edge.recording.manifest import read_manifest

    manifest = read_manifest(folder)
    header = manifest.header
    typer.echo(f"{header.session}: {manifest.state}, started {manifest.started}")
    if manifest.reason:
        typer.echo(f"  {manifest.reason}")
    if manifest.segments:
        last_ns = max(segment.last_ns for segment in manifest.segments)
        typer.echo(f"  {(last_ns - header.origin_ns) / 1e9:.1f} s at {header.rate_hz:g} Hz")
    for sensor, count in manifest.sensors.items():
        place = header.placements.get(sensor, "not placed")
        typer.echo(f"  {sensor} ({place}): {count.n} samples, {count.n_lost} lost")


@recording_app.command()
def verify(folder: Folder) -> None:
    """Compare a recording with its manifest: every hash, every sample."""
    from edge.recording.archive import verify_recording

    faults = verify_recording(folder)
    if faults:
        raise UserError("\n".join(faults))
    typer.echo(f"{folder}: as it was recorded")


@recording_app.command()
def recover(folder: Folder) -> None:
    """Close a recording that a crash or a power cut left open; whole seconds are kept."""
    from edge.recording.archive import recover_recording

    manifest = recover_recording(folder)
    n = sum(segment.n for segment in manifest.segments)
    typer.echo(f"{folder}: {manifest.state}, {n} samples in {len(manifest.segments)} files")


@recording_app.command()
def prune(
    config: Annotated[Path, typer.Option("--config", "-c", help="For folders and limits.")] = Path(
        "/etc/evenstride/evenstride.toml"
    ),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
) -> None:
    """Delete raw samples older than `storage.raw_days`, and the oldest while room is short."""
    from edge.config import load_config
    from edge.operation.audit import Audit
    from edge.recording.retention import prune_recordings

    loaded = load_config(config)
    storage = loaded.storage
    gone = prune_recordings(
        loaded.folders.recordings, storage.raw_days, storage.reserve_mb, dry_run=dry_run
    )
    for pruned in gone:
        typer.echo(f"{pruned.folder.name}: {pruned.mb:.1f} MB, {pruned.reason}")
        if not dry_run:
            Audit(loaded.folders.audit).note("delete", recording=pruned.folder.name)
    typer.echo(f"{len(gone)} recordings {'would be ' if dry_run else ''}pruned")
