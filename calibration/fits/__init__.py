"""Errors of one sensor on the bench: still poses, counted turns, rests and taps in, fits out."""
