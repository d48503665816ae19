"""What this room raises: wrong data is refused with the sentence that says which step to repeat."""

from __future__ import annotations


class CalibrationError(Exception):
    """Base of all errors of this room; its text is one sentence for a person."""


class Refused(CalibrationError):  # noqa: N818 (raise Refused reads as what happens)
    """Data that no fit should be made from.

    Attributes
    ----------
    step : str
        Name of the step to repeat, as the guide calls it.
    """

    def __init__(self, message: str, step: str) -> None:
        super().__init__(message)
        self.step = step


class StoreError(CalibrationError):
    """A calibration file that cannot be read, or is of another kind than it should be."""
