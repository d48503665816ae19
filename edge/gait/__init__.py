"""From orientations to strides, the kinetic chain, asymmetry and leg length."""

from .live import LiveStrides
from .long_bouts import LongBouts
from .walk import Path, Walk, live_walk
from .walking import analyse_walking

__all__ = [
    "LiveStrides",
    "LongBouts",
    "Path",
    "Walk",
    "analyse_walking",
    "live_walk",
]
