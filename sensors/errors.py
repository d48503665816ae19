"""What a caller of this room must decide on."""

from __future__ import annotations


class SensorError(Exception):
    """Something about a sensor or its link that nobody here can settle."""


class LinkLostError(SensorError):
    """The bus or port does not answer: open it again later."""


class WrongChipError(SensorError):
    """Another chip answers than the one that was named: stop, and tell the likely cause."""
