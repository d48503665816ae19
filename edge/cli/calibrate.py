"""`evenstride calibrate`: the technician's bench and the fitting on a person.

Without a port every command works from a trial that was recorded before: the fit is made again.
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from calibration import CalibrationStore, SensorCalibration
    from calibration.fits.mag import EarthField
    from calibration.trial import GroupTrial
    from edge.calibrate.source import NodeSource
    from sensors import Block, Segment

calibrate_app = typer.Typer(
    no_args_is_help=True, help="Calibrate sensors on the bench, fit them on a person."
)

DEFAULT_CONFIG = Path("/etc/evenstride/evenstride.toml")
SensorName = Annotated[str, typer.Argument(help="Name of the sensor, as in [nodes.NAME].")]
TrialFolder = Annotated[
    Path | None, typer.Option("--trial", help="Folder of the raw readings, kept and gone on with.")
]
StoreFolder = Annotated[
    Path | None, typer.Option("--store", help="Folder of the calibrations; else of the config.")
]
ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="The configuration, TOML.")]
Port = Annotated[str | None, typer.Option("--port", help="Serial port of the connected sensor.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Latitude = Annotated[float | None, typer.Option("--latitude", help="Of the place, degrees.")]
Longitude = Annotated[float | None, typer.Option("--longitude", help="Of the place, degrees.")]
Height = Annotated[float, typer.Option("--height", help="Of the place above the sea, metres.")]


@calibrate_app.command()
def accel(
    sensor: SensorName,
    six: Annotated[bool, typer.Option("--six", help="The quick form: six faces.")] = False,
    port: Port = None,
    trial: TrialFolder = None,
    store: StoreFolder = None,
    config: ConfigFile = DEFAULT_CONFIG,
    latitude: Latitude = None,
    height: Height = 0.0,
    as_json: Json = False,
) -> None:
    """Accelerometer: bias, scale, cross-axis from still poses."""
    from calibration.fits.accel import ANYWHERE_SD_MPS2, FORMULA_SD_MPS2, gravity_at
    from calibration.limits import STANDARD_GRAVITY

    name = "accel-six" if six else "accel"
    if latitude is None:
        gravity = (STANDARD_GRAVITY, ANYWHERE_SD_MPS2)
    else:
        gravity = (gravity_at(latitude, height), FORMULA_SD_MPS2)
    _run(name, sensor, _Where(port, trial, store, config), as_json, gravity=gravity)


@calibrate_app.command()
def gyro(
    sensor: SensorName,
    port: Port = None,
    trial: TrialFolder = None,
    store: StoreFolder = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Gyroscope: bias from a rest, scale and cross-axis from counted turns."""
    _run("gyro", sensor, _Where(port, trial, store, config), as_json)


@calibrate_app.command()
def mag(
    sensor: SensorName,
    latitude: Annotated[float, typer.Option("--latitude", help="Of the place, degrees.")],
    longitude: Annotated[float, typer.Option("--longitude", help="Of the place, degrees.")],
    height: Height = 0.0,
    port: Port = None,
    trial: TrialFolder = None,
    store: StoreFolder = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Magnetometer: hard and soft iron, strength by the World Magnetic Model."""
    from calibration.fits.mag import earth_field

    try:
        field = earth_field(latitude, longitude, height, datetime.now(UTC).date())
    except ValueError as error:
        raise UserError(str(error)) from error
    _run("mag", sensor, _Where(port, trial, store, config), as_json, field=field)


@calibrate_app.command()
def noise(
    sensor: SensorName,
    port: Port = None,
    trial: TrialFolder = None,
    store: StoreFolder = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """White noise and bias instability from a long rest."""
    _run("noise", sensor, _Where(port, trial, store, config), as_json)


@calibrate_app.command()
def verify(
    sensor: SensorName,
    port: Port = None,
    trial: TrialFolder = None,
    store: StoreFolder = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Hold a sensor against its certificate, in one minute."""
    _run("verify", sensor, _Where(port, trial, store, config), as_json)


@calibrate_app.command()
def jig(
    sensor: SensorName,
    bar_mm: Annotated[
        float, typer.Option("--bar", min=50, max=500, help="Post to post, mm.")
    ] = 172,
    port: Port = None,
    trial: TrialFolder = None,
    store: StoreFolder = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Leg length on a bar of known length over gauge blocks: within 1 mm, or exit status 1."""
    from edge.clinic.jig_bench import run_jig, show_jig

    where = _Where(port, trial, store, config)
    source = _connected(sensor, where)
    try:
        with _sentences():
            report = run_jig(sensor, _store(store, config), trial, source, bar_mm / 1e3)
    finally:
        if source is not None:
            source.close()
    if report is None:
        return
    show_jig(report, as_json=as_json)
    if not report.passed:
        raise typer.Exit(1)


@calibrate_app.command()
def taps(
    reference: Annotated[str, typer.Argument(help="Sensor whose time is held to be right.")],
    trial: TrialFolder = None,
    store: StoreFolder = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Time offsets between all configured nodes, from taps on a shared plate."""
    from calibration.guide import TAPS
    from calibration.trial import GroupTrial
    from edge.calibrate.procedures import fit_taps

    with _sentences():
        group = GroupTrial(trial) if trial else _walk_group(config, TAPS.name)
        made = fit_taps(group, reference, _store(store, config))
    _show_all(made, as_json)


@calibrate_app.command()
def identify(
    trial: TrialFolder = None, config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False
) -> None:
    """Which node sits where, by tapping each in turn."""
    from calibration.fitting.tapping import placement_by_taps
    from calibration.guide import TAPPING
    from calibration.trial import GroupTrial
    from edge.calibrate.show import print_table

    with _sentences():
        group = GroupTrial(trial) if trial else _walk_group(config, TAPPING.name)
        found = placement_by_taps(group)
    if as_json:
        sys.stdout.write(json.dumps(found) + "\n")
        return
    print_table("Identified by taps", ("Sensor", "Sits on"), list(found.items()))


@calibrate_app.command()
def fit(
    trial: TrialFolder = None,
    store: StoreFolder = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Fitting on the person: who sits where, sensor to segment, a light for every sensor."""
    from calibration.fitting.person import fit_person
    from calibration.guide import FITTING
    from calibration.trial import GroupTrial
    from edge.calibrate.fittings import last_alignments, save_fitting
    from edge.calibrate.show import show_fitting

    with _sentences():
        group = GroupTrial(trial) if trial else _walk_group(config, FITTING.name)
        known = _store(store, config)
        loaded = {name: known.load(name) for name in group.sensors}
        calibrations = {name: c for name, c in loaded.items() if c is not None}
        earlier = last_alignments(known.folder)
        fitting = fit_person(group, _claimed(config), calibrations, earlier)
    save_fitting(known.folder, fitting)
    if show_fitting(fitting, as_json) == "red":
        raise typer.Exit(1)


@calibrate_app.command()
def placement(
    recording: Annotated[Path, typer.Argument(help="A walk: recording folder, .npz or .csv.")],
    as_json: Json = False,
) -> None:
    """Which sensor of a recording sits where, whatever its labels say."""
    from calibration.fitting.placement import find_placement, suspected_swaps
    from calibration.trial import from_blocks, on_one_grid
    from edge.calibrate.show import show_placement
    from edge.sources import open_recording

    blocks: dict[Segment, list[Block]] = {}
    for segment, block in open_recording(recording).blocks():
        blocks.setdefault(segment, []).append(block)
    with _sentences():
        readings = {str(segment): from_blocks(several) for segment, several in blocks.items()}
        found = find_placement(*on_one_grid(readings))
    swaps = suspected_swaps(found, {str(segment): segment for segment in blocks})
    show_placement(found, swaps, as_json)
    if swaps:
        raise typer.Exit(1)


@calibrate_app.command()
def certificate(
    sensor: SensorName,
    html: Annotated[Path | None, typer.Option("--html", help="Where the page goes.")] = None,
    pdf: Annotated[Path | None, typer.Option("--pdf", help="Where the PDF goes.")] = None,
    store: StoreFolder = None,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Write the certificate of a sensor, as HTML or PDF."""
    from calibration.certificate import certificate_html, certificate_of
    from calibration.model import now_utc
    from edge.files import write_whole

    if html is None and pdf is None:
        raise UserError("name the file: --html FILE or --pdf FILE")
    with _sentences():
        made = certificate_of(_load(_store(store, config), sensor), now_utc())
    if html is not None:
        write_whole(html, certificate_html(made))
    if pdf is not None:
        try:
            from calibration.certificate.pdf import certificate_pdf
        except ImportError as error:
            raise UserError(
                "the PDF needs reportlab: pip install 'evenstride[pdf]', or use --html"
            ) from error
        pdf.write_bytes(certificate_pdf(made))


@calibrate_app.command(name="list")
def list_(
    store: StoreFolder = None, config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False
) -> None:
    """Every calibrated sensor, and what its results must be flagged with today."""
    from calibration.model import now_utc
    from edge.calibrate.show import print_table

    known = _store(store, config)
    with _sentences():
        flags = {name: _load(known, name).flags(now_utc()) for name in known.sensors()}
    if as_json:
        sys.stdout.write(json.dumps(flags) + "\n")
        return
    rows = [(name, ", ".join(said) or "valid") for name, said in flags.items()]
    print_table("Calibrations", ("Sensor", "State"), rows)


@dataclass(frozen=True, slots=True)
class _Where:
    """Where readings come from and the calibration goes."""

    port: str | None
    trial: Path | None
    store: Path | None
    config: Path


def _run(
    name: str,
    sensor: str,
    where: _Where,
    as_json: bool,
    gravity: tuple[float, float] | None = None,
    field: EarthField | None = None,
) -> None:
    """One procedure, its result shown; exit status 1 where the verdict is red."""
    from edge.calibrate.procedures import Bench, run_procedure

    store = _store(where.store, where.config)
    source = _connected(sensor, where)
    bench = Bench(sensor, store, where.trial, source, field=field)
    if gravity is not None:
        bench = replace(bench, gravity_mps2=gravity[0], gravity_sd_mps2=gravity[1])
    try:
        with _sentences():
            made = run_procedure(name, bench)
    finally:
        if source is not None:
            source.close()
    _show_all([made] if made else [], as_json)


def _connected(sensor: str, where: _Where) -> NodeSource | None:
    """The sensor by its port, else as it is configured; None to fit from a recorded trial."""
    from edge.calibrate.source import NodeSource
    from edge.config import Config, Node, load_config
    from edge.nodes import open_node

    loaded = load_config(where.config) if where.config.exists() else Config()
    node = loaded.nodes.get(sensor)
    if where.port is not None:
        node = (node or Node(port=where.port)).model_copy(update={"port": where.port})
    elif where.trial is not None:
        return None
    elif node is None:
        raise UserError(
            f"{sensor} is not configured: give --port of the connected sensor, or --trial of a"
            " recorded one"
        )
    return NodeSource(open_node(sensor, node, loaded.rate_hz))


def _walk_group(config: Path, guide_name: str) -> GroupTrial:
    """Walk a guide with all configured nodes."""
    from calibration.guide import GUIDES
    from edge.calibrate.procedures import walk_group
    from edge.calibrate.source import NodeSource
    from edge.config import load_config
    from edge.nodes import open_node

    loaded = load_config(config)
    if not loaded.nodes:
        raise UserError(f"{config}: no nodes; name each under [nodes.NAME] with its port")
    sources = {
        name: NodeSource(open_node(name, node, loaded.rate_hz))
        for name, node in loaded.nodes.items()
    }
    try:
        trial = walk_group(GUIDES[guide_name], sources, loaded.folders.calibration / "trials")
    finally:
        for source in sources.values():
            source.close()
    if trial is None:
        raise typer.Exit(0)
    return trial


def _store(folder: Path | None, config: Path) -> CalibrationStore:
    from calibration import CalibrationStore
    from edge.config import load_config

    return CalibrationStore(folder or load_config(config).folders.calibration)


def _claimed(config: Path) -> dict[str, Segment]:
    """What the configuration says of who sits where; nothing without a configuration."""
    from edge.config import load_config

    if not config.exists():
        return {}
    nodes = load_config(config).nodes
    return {name: node.segment for name, node in nodes.items() if node.segment is not None}


def _load(store: CalibrationStore, sensor: str) -> SensorCalibration:
    found = store.load(sensor)
    if found is None:
        known = ", ".join(store.sensors()) or "none"
        raise UserError(f"{sensor} has no calibration in {store.folder}; calibrated are: {known}")
    return found


def _show_all(made: list[SensorCalibration], as_json: bool) -> None:
    from edge.calibrate.show import show_calibration

    verdicts = [show_calibration(calibration, as_json) for calibration in made]
    if "red" in verdicts:
        raise typer.Exit(1)


@contextmanager
def _sentences() -> Iterator[None]:
    """A refusal is what a person can put right: one sentence, exit status 2."""
    from calibration import CalibrationError

    try:
        yield
    except CalibrationError as error:
        raise UserError(str(error)) from error
