"""Slow and plain versions of what `cext` does fast, for tests only."""
