"""Sections of a page of the documentation that a measuring command writes."""

from __future__ import annotations


def write_section(path, name, text):
    """Put a text between the marks of a section, or at the end of the page."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    old = path.read_text() if path.exists() else "# Validation\n"
    before, mark, rest = old.partition(begin)
    after = rest.partition(end)[2] if mark else ""
    head = before if mark else before.rstrip() + "\n\n"
    path.write_text(f"{head}{begin}\n{text.strip()}\n\n{end}{after or chr(10)}")
