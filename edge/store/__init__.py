"""Results on disk, and what the broker has not acknowledged yet."""
