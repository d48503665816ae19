"""From orientations to strides, the kinetic chain, asymmetry and leg length."""

from .long_bouts import LongBouts
from .metrics import describe_walk
from .walk import Path, Walk
from .walking import analyse_walking

__all__ = ["LongBouts", "Path", "Walk", "analyse_walking", "describe_walk"]
