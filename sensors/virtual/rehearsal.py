"""A virtual node and the host's side of its protocol in simulated time: an hour in seconds.

The same firmware, line, faults and stream as behind a pseudo-terminal, without threads and ports,
so that a run is exact and repeats itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensors.node_stream import NodeStream
    from sensors.sample import Block

    from .wire import Wire

# The host turns to its questions at least this often, as the driver does.
TURN_NS = 50_000_000


def rehearse(wire: Wire, stream: NodeStream, *, until_ns: int, from_ns: int = 0) -> Iterator[Block]:
    """Let a node and a stream talk with each other; yield the blocks as they come.

    Parameters
    ----------
    wire : Wire
        The node at the end of its line.
    stream : NodeStream
        The host's side.
    from_ns, until_ns : int
        Simulated host time.
    """
    now_ns = turn_ns = from_ns
    plugged = True
    while now_ns < until_ns:
        arrived = wire.advance(now_ns)
        for sent in arrived:
            stream.receive(sent.packet, sent.ready_ns)
        # The host acts when bytes have come or its time is up, never when the node becomes ready.
        if arrived or now_ns >= turn_ns:
            turn_ns = now_ns + TURN_NS
            if wire.plugged(now_ns) and not plugged:
                stream.reopened()
            plugged = wire.plugged(now_ns)
            question = stream.questions(now_ns) if plugged else b""
            if question:
                wire.hear(question, now_ns)
            yield from stream.take()
        due_ns = wire.next_ns
        now_ns = min(turn_ns, until_ns if due_ns is None else max(due_ns, now_ns + 1))
