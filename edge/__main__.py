"""`python -m edge` is the command `evenstride`."""

from .cli import main

main()
