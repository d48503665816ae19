"""Functional leg-length asymmetry from a clinic protocol: see docs/leg-length.md."""

from .checks import CONDITIONS
from .estimate import estimate_leg_length
from .phases import Phase, read_phases

__all__ = ["CONDITIONS", "Phase", "estimate_leg_length", "read_phases"]
