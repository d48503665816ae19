"""From readings to trust: fits, placement, alignment, certificates."""

from .apply import apply, correct
from .errors import CalibrationError, Refused, StoreError
from .model import SensorCalibration, Verdict
from .store import CalibrationStore
from .trial import Readings, Trial, from_blocks

__all__ = [
    "CalibrationError",
    "CalibrationStore",
    "Readings",
    "Refused",
    "SensorCalibration",
    "StoreError",
    "Trial",
    "Verdict",
    "apply",
    "correct",
    "from_blocks",
]
