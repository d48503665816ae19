"""The fault harness: real processes, a real broker, real kills. Run it with `make faults`."""
