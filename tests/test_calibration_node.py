"""A serial node as the source of a calibration, behind a pseudo-terminal."""

from __future__ import annotations

import numpy as np

from calibration.fits.bench import JUDGES
from calibration.guide import ACCEL_SIX, GuideWalk
from calibration.trial import Trial
from edge.calibrate import NodeSource, collect
from sensors.drivers.node import NodeDriver
from sensors.virtual.node import VirtualNode, VirtualNodes


def lying(time_s):
    """A node that lies still with x up."""
    return np.zeros((len(time_s), 3)), np.tile([9.80665, 0.0, 0.0], (len(time_s), 1)), None


def test_a_connected_node_is_recorded_and_judged(tmp_path):
    node = VirtualNode("bench", lying)
    with VirtualNodes([node]):
        source = NodeSource(NodeDriver(node.port, name="bench"))
        step = ACCEL_SIX.steps[0]
        shares = []
        readings = collect(source, step.seconds, shares.append)
        known = source.chip, source.hardware_id, source.temperature_c
        source.close()
    walk = GuideWalk(ACCEL_SIX, Trial(tmp_path), JUDGES[ACCEL_SIX.name])
    assert walk.take(step, readings).taken
    assert shares[-1] == 1.0
    assert all(known)
    assert np.allclose(readings.acc.mean(axis=0), [9.80665, 0, 0], atol=0.01)
