"""Protocols that a clinic walks a person through: as data, judged at once, step by step."""

from .protocol import INTAKE, LEG_LENGTH, Question, Step, hip_width_from_asis_m, info_of
from .run import ProtocolRun
from .verdict import Verdict

__all__ = [
    "INTAKE",
    "LEG_LENGTH",
    "ProtocolRun",
    "Question",
    "Step",
    "Verdict",
    "hip_width_from_asis_m",
    "info_of",
]
