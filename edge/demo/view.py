"""The demo's terminal: a live table of the nodes and one of the last strides (rich)."""

from __future__ import annotations

import io
import json
import re
from collections import deque
from typing import TYPE_CHECKING, Any, Self

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from edge.contract import STRIDE, topic

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

LAST_STRIDES = 8
PICTURE_COLUMNS = 104
COLOURS = {"up": "green", "stalled": "yellow", "down": "red"}


def screen(
    status: Mapping[str, Any],
    strides: Sequence[Mapping[str, Any]],
    counts: Mapping[str, int],
    elapsed_s: float,
    duration_s: float,
) -> Group:
    """Draw what `acquire` answered to `status`, and the strides that came back from the broker."""
    head = Text.assemble(
        (" Evenstride demo ", "bold reverse"),
        f"  {elapsed_s:.0f} of {duration_s:.0f} s",
        f"   strides {counts['live']} live, {counts['refined']} refined",
        f"   outbox {status['outbox']['depth']}",
        "   Ctrl-C ends it",
    )
    return Group(
        head,
        Panel(_nodes(status["nodes"]), title="nodes", border_style="dim"),
        Panel(_strides(strides), title="last strides over MQTT", border_style="dim"),
    )


def _nodes(nodes: Mapping[str, Mapping[str, Any]]) -> Table:
    table = Table(box=None, expand=True)
    for name in ("node", "segment", "link"):
        table.add_column(name)
    for name in ("rate Hz", "samples", "lost", "drift ppm", "clock sd ms"):
        table.add_column(name, justify="right")
    for name, node in nodes.items():
        table.add_row(
            name,
            str(node.get("segment") or "-"),
            Text(str(node["link"]), COLOURS.get(node["link"], "")),
            _number(node.get("rate_hz"), "{:.1f}"),
            str(node["n_samples"]),
            Text(str(node["n_lost"]), "red" if node["n_lost"] else ""),
            _number(node.get("clock_drift_ppm"), "{:+.1f}"),
            _number(node.get("clock_sd_s"), "{:.3f}", 1e3),
        )
    return table


def _strides(strides: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=None, expand=True)
    for name in ("side", "stage"):
        table.add_column(name)
    for name in ("landed s", "stride s", "stance s", "length m", "+- m", "speed m/s"):
        table.add_column(name, justify="right")
    for stride in reversed(strides):
        table.add_row(
            str(stride["side"]),
            str(stride["stage"]),
            _number(stride["next_initial_contact_s"], "{:.2f}"),
            _number(stride["stride_time_s"], "{:.3f}"),
            _number(stride.get("stance_time_s"), "{:.3f}"),
            _number(stride.get("stride_length_m"), "{:.3f}"),
            _number(stride.get("stride_length_sd_m"), "{:.3f}"),
            _number(stride.get("speed_mps"), "{:.2f}"),
        )
    return table


def _number(value: float | None, form: str, unit: float = 1.0) -> str:
    return "-" if value is None else form.format(value * unit)


class Screen:
    """Shows the demo: a live table in a terminal, a line a stride anywhere else.

    Strides are shown as they come back from the broker, so that what is seen has gone all the way.

    Parameters
    ----------
    address : tuple of host and port
        Of the broker.
    site, edge : str
        Where on the broker our topics stand.
    page : str
        Address of the page.
    duration_s : float
        How long the demo goes on, in seconds of the person's time.
    """

    def __init__(
        self, address: tuple[str, int], site: str, edge: str, page: str, duration_s: float
    ) -> None:
        self._console = Console()
        self._address = address
        self._page = page
        self._topic = f"{topic(site, edge, STRIDE.stream())}"
        self._all_topics = topic(site, edge, "#")
        self._duration_s = duration_s
        self._strides: deque[dict[str, Any]] = deque(maxlen=LAST_STRIDES)
        self._ids: set[str] = set()
        self._counts = {"live": 0, "refined": 0}
        self._shown: Group | None = None
        self._live = Live(console=self._console, auto_refresh=False, transient=False)
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = self._subscribe
        self._client.on_message = self._receive

    def __enter__(self) -> Self:
        host, port = self._address
        self._console.print(
            "Evenstride demo: five virtual nodes, acquire, publish, web, an MQTT broker.\n"
            f"Open the page in a browser on this machine: {self._page}\n"
            "Subscribe from another terminal:\n"
            f"  mosquitto_sub -V mqttv311 -h {host} -p {port} -t '{self._all_topics}' -v\n",
            highlight=False,
            soft_wrap=True,
        )
        self._client.connect_async(host, port)
        self._client.loop_start()
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()
        self._client.disconnect()
        self._client.loop_stop()

    def show(self, status: Mapping[str, Any], elapsed_s: float) -> None:
        """Draw the tables anew."""
        self._shown = screen(
            status, tuple(self._strides), self._counts, elapsed_s, self._duration_s
        )
        if self._live.is_started:
            self._live.update(self._shown, refresh=True)

    def picture(self) -> str:
        """What was shown last, as an SVG that needs nothing from elsewhere."""
        console = Console(record=True, width=PICTURE_COLUMNS, file=io.StringIO())
        if self._shown is not None:
            console.print(self._shown)
        # rich points to fonts on the web: a picture in the documentation must not.
        return re.sub(
            r"@font-face \{.*?\}", "", console.export_svg(title="make demo"), flags=re.DOTALL
        )

    def finish(self, undelivered: int) -> None:
        """Say what the demo came to."""
        self._live.stop()
        counts = f"{self._counts['live']} live and {self._counts['refined']} refined strides"
        rest = f"; {undelivered} messages were not delivered" if undelivered else ""
        self._console.print(f"{counts} came back over MQTT{rest}.", highlight=False)

    def _subscribe(self, client: mqtt.Client, *_: Any) -> None:
        client.subscribe(self._topic, qos=1)

    def _receive(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        payload = json.loads(message.payload)
        if payload["id"] in self._ids:
            return
        self._ids.add(payload["id"])
        stride = payload["data"]
        self._counts[stride["stage"]] += 1
        self._strides.append(stride)
        if not self._console.is_terminal:
            took = _number(stride["stride_time_s"], "{:.3f} s")
            length = _number(stride["stride_length_m"], "{:.3f} m")
            landed = f"{stride['next_initial_contact_s']:8.3f} s"
            self._console.print(
                f"{stride['stage']:7} {stride['side']:5} landed {landed}  {took}  {length}",
                highlight=False,
            )
