"""A walking person with known truth, and the nodes that person wears."""

from .chain import TrueChain
from .kinematics import Kinematics
from .person import Leg, LegLengthStrategy, Variability, VirtualPerson
from .plan import Bow, Jog, Sit, Stairs, Stand, Turn, Walk
from .signals import Imperfections, Readings, Signal
from .truth import TrueContact, TrueStep, TrueStride, WalkTruth
from .walker import Walker

__all__ = [
    "Bow",
    "Imperfections",
    "Jog",
    "Kinematics",
    "Leg",
    "LegLengthStrategy",
    "Readings",
    "Signal",
    "Sit",
    "Stairs",
    "Stand",
    "TrueChain",
    "TrueContact",
    "TrueStep",
    "TrueStride",
    "Turn",
    "Variability",
    "VirtualPerson",
    "Walk",
    "WalkTruth",
    "Walker",
]
