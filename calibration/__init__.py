"""From readings to trust: fits, placement, alignment, certificates."""
