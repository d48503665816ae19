"""`evenstride demo`: the whole flow on one machine, without hardware and without a broker."""
