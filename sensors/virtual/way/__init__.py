"""What the person does and where the feet fall: a plan in, footfalls out."""
