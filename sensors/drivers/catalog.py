"""Which devices there are, what each can do, and how one is opened: the one table of drivers."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, Protocol

from sensors.i2c_link import Registers, open_port
from sensors.serial_link import SerialLink
from sensors.udp_link import UdpLink

from . import icm20948, lsm6ds, lsm6ds_self_test, mpu6050
from .adafruit import AdafruitChip
from .background import BackgroundSensor
from .chip import Reach, Setup
from .i2c_sensor import I2cSensor
from .mti import MtiDecoder
from .node import NodeDriver
from .vendor import VendorDriver
from .witmotion import WitMotionDecoder
from .ximu3 import Ximu3Decoder

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensors.clock import ClockState, Exchange
    from sensors.framing import Hello, Status
    from sensors.i2c_link import Bus
    from sensors.node_stream import Counters
    from sensors.sample import Block
    from sensors.serial_link import LinkState

    from .chip import Chip
    from .reader import Link
    from .vendor import Decoder


class LinkView(Protocol):
    """How a link fares."""

    @property
    def state(self) -> LinkState:
        """`open` or `lost`."""
        ...

    @property
    def reopened(self) -> int:
        """How often it was opened after it had been lost."""
        ...

    @property
    def reason(self) -> str:
        """Why it is or was last lost, for people."""
        ...


class Driver(Protocol):
    """What every source of live blocks gives."""

    @property
    def name(self) -> str:
        """Name that the blocks bear."""
        ...

    @property
    def link(self) -> LinkView:
        """How the link fares."""
        ...

    @property
    def info(self) -> Hello | None:
        """What the device is; None before it answered."""
        ...

    @property
    def status(self) -> Status | None:
        """How it says it fares, where it does."""
        ...

    @property
    def counters(self) -> Counters:
        """Samples received and lost, packets refused."""
        ...

    @property
    def rejected(self) -> int:
        """Stretches of the line that were no packet."""
        ...

    @property
    def clock(self) -> ClockState | None:
        """How true the times are; None before they are known."""
        ...

    def read(self, timeout_s: float) -> list[Block]:
        """Blocks that came since the last call, waiting for the first `timeout_s` at most."""
        ...

    def take_exchanges(self) -> list[tuple[int, Exchange]]:
        """Raw clock exchanges since the last call, for the recording."""
        ...

    def close(self) -> None:
        """Let go of the device."""
        ...


# A: round-trip exchanges with the device, or its own stamps of known delay: below 0.2 ms.
# B: times from a line through counted samples: below a millisecond.
# C: no sequence, no device time: some milliseconds; no leg-length result may come from it.
SyncClass = Literal["A", "B", "C"]


@dataclass(frozen=True, slots=True)
class Device:
    """A row of the table.

    Attributes
    ----------
    driver : str
        Its name in the configuration.
    models : str
        For people.
    link : str
        `serial` or `i2c`.
    channels : int
        6, or 9 with a magnetometer.
    acc_range_g, gyr_range_deg_s : float
        Its widest ranges; foot and shank need 16 g and 2000 deg/s.
    sync_class : SyncClass
        How true its times are.
    note : str
        What a technician should know.
    """

    driver: str
    models: str
    link: Literal["serial", "i2c"]
    channels: int
    acc_range_g: float
    gyr_range_deg_s: float
    sync_class: SyncClass
    note: str = ""


DEVICES = (
    Device("node", "any node of our protocol", "serial", 9, 16, 2000, "A"),
    Device("lsm6ds", "LSM6DSO, LSM6DSOX, ISM330DHCX", "i2c", 6, 16, 2000, "B", "FIFO of 1.2 s"),
    Device("lsm6dso32", "LSM6DSO32", "i2c", 6, 32, 2000, "B", "FIFO of 1.2 s; for hard landings"),
    Device(
        "icm20948", "ICM-20948", "i2c", 9, 16, 2000, "B", "FIFO of 0.11 s: no slow card beside it"
    ),
    Device("ximu3", "x-IMU3", "serial", 6, 16, 2000, "B", "port /dev/... or udp:PORT; no sequence"),
    Device("mti", "Xsens MTi-1 to MTi-700", "serial", 6, 16, 2000, "B", "set its output first"),
    Device("witmotion", "WT901 and relatives", "serial", 6, 16, 2000, "C", "no sequence, no clock"),
    Device("mpu6050", "MPU-6050, MPU-6500, MPU-9250", "i2c", 6, 16, 2000, "B", "many counterfeits"),
)

# Addresses, the usual one first; what each can be set to; what makes it.
_CHIPS: dict[str, tuple[tuple[int, ...], Reach, Callable[[Registers, Setup], Chip]]] = {
    "lsm6ds": (lsm6ds.ADDRESSES, lsm6ds.REACH, lsm6ds.Lsm6ds),
    "lsm6dso32": (
        lsm6ds.ADDRESSES,
        lsm6ds.REACH_SO32,
        partial(lsm6ds.Lsm6ds, wide=True),
    ),
    "icm20948": (icm20948.ADDRESSES, icm20948.REACH, icm20948.Icm20948),
    "mpu6050": (mpu6050.ADDRESSES, mpu6050.REACH, mpu6050.Mpu6050),
}

# Electrical self-tests by driver; the faults that were found, as sentences.
SELF_TESTS: dict[str, Callable[[Registers], list[str]]] = {"lsm6ds": lsm6ds_self_test.self_test}
# Decoder, and the baud rate that the maker ships.
_DECODERS: dict[str, tuple[Callable[[], Decoder], int]] = {
    "ximu3": (Ximu3Decoder, 115_200),
    "mti": (MtiDecoder, 115_200),
    "witmotion": (WitMotionDecoder, 9_600),
}
# `adafruit:` and a class of Adafruit's libraries: whatever else there is, slowly.
ADAFRUIT = "adafruit:"
UDP = "udp:"


def open_driver(
    driver: str,
    port: str,
    *,
    name: str,
    setup: Setup | None = None,
    now_ns: Callable[[], int] = time.monotonic_ns,
) -> Driver:
    """Open a device by its row in the table.

    Raises
    ------
    ValueError
        Where there is no such driver, the port is written wrongly, or a range is out of reach.
    WrongChipError
        Where another chip answers than the one named.
    """
    if driver == "node":
        return NodeDriver(port, name=name, now_ns=now_ns)
    if driver in _DECODERS:
        make, baudrate = _DECODERS[driver]
        return VendorDriver(_link(port, baudrate, now_ns), make(), name=name, now_ns=now_ns)
    if driver.startswith(ADAFRUIT):
        return _open_adafruit(driver.removeprefix(ADAFRUIT), port, name, now_ns)
    if driver not in _CHIPS:
        known = ", ".join(device.driver for device in DEVICES)
        raise ValueError(f"driver {driver!r}: expected one of {known}, or adafruit:module.Class")
    bus, address = open_port(port)
    chip = open_chip_on(bus, driver, address, name=name, port=port, setup=setup, now_ns=now_ns)
    return BackgroundSensor(chip)


def reach_of(driver: str) -> Reach | None:
    """What a chip's rate and ranges can be set to; None for a device that is not set from here."""
    return _CHIPS[driver][1] if driver in _CHIPS else None


def recognise(bus: Bus, address: int) -> tuple[str, str] | None:
    """Driver and model of the chip at an address; None where it is none of the table.

    Reads identity registers only, which leaves a chip as it was.
    """
    for module, driver in ((icm20948, "icm20948"), (lsm6ds, "lsm6ds"), (mpu6050, "mpu6050")):
        if address not in module.ADDRESSES:
            continue
        identity = Registers(bus, address).read(module.WHO_AM_I, 1)[0]
        if identity in module.MODELS:
            return driver, module.MODELS[identity]
    return None


def _link(port: str, baudrate: int, now_ns: Callable[[], int]) -> Link:
    if not port.startswith(UDP):
        return SerialLink(port, baudrate=baudrate, now_ns=now_ns)
    number = port.removeprefix(UDP)
    if not number.isdigit() or not 0 < int(number) < 65536:
        raise ValueError(f"port {port!r}: expected udp:PORT, such as udp:8000")
    return UdpLink(int(number), now_ns=now_ns)


def _open_adafruit(path: str, port: str, name: str, now_ns: Callable[[], int]) -> BackgroundSensor:
    bus, address = open_port(port)
    chip = I2cSensor(lambda: AdafruitChip(bus, path, address), name=name, port=port, now_ns=now_ns)
    return BackgroundSensor(chip)


def open_chip_on(
    bus: Bus,
    driver: str,
    address: int | None = None,
    *,
    name: str,
    port: str = "",
    setup: Setup | None = None,
    now_ns: Callable[[], int] = time.monotonic_ns,
) -> I2cSensor:
    """Open a chip on a bus that is at hand; without an address, its usual one.

    It is read in the caller's own time; `open_driver` gives it a thread.
    """
    addresses, reach, make = _CHIPS[driver]
    # Now, not when the chip answers: a setting out of reach is a mistake, not a loose wire.
    reach.settings(setup or Setup())
    registers = Registers(bus, addresses[0] if address is None else address)
    return I2cSensor(
        lambda: make(registers, setup or Setup()),
        name=name,
        port=port or f"0x{registers.address:02x}",
        now_ns=now_ns,
    )
