"""What computed a result: the same constants, the same hash; another constant, another hash."""

from __future__ import annotations

import subprocess
import sys

from edge import pipeline
from edge.algorithms import gait_algorithm


def test_the_hash_follows_the_constants(monkeypatch):
    before = gait_algorithm()
    gait_algorithm.cache_clear()
    assert gait_algorithm() == before
    monkeypatch.setattr(pipeline, "SOME_LIMIT_S", 1.5, raising=False)
    gait_algorithm.cache_clear()
    assert gait_algorithm().params_sha256 != before.params_sha256
    gait_algorithm.cache_clear()


def test_the_hash_is_the_same_in_every_process():
    program = "from edge.algorithms import gait_algorithm; print(gait_algorithm().params_sha256)"
    gait_algorithm.cache_clear()
    told = subprocess.check_output([sys.executable, "-c", program], text=True)
    assert told.strip() == gait_algorithm().params_sha256
