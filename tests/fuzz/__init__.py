"""Coverage-guided fuzzing of every parser that takes bytes from outside: `make fuzz`."""
