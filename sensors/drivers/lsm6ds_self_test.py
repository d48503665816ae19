"""Electrical self-test of the LSM6DS family: the chip pushes its own masses, and must feel it.

DS12814, section 4.1 (tables 2 and 3) for the limits, AN5272, section 8 for the sequence. It takes
half a second, wants the sensor at rest, and leaves the chip reset: never while it is being read.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .lsm6ds import CTRL1_XL, CTRL2_G, CTRL3_BDU_AND_INCREMENT, CTRL3_C

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sensors.i2c_link import Registers

CTRL5_C, OUTX_L_G, OUTX_L_A = 0x14, 0x22, 0x28
SOFTWARE_RESET = 0x01
SETTLE_S, SAMPLE_S, SAMPLES = 0.1, 0.02, 5


@dataclass(frozen=True, slots=True)
class Part:
    """What is set, pushed and expected of one of the two sensors in the chip."""

    name: str
    setting: tuple[int, int]
    push: int
    output: int
    unit_per_reading: float
    least: float
    most: float
    unit: str


PARTS = (
    # 52 Hz and 4 g; an LSM6DSO32 has other ranges at the same code, and half its readings.
    Part("accelerometer", (CTRL1_XL, 0x38), 0x01, OUTX_L_A, 0.122, 50.0, 1700.0, "mg"),
    Part("gyroscope", (CTRL2_G, 0x5C), 0x04, OUTX_L_G, 0.070, 150.0, 700.0, "deg/s"),
)


def self_test(registers: Registers, sleep: Callable[[float], None] = time.sleep) -> list[str]:
    """Push and look; one sentence for each axis that does not answer as it should.

    Raises
    ------
    LinkLostError
        Where the chip does not answer at all.
    """
    faults = []
    registers.write(CTRL3_C, CTRL3_BDU_AND_INCREMENT)
    for part in PARTS:
        registers.write(*part.setting)
        sleep(SETTLE_S)
        rest = _mean(registers, part, sleep)
        registers.write(CTRL5_C, part.push)
        sleep(SETTLE_S)
        change = np.abs(_mean(registers, part, sleep) - rest)
        registers.write(CTRL5_C, 0)
        registers.write(part.setting[0], 0)
        expected = f"{part.unit}, expected {part.least:.0f} to {part.most:.0f}"
        faults += [
            f"{part.name} {axis}: {moved:.0f} {expected}"
            for axis, moved in zip("xyz", change, strict=True)
            if not part.least <= moved <= part.most
        ]
    registers.write(CTRL3_C, SOFTWARE_RESET)
    return faults


def _mean(registers: Registers, part: Part, sleep: Callable[[float], None]) -> NDArray[np.float64]:
    samples = []
    for _ in range(SAMPLES):
        sleep(SAMPLE_S)
        samples.append(np.frombuffer(registers.read(part.output, 6), "<i2"))
    return np.asarray(np.mean(samples, axis=0) * part.unit_per_reading)
