"""The table of families: a new metric is a file and a row here, and its field of `Stride`."""

from __future__ import annotations

from edge.gait.spatial import spatial_columns
from edge.gait.timing import timing_columns

from .ankle import ANKLE
from .chain import CHAIN
from .evenness import EVENNESS
from .excursion import EXCURSION
from .family import Family
from .foot_angles import FOOT_ANGLES
from .impact import IMPACT
from .pelvis_angles import PELVIS
from .pelvis_way import PELVIS_WAY
from .phases import PHASES
from .pronation import PRONATION
from .push_off import PUSH_OFF
from .shank import SHANK
from .support import SUPPORT
from .swing_path import SWING_PATH

TIMES = Family(
    "time",
    timing_columns,
    {"stride_time_s": 0.001, "stance_time_s": 0.010, "swing_time_s": 0.010},
)
WAY = Family(
    "way",
    spatial_columns,
    # Of speed, each stride's own is not summarised: it is by its still moments, not its contacts.
    {"stride_length_m": 0.01, "clearance_m": 0.01},
)
# Each gives columns over the strides of one foot; NaN becomes null.
FAMILIES = (
    TIMES,
    WAY,
    PHASES,
    SUPPORT,
    FOOT_ANGLES,
    PRONATION,
    PUSH_OFF,
    SWING_PATH,
    SHANK,
    ANKLE,
    IMPACT,
    PELVIS,
    PELVIS_WAY,
    EXCURSION,
    EVENNESS,
    CHAIN,
)
