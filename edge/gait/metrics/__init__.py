"""The metrics of walking: one file an idea, each a family of columns over the strides of a foot.

Whatever is said of a bout, an hour, a day or a comparison is made from these columns.
"""

from .families import FAMILIES, WAY
from .family import Family, unit_of

__all__ = ["FAMILIES", "WAY", "Family", "unit_of"]
