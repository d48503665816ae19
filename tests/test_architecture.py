"""The folder names are the data flow: a room imports only rooms to its left, without circles."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT = {
    "sensors": {"sensors", "cext"},
    "cext": {"cext"},
    "calibration": {"calibration", "sensors", "cext"},
    "edge": {"edge", "calibration", "sensors", "cext"},
}
ROOMS = tuple(MAY_IMPORT)
# What the pure middle must not know: ports, clocks, sockets, files, logs.
WORLD = {"serial", "socket", "time", "logging", "sqlite3", "os", "pathlib", "threading", "paho"}
PURE = [
    ROOT / "edge/pipeline.py",
    ROOT / "edge/timegrid.py",
    ROOT / "edge/results.py",
    *sorted((ROOT / "edge/gait").rglob("*.py")),
    *sorted((ROOT / "edge/web/views").rglob("*.py")),
]


def module_name(path: Path) -> str:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path, *, at_run_time: bool = False) -> set[str]:
    """Full names of the modules that a file imports, relative ones resolved."""
    package = path.relative_to(ROOT).parent.parts
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = set()
    if at_run_time:
        for node in ast.walk(tree):
            lazy = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            typing_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            if lazy or typing_only:
                skipped |= {id(inner) for inner in ast.walk(node)}
    names = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            stem = ".".join([*base, *([node.module] if node.module else [])])
            names |= {stem, *(f"{stem}.{alias.name}" for alias in node.names)}
    return names


SOURCES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_a_room_imports_only_rooms_to_its_left(path: Path):
    room = module_name(path).split(".")[0]
    ours = {name.split(".")[0] for name in imported(path)} & set(ROOMS)
    assert ours <= MAY_IMPORT[room]


@pytest.mark.parametrize("path", PURE, ids=module_name)
def test_the_pure_middle_knows_nothing_of_the_world(path: Path):
    assert not {name.split(".")[0] for name in imported(path)} & WORLD


def test_no_module_is_imported_in_a_circle():
    modules = {module_name(path): path for path in SOURCES}
    graph = {
        name: {other for other in imported(path, at_run_time=True) if other in modules} - {name}
        for name, path in modules.items()
    }
    assert len(list(TopologicalSorter(graph).static_order())) >= len(modules)


def test_only_the_page_pays_for_the_web_server():
    """Start-up and memory: no other command may load what serves HTTP."""
    for path in SOURCES:
        if not path.is_relative_to(ROOT / "edge/web"):
            at_once = imported(path, at_run_time=True)
            assert not {name.split(".")[0] for name in at_once} & {"starlette", "uvicorn"}
            assert not any(f"{name}.".startswith("edge.web.") for name in at_once), path


def test_no_room_uses_what_another_keeps_private():
    private = [
        (module_name(path), name)
        for path in SOURCES
        for name in imported(path)
        if name.split(".")[0] in ROOMS
        and name.split(".")[0] != module_name(path).split(".")[0]
        and any(part.startswith("_") and not part.startswith("__") for part in name.split("."))
    ]
    assert not private
