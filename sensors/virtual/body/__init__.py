"""The body and how it moves: a person in, motions of five segments out.

A and B in comments are the two recordings that `person.py` names.
"""
