"""From orientations to strides, the kinetic chain, asymmetry and leg length."""

from .metrics import describe_walk
from .walk import Path, Walk
from .walking import analyse_walking

__all__ = ["Path", "Walk", "analyse_walking", "describe_walk"]
