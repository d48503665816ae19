"""Bytes in, blocks out: links, drivers, clocks, plain recordings and virtual hardware."""

from .sample import Block, Segment, Side

__all__ = ["Block", "Segment", "Side"]
