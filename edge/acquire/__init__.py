"""Reads the nodes, records, analyses, stores: the service, its session, its control socket."""
