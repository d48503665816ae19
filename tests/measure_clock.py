"""How true the times of virtual nodes behind pseudo-terminals are on this machine.

python -m tests.measure_clock                 as a service runs
python -m tests.measure_clock --first         both processes before all others (SCHED_RR, root)

Nodes and driver are two processes, as nodes and host are two machines; so what this shows beyond
`tests/test_clock.py`, where time is simulated, is the scheduler of one busy machine.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from dataclasses import replace

import numpy as np

from sensors.drivers.node import NodeDriver
from sensors.virtual.crystal import Crystal
from sensors.virtual.node import VirtualNode, VirtualNodes
from sensors.virtual.sampler import Board
from tests.test_clock import shared_motion, time_errors


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.measure_clock", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--first", action="store_true")
    options = parser.parse_args()
    if options.first:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(5))
    ours, theirs = multiprocessing.Pipe()
    nodes = multiprocessing.Process(target=serve, args=(theirs,))
    nodes.start()
    ports, start_ns = ours.recv()
    drivers = [NodeDriver(port) for port in ports]
    blocks, exchanges = [], []
    until_s = time.monotonic() + options.seconds
    while time.monotonic() < until_s:
        time.sleep(0.1)
        for driver in drivers:
            blocks += [replace(b, host_ns=b.host_ns - start_ns) for b in driver.read(0.0)]
            exchanges += [exchange for _, exchange in driver.take_exchanges()]
    error_s, stated_s = time_errors(blocks, after_s=10)
    trip_us = [
        (e.received_ns - e.sent_ns) / 1e3 - (e.node_sent_ticks - e.node_received_ticks)
        for e in exchanges
    ]
    held = 100 * np.mean(np.abs(error_s) < 2 * stated_s)
    sys.stdout.write(
        f"round trip {min(trip_us):.0f} us at best, {np.median(trip_us):.0f} median,"
        f" {max(trip_us):.0f} at worst; error median {np.median(error_s) * 1e6:.0f} us, 99.9 %"
        f" {np.quantile(np.abs(error_s), 0.999) * 1e6:.0f} us;"
        f" stated {np.median(stated_s) * 1e6:.0f} us, holds {held:.1f} % within two; load"
        f" {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors\n"
    )
    for driver in drivers:
        driver.close()
    ours.send("stop")
    nodes.join()
    return 0


def serve(host) -> None:
    """Five nodes on one swinging plate, until the host says stop."""
    nodes = [
        VirtualNode(f"n{i}", shared_motion, board=Board(crystal=Crystal(35.0 * (-1) ** i, 2.0)))
        for i in range(5)
    ]
    with VirtualNodes(nodes) as running:
        host.send(([node.port for node in nodes], running.start_ns))
        host.recv()


if __name__ == "__main__":
    sys.exit(main())
