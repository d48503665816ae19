"""What real recordings can tell of a number whose truth nobody knows: whether it comes back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge.analyze import spans_of
from edge.gait.leg_length.phases import Phase
from edge.gait.leg_length.standing import read_trial
from edge.gait.leg_length.walking_figures import WALKS_OVER_STRIDES
from edge.gait.leg_length.walks import measure_walk
from edge.gait.walking import analyse_walking
from edge.results import Person
from edge.sources import open_recording
from edge.timegrid import join
from sensors import Segment

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.data


def opened(path: Path):
    """All of a recording; the gyroscopes' bias is taken from its first two, quiet seconds."""
    span = join(list(spans_of(open_recording(path))))
    return replace(span, gyr=span.gyr - span.gyr[: round(2 * span.rate_hz)].mean(axis=0))


def test_midstance_difference_comes_back_from_walk_to_walk(data_folder):
    """Ten people walked 10 m, turned and walked back, four times each."""
    between, expected = [], []
    for subject in range(1, 11):
        walks = [
            measure_walk(span, analyse_walking(span, Person()), None).height_m * 1e3
            for path in sorted((data_folder / "ipol_10m").glob(f"{subject}-*.npz"))
            for span in [opened(path)]
        ]
        assert len(walks) == 4
        between.append(np.var([walk.mean() for walk in walks], ddof=1))
        expected += [walk.var(ddof=1) / len(walk) for walk in walks]
    scatter_mm = np.sqrt(np.mean(between))
    assert scatter_mm < 3.5
    # The published interval rests on this.
    assert scatter_mm == pytest.approx(WALKS_OVER_STRIDES * np.sqrt(np.mean(expected)), rel=0.25)


def test_real_quiet_standing_passes_as_still(data_folder):
    """The seconds before the first step of somebody who stood and waited."""
    span = opened(data_folder / "gaittoolbox_S02_walk_part1.npz")
    k = span.index(Segment.PELVIS)
    part = span.part(0, round(10 * span.rate_hz))
    phase = Phase(phase="stand", start_s=0.0, end_s=10.0)
    trial = read_trial(phase, span.rate_hz, part.acc[:, k], part.gyr[:, k], part.valid[:, k])
    assert trial.fault is None
    assert np.degrees(trial.sway_rad) < 0.3
