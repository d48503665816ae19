"""The command `evenstride`."""
