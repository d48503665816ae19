"""What integrators read, made from the code, and live traffic held against it."""
