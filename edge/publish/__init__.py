"""Carries the outbox to the broker, whatever becomes of the broker."""
