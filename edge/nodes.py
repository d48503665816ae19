"""Opens a configured node, whatever it is: the one way from the configuration to a driver."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sensors.drivers.catalog import open_driver
from sensors.errors import SensorError

from .config import LEAST_ON_A_LEG, is_on_a_leg
from .errors import UserError

# Ranges are named in round numbers: 16 g end at 15.99.
ROUNDED = 0.98

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensors import Segment
    from sensors.drivers.catalog import Driver

    from .config import Node


def open_node(
    name: str, node: Node, grid_hz: float, now_ns: Callable[[], int] = time.monotonic_ns
) -> Driver:
    """Driver of a node, set to its rate and ranges; `grid_hz` is that of the time grid.

    Raises
    ------
    UserError
        Where there is no such driver or bus, or another chip answers.
    """
    try:
        return open_driver(
            node.driver, node.port, name=name, setup=node.setup(grid_hz), now_ns=now_ns
        )
    except (SensorError, ValueError) as error:
        raise UserError(f"nodes.{name}: {error}") from error


def too_narrow(segment: Segment | None, acc_range_g: float, gyr_range_deg_s: float) -> str:
    """How a device's ranges are too narrow for a foot or shank; empty where they are not."""
    has = {"acc_range_g": acc_range_g, "gyr_range_deg_s": gyr_range_deg_s}
    if not is_on_a_leg(segment):
        return ""
    return "; ".join(
        f"its {key} is {has[key]:.0f}, a {segment} needs {least:g}"
        for key, least in LEAST_ON_A_LEG.items()
        if has[key] < ROUNDED * least
    )
