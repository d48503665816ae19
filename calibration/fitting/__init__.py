"""Sensors on a person: which sits where, how it is turned on its segment, whether that holds."""
