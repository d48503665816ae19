"""Before and after: known changes of a virtual person are found, and nothing else is."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache

import numpy as np
import pytest

from edge.gait import analyse_walking
from edge.gait.comparing import compare, early_and_late
from edge.gait.comparing.bootstrap import RESAMPLES, resampled_means
from edge.gait.comparing.matching import matching_weights
from edge.results import Analysis, Comparison, Person, RecordingSummary
from edge.store.store import Store
from sensors import Side
from sensors.virtual import Leg, Stand, VirtualPerson, Walk, Walker
from tests.gait_truth import any_sensors, span_of, true_columns

USUAL = VirtualPerson()
INSOLE = VirtualPerson(right=Leg(landing_inversion=0.08, strike_angle=0.30))


@cache
def walker(person, seed, speed_mps=1.2, steps=100):
    return Walker(person, [Stand(3), Walk(steps, speed_mps), Stand(2)], seed=seed)


@cache
def strides(person, seed, speed_mps=1.2, steps=100):
    how = any_sensors(np.random.default_rng(1))
    span = span_of(walker(person, seed, speed_mps, steps), how)
    return analyse_walking(span, Person()).strides


@cache
def insole() -> Comparison:
    return compare(strides(USUAL, 1), strides(INSOLE, 2), ("without", "with insole"))


@pytest.mark.parametrize(
    "name", ["foot_strike_angle_deg", "shank_rotation_deg", "stride_length_m", "pelvic_drop_deg"]
)
@pytest.mark.parametrize("side", Side)
def test_the_change_is_the_true_one(name, side):
    effect = next(e for e in insole().effects if (e.name, e.side) == (name, side))
    true = [
        np.mean(true_columns(walker(person, seed))[side][name][3:-3])
        for person, seed in ((USUAL, 1), (INSOLE, 2))
    ]
    assert effect.change == pytest.approx(true[1] - true[0], abs=2.5 * effect.detectable_change)


def test_an_insole_on_one_side_is_told_of_that_side_in_plain_words():
    sure = {(e.name, e.side) for e in insole().effects if e.sure}
    assert {("shank_rotation_deg", "right"), ("foot_strike_angle_deg", "right")} <= sure
    assert not {side for _, side in sure} - {"right", "both"}
    assert "Shank rotation, right, fell by" in insole().verdict
    assert insole().guarded_more == ("flat landing, right",)
    assert insole().basis == "within-session only"


@pytest.mark.parametrize("seed", range(3, 7))
def test_two_walks_of_the_same_kind_show_no_change(seed):
    found = compare(strides(USUAL, 1), strides(USUAL, seed))
    assert found.verdict == "No change beyond chance at matched speed."
    inside = [low <= 0.0 <= high for low, high in (e.interval for e in found.effects)]
    assert np.mean(inside) > 0.75


def test_the_other_way_round_every_change_turns_its_sign():
    back = compare(strides(INSOLE, 2), strides(USUAL, 1))
    for here, there in zip(insole().effects, back.effects, strict=True):
        assert here.change == pytest.approx(-there.change, abs=1e-3 * (1 + abs(here.before)))


def test_speed_alone_is_no_effect():
    # Half of each walk at the other's speed: only those strides count.
    slow, quick = strides(USUAL, 11, 1.0, 80), strides(USUAL, 12, 1.3, 80)
    both = [*slow, *quick]
    found = compare(both, quick)
    assert found.shared_share == pytest.approx(0.5, abs=0.12)
    assert found.speed_mps == pytest.approx(1.3, abs=0.05)
    assert not any(e.sure for e in found.effects if e.name == "shank_swing_rate_degps")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ((), (), "0 steady strides, 60 needed"),
        ("usual", (), "0 steady strides, 60 needed"),
        ("usual", "running away", "speeds of 1.19 and 1.79 m/s have too little in common"),
    ],
)
def test_what_cannot_be_compared_says_why(before, after, words):
    sets = {"usual": strides(USUAL, 1), "running away": strides(USUAL, 13, 1.8, 90)}
    found = compare(sets.get(before, ()), sets.get(after, ()))
    assert found.refused == words
    assert not found.effects


def test_early_and_late_are_thirds_of_the_time():
    early, late = early_and_late(strides(USUAL, 1))
    assert len(early) == pytest.approx(len(strides(USUAL, 1)) / 3, abs=3)
    assert max(s.next_initial_contact_s for s in early) < min(s.initial_contact_s for s in late)
    assert early_and_late(()) == ([], [])


def test_blocks_widen_the_interval_of_strides_that_go_together():
    rng = np.random.default_rng(3)
    alone = rng.normal(size=(200, 1))
    together = np.repeat(rng.normal(size=(20, 1)), 10, axis=0)
    spread = []
    for values in (alone, together):
        mean, drawn = resampled_means(values, np.ones(200), np.random.default_rng(0))
        assert mean == pytest.approx(values.mean(axis=0))
        assert drawn.shape == (RESAMPLES, 1)
        spread.append(drawn.std() / values.std())
    assert spread[0] == pytest.approx(1 / np.sqrt(200), rel=0.3)
    assert spread[1] == pytest.approx(1 / np.sqrt(20), rel=0.3)


def test_weights_match_the_speeds_of_both():
    rng = np.random.default_rng(4)
    slow, quick = rng.normal(1.0, 0.1, 4000), rng.normal(1.1, 0.1, 4000)
    a, b, shared = matching_weights(slow, quick)
    means = [np.sum(s * w) / np.sum(w) for s, w in ((slow, a), (quick, b))]
    assert means[0] == pytest.approx(means[1], abs=0.02)
    assert 0.5 < shared < 0.7


def write(path, found):
    summary = RecordingSummary(duration_s=60.0, rate_hz=200.0, segments=())
    path.write_text(Analysis(recording=summary, strides=found).model_dump_json(by_alias=True))


def test_the_command_compares_two_results_files(tmp_path):
    write(tmp_path / "without.json", strides(USUAL, 1))
    write(tmp_path / "insole.json", strides(INSOLE, 2))
    (tmp_path / "text.json").write_text("{}")

    def run(*names):
        paths = [n if str(n).startswith("--") else tmp_path / n for n in names]
        command = [sys.executable, "-m", "edge", "compare", *paths]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    done = run("without.json", "insole.json")
    assert done.returncode == 0
    found = Comparison.model_validate_json(done.stdout)
    assert (found.before, found.after) == ("without", "insole")
    assert found.verdict in done.stderr
    (tmp_path / "edge.toml").write_text(f'[folders]\nstate = "{tmp_path}"\n')
    sent = run("without.json", "insole.json", "--publish", tmp_path / "edge.toml")
    assert sent.returncode == 0, sent.stderr
    store = Store(tmp_path / "store.sqlite")
    (payload,) = store.results("clinic/comparison")
    store.close()
    assert json.loads(payload)["data"]["verdict"] == found.verdict
    bad = run("without.json", "text.json")
    assert (bad.returncode, bad.stderr.count("\n")) == (2, 1)
