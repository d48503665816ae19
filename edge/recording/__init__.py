"""Raw blocks on disk, so that a power cut costs less than a second."""
