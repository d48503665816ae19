"""The fault harness itself: a few tries of its quick faults, so that it does not rust."""

from __future__ import annotations

import random

import pytest

from tests.faults import recording, torn

QUICK = [
    (recording.writer_killed, 3),
    (torn.torn_live, 200),
    (torn.torn_sealed, 200),
    (torn.torn_journal, 200),
    (torn.torn_manifest, 3),
    (torn.torn_log, 20),
    (torn.torn_store, 3),
    (recording.store_deleted, 1),
    (recording.clock_steps, 5),
]


@pytest.mark.parametrize(("fault", "tries"), QUICK, ids=lambda x: getattr(x, "__name__", ""))
def test_a_fault_costs_nothing(fault, tries, tmp_path):
    outcome = fault(tmp_path, tries, random.Random(7))
    assert outcome.is_good, outcome
    assert outcome.tries >= tries
