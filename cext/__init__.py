"""Numbers in, numbers out: the compiled core. Nothing is allocated per sample."""

from . import quaternion, runs
from .contacts import (
    crests,
    lowpass,
    moments_of_pieces,
    moving_least,
    moving_mean,
    peaks,
    positive_run,
    squared_length,
)
from .framing import PacketParser, cobs_decode, cobs_encode, crc32, encode_packet
from .orientation import OrientationFilter, smooth_orientation
from .orientation_parameters import OrientationParameters
from .resample import resample
from .strapdown import Strapdown, StrapdownParameters, integrate_rates

__all__ = [
    "OrientationFilter",
    "OrientationParameters",
    "PacketParser",
    "Strapdown",
    "StrapdownParameters",
    "cobs_decode",
    "cobs_encode",
    "crc32",
    "crests",
    "encode_packet",
    "integrate_rates",
    "lowpass",
    "moments_of_pieces",
    "moving_least",
    "moving_mean",
    "peaks",
    "positive_run",
    "quaternion",
    "resample",
    "runs",
    "smooth_orientation",
    "squared_length",
]
