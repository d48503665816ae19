"""The service: pipeline, recording, store, delivery, command line."""
