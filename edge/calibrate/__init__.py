"""Calibrating and fitting with sensors connected: sources of samples, the terminal walk."""

from .source import NodeSource, SampleSource, collect, collect_group
from .terminal import walk_guide

__all__ = ["NodeSource", "SampleSource", "collect", "collect_group", "walk_guide"]
