"""The units: they parse, and they stay locked down."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent.parent / "systemd"
UNITS = sorted(FOLDER.glob("*.service"))
# A plain unit has 9.2; what is left is devices, network and the user name space.
WORST_SCORE = 1.5

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="no systemd-analyze: sudo apt install systemd"
)
each_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@needs_systemd
@each_unit
def test_the_exposure_stays_low(unit):
    done = run("systemd-analyze", "security", "--offline=true", "--no-pager", unit)
    found = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    assert found, done.stderr
    assert float(found[1]) <= WORST_SCORE


@needs_systemd
@each_unit
def test_systemd_finds_nothing_wrong(unit, tmp_path):
    program = tmp_path / "evenstride"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for other in UNITS:
        text = other.read_text().replace("/opt/evenstride/bin/evenstride", str(program))
        (tmp_path / other.name).write_text(text)
    done = run("systemd-analyze", "verify", "--man=no", tmp_path / unit.name)
    assert (done.returncode, done.stderr) == (0, "")


@each_unit
def test_a_unit_tells_systemd_that_it_gets_on(unit):
    text = unit.read_text()
    assert "Type=notify" in text
    assert re.search(r"^WatchdogSec=\d+$", text, re.MULTILINE)


def test_only_the_unit_that_reads_sensors_sees_devices_and_it_sees_no_network():
    acquire = (FOLDER / "evenstride-acquire.service").read_text()
    assert "PrivateNetwork=yes" in acquire
    for name in ("publish", "web"):
        other = (FOLDER / f"evenstride-{name}.service").read_text()
        assert "PrivateDevices=yes" in other
        assert "SupplementaryGroups" not in other


def test_units_that_share_a_runtime_folder_leave_it_to_each_other():
    sharing = [unit.read_text() for unit in UNITS if "RuntimeDirectory=" in unit.read_text()]
    assert len(sharing) == 2
    assert all("RuntimeDirectoryPreserve=yes" in text for text in sharing)


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="no systemd-sysusers")
def test_the_account_can_be_made(tmp_path):
    (tmp_path / "etc").mkdir()
    done = run("systemd-sysusers", f"--root={tmp_path}", FOLDER / "evenstride.sysusers")
    assert done.returncode == 0, done.stderr
    assert "evenstride:" in (tmp_path / "etc" / "passwd").read_text()
    groups = (tmp_path / "etc" / "group").read_text()
    assert re.search(r"^i2c:.*evenstride$", groups, re.MULTILINE)
    assert re.search(r"^dialout:.*evenstride$", groups, re.MULTILINE)
