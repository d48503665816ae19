"""How one node fares: its status message, and when it is worth telling again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from edge.messages import SATURATED_SHARE, NodeStatus
from sensors.serial_link import LinkState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sensors import Block, Segment
    from sensors.drivers.catalog import Driver
    from sensors.framing import Hello

# No samples for this long while the port is open: stalled.
STALLED_NS = 1_500_000_000
RATE_WINDOW_NS = 5_000_000_000
STATUS_NS = 1_000_000_000
TELL_NS = 60_000_000_000


class NodeWatch:
    """Follows one driver; to be looked at in every turn of the service.

    Attributes
    ----------
    status : NodeStatus
        A second old at most. Replaced whole, so that other threads may read it.
    """

    def __init__(
        self,
        name: str,
        driver: Driver,
        segment: Segment | None,
        now_ns: Callable[[], int],
    ) -> None:
        self.name = name
        self._driver = driver
        self._segment = segment
        self._now_ns = now_ns
        self._last_ns = now_ns()
        self._told_ns = -TELL_NS
        self._told_link = ""
        self._n_saturated = 0
        self._range_told = (0, 0)
        self._hello: Hello | None = None
        self._window = (now_ns(), 0)
        self._rate_hz: float | None = None
        self._status_ns = now_ns()
        self.status = self._now(self._status_ns)

    def look(self, blocks: Sequence[Block]) -> bool:
        """Take note of new blocks; True where the status should be told."""
        now_ns = self._now_ns()
        if blocks:
            self._last_ns = now_ns
            self._n_saturated += sum(int(block.saturated.sum()) for block in blocks)
            self._measure(blocks[-1])
        if now_ns - self._status_ns >= STATUS_NS or self._link(now_ns) != self.status.link:
            self._status_ns = now_ns
            self.status = self._now(now_ns)
        due = self.status.link != self._told_link or now_ns - self._told_ns >= TELL_NS
        if due:
            self._told_link, self._told_ns = self.status.link, now_ns
        return due

    def range_exceeded(self) -> str | None:
        """A sentence for people where the range was exceeded much since the last call."""
        n, received = self._n_saturated, self._driver.counters.received
        before_n, before = self._range_told
        self._range_told = (n, received)
        if n - before_n <= SATURATED_SHARE * max(received - before, 1):
            return None
        return (
            f"node {self.name}: its range was exceeded {n - before_n} times since "
            "its last status; tighten the strap, or widen the range"
        )

    def sentence(self) -> str:
        """How the link fares, for people."""
        if self.status.link == "down":
            return f"node {self.name}: no link ({self._driver.link.reason}); it is tried again"
        silent_s = (self._now_ns() - self._last_ns) * 1e-9
        silent = f"silent since {silent_s:.1f} s"
        return f"node {self.name}: {'measuring' if self.status.link == 'up' else silent}"

    def new_hello(self) -> Hello | None:
        """What the node said of itself, where it has said something new."""
        hello = self._driver.info
        if hello == self._hello:
            return None
        self._hello = hello
        return hello

    def _measure(self, block: Block) -> None:
        """Samples a second of the node's clock-true time, over some seconds."""
        began_ns, began_n = self._window
        end_ns, n = int(block.host_ns[-1]), self._driver.counters.received
        if end_ns - began_ns >= RATE_WINDOW_NS:
            self._rate_hz = (n - began_n) * 1e9 / (end_ns - began_ns) if began_n else self._rate_hz
            self._window = (end_ns, n)

    def _now(self, now_ns: int) -> NodeStatus:
        counters, clock, health = self._driver.counters, self._driver.clock, self._driver.status
        n = counters.received + counters.lost
        return NodeStatus(
            segment=self._segment,
            link=self._link(now_ns),
            rate_hz=self._rate_hz,
            n_samples=counters.received,
            n_lost=counters.lost,
            loss_ppm=1e6 * counters.lost / n if n else None,
            n_saturated=self._n_saturated,
            clock_sd_s=clock.uncertainty_s if clock else None,
            clock_drift_ppm=clock.drift_ppm if clock else None,
            battery_v=health.battery_mv / 1000 if health and health.battery_mv else None,
            temperature_degc=health.temperature_cdeg / 100 if health else None,
        )

    def _link(self, now_ns: int) -> Literal["up", "stalled", "down"]:
        if self._driver.link.state is LinkState.LOST:
            return "down"
        return "stalled" if now_ns - self._last_ns > STALLED_NS else "up"
