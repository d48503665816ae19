"""From orientations to strides, the kinetic chain, asymmetry and leg length."""

from .long_bouts import LongBouts
from .walk import Path, Walk, live_walk
from .walking import analyse_walking, newest_strides

__all__ = [
    "LongBouts",
    "Path",
    "Walk",
    "analyse_walking",
    "live_walk",
    "newest_strides",
]
