"""Numbers in, numbers out: the compiled core. Nothing is allocated per sample."""
