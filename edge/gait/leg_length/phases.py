"""The labelled stretches of a clinic protocol, and the ticks that belong to each.

A protocol recording says in words what the person did when; everything between the phases is
free movement and is never looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from edge.errors import UserError
from sensors import Side

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.timegrid import Span

Facing = Literal["a", "b"]


class Phase(BaseModel):
    """One phase, as it stands in a recording's `protocol`; keys of others are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    phase: Literal["table", "stand", "bows", "seat", "walk"]
    start_s: float
    end_s: float
    placement: int = Field(default=1, ge=1, description="Counts how often the feet were put anew")
    facing: Facing = Field(default="a", description="a, or b after half a turn on the spot")
    board_mm: float = Field(default=0.0, ge=0.0, description="Full-foot board under one foot")
    board_side: Side | None = None
    knees: Literal["straight", "natural"] = "straight"
    repeat: bool = Field(default=False, description="Standing once more at the end")

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.end_s <= self.start_s:
            raise ValueError(f"{self.phase} ends at {self.end_s} s, not after {self.start_s} s")
        if self.board_mm and self.board_side is None:
            raise ValueError(f"a board of {self.board_mm} mm needs board_side: left or right")
        return self

    @property
    def lift_mm(self) -> float:
        """Height added to the right leg by a board: negative where it lies under the left foot."""
        return -self.board_mm if self.board_side is Side.LEFT else self.board_mm


def cut(span: Span, phase: Phase) -> Span:
    """Ticks of one phase; fewer than told where the recording does not reach so far."""
    start = round((phase.start_s - span.start_s) * span.rate_hz)
    stop = round((phase.end_s - span.start_s) * span.rate_hz)
    return span.part(min(max(start, 0), len(span)), min(max(stop, 0), len(span)))


def read_phases(entries: Iterable[Any]) -> tuple[Phase, ...]:
    """Phases of a recording's `protocol`, checked.

    Raises
    ------
    UserError
        At the first entry that is no phase, with its number, key, value and what was expected.
    """
    phases = []
    for number, entry in enumerate(entries, start=1):
        try:
            phases.append(Phase.model_validate(entry))
        except ValidationError as error:
            raise UserError(f"protocol, phase {number}: {_sentence(error)}") from None
    return tuple(phases)


def _sentence(error: ValidationError) -> str:
    """The first thing that is wrong: key, value, what was expected."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        return f"{where} is missing"
    if first["type"] == "model_type":
        return f"{first['input']!r} is no phase; expected an object with phase, start_s, end_s"
    return f"{where} = {first['input']!r}: {first['msg']}" if where else str(first["msg"])
