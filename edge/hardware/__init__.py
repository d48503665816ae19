"""What is plugged in, and whether all of it is well."""
