"""A walking person with known truth, and the nodes that person wears."""

from .body.kinematics import Kinematics
from .body.person import Leg, LegLengthStrategy, Variability, VirtualPerson
from .signals import Imperfections, Readings, Signal
from .skin import Skin
from .truth.chain import TrueChain
from .truth.records import TrueContact, TrueStep, TrueStride, WalkTruth
from .walker import Walker
from .way.plan import Bow, Jog, Sit, Stairs, Stand, Turn, Walk

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
    "Skin",
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
