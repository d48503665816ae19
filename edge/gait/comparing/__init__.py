"""Two sets of strides of one person in, what changed between them out."""

from .compare import compare, early_and_late

__all__ = ["compare", "early_and_late"]
