"""The demo's own MQTT broker (amqtt), a process of its own, on this machine only.

For the demo and nothing else: it speaks MQTT 3.1.1 only and does not keep messages for a
subscriber that is away. A clinic runs mosquitto.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import sys

from amqtt.broker import Broker

ADDRESS = "127.0.0.1"
SHUTDOWN_S = 2.0
PLUGINS = {
    "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True},
    "amqtt.plugins.sys.broker.BrokerSysPlugin": {"sys_interval": 0},
}


def free_port(wished: int) -> int:
    """A TCP port that nobody listens on: the wished one where it is free."""
    for wanted in (wished, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((ADDRESS, wanted))
            return int(probe.getsockname()[1])
    raise OSError("no free port on this machine")


async def serve(port: int) -> None:
    """Run the broker until the process is told to end."""
    listener = {"type": "tcp", "bind": f"{ADDRESS}:{port}"}
    broker = Broker({"listeners": {"default": listener}, "plugins": PLUGINS})
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await broker.start()
    await ended.wait()
    # From Python 3.12 on its servers wait for every client to leave first; ours need not.
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(broker.shutdown(), SHUTDOWN_S)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(serve(int(sys.argv[1])))
