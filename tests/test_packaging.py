"""What is shipped: the four rooms, compiled, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = {"sensors", "calibration", "cext", "edge"}
# The first test compiles the whole core: minutes where other work keeps the machine busy.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory) -> list[str]:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
         "--wheel-dir", folder, ROOT],
        check=True,
    )  # fmt: skip
    (wheel,) = folder.glob("evenstride-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_a_wheel_holds_exactly_the_four_rooms(wheel_names):
    tops = {name.split("/")[0] for name in wheel_names}
    assert {top for top in tops if not top.endswith(".dist-info")} == ROOMS


def test_a_wheel_holds_the_compiled_core_and_its_stubs(wheel_names):
    for source in (ROOT / "cext").glob("*.pyx"):
        assert any(name.startswith(f"cext/{source.stem}.") and name.endswith(".so")
                   for name in wheel_names), source.stem  # fmt: skip
        assert f"cext/{source.stem}.pyi" in wheel_names


def test_a_wheel_holds_whatever_the_rooms_read_at_run_time(wheel_names):
    kinds = {".py", ".pyi", ".pxd", ".html", ".js", ".css", ".svg"}
    shipped = {
        str(path.relative_to(ROOT))
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.suffix in kinds
    }
    assert shipped <= set(wheel_names)
    # Whoever passes on somebody's code passes on its licence.
    assert "edge/web/static/uplot/LICENSE" in wheel_names


def test_no_other_installed_distribution_owns_a_room():
    owners = packages_distributions()
    for room in ROOMS:
        assert set(owners.get(room, [])) <= {"evenstride"}


def test_the_python_versions_are_stated():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == ">=3.11,<3.14"
