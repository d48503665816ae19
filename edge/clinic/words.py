"""A leg-length result in words, for the terminal and for the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.results import LegLength


def leg_length_rows(result: LegLength) -> list[tuple[str, str]]:
    """Names and texts: a number with its interval, or the reason for none."""
    rows = []
    if result.refused is not None:
        rows.append(("No number", result.refused))
    elif result.difference_mm is not None and result.interval_mm is not None:
        difference = _with_interval(result.difference_mm, result.interval_mm)
        rows += [("Right minus left", difference), ("Longer side", str(result.longer_side))]
        if result.p_abs_ge_10 is not None:
            rows.append(("10 mm or more", f"probability {result.p_abs_ge_10:.0%}"))
        rows.append(("References", ", ".join(result.references_used) or "none"))
    for board in result.boards:
        name = f"Board {board.board_mm:.0f} mm {board.board_side.value}"
        rows.append((name, _with_interval(board.change_mm, board.interval_mm)))
    for name, value, interval in (
        (
            "Walking, D",
            result.pelvic_midstance_difference_mm,
            result.pelvic_midstance_difference_interval_mm,
        ),
        (
            "Walking minus standing",
            result.dynamic_minus_standing_mm,
            result.dynamic_minus_standing_interval_mm,
        ),
    ):
        if value is not None and interval is not None:
            rows.append((name, _with_interval(value, interval)))
    if result.walking_refused is not None:
        rows.append(("Walking", result.walking_refused))
    if result.flags:
        rows.append(("Note", ", ".join(flag.replace("_", " ") for flag in result.flags)))
    return rows


def _with_interval(value_mm: float, interval_mm: tuple[float, float]) -> str:
    low, high = interval_mm
    return f"{value_mm:+.0f} mm, 95 % {low:+.0f} to {high:+.0f}"
