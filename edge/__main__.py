"""`python -m edge` is the command `evenstride`."""

from .cli.app import main

main()
