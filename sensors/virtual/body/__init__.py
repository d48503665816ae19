"""The body and how it moves: a person in, motions of five segments out."""
