"""What the page says: facts in, words and numbers out; no clock, file or socket."""
