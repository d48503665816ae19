"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.mosquitto import PROGRAM, Mosquitto

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Folder of the real recordings; the tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("EVENSTRIDE_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no real recordings: set EVENSTRIDE_DATA to their folder")
    return folder


@pytest.fixture
def mosquitto(tmp_path) -> Iterator[Mosquitto]:
    """Run a real broker for one test."""
    if PROGRAM is None:
        pytest.skip("no mosquitto: sudo apt-get install mosquitto")
    broker = Mosquitto(tmp_path)
    broker.start()
    yield broker
    broker.kill()
