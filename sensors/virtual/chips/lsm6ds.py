"""A virtual LSM6DSOX or LSM6DSO32. Data sheets DS12814, DS13265."""

from __future__ import annotations

from math import radians
from typing import TYPE_CHECKING, Any

from .fifo_chip import STANDARD_GRAVITY, FifoChip, readings, words

if TYPE_CHECKING:
    from sensors.virtual.sampler import Floats

FIFO_CTRL3, FIFO_CTRL4, CTRL1_XL, CTRL2_G, CTRL3_C = 0x09, 0x0A, 0x10, 0x11, 0x12
OUTX_L_G = 0x22  # gyroscope, then accelerometer
FIFO_STATUS1, FIFO_STATUS2, FIFO_TAG, FIFO_LAST = 0x3A, 0x3B, 0x78, 0x7E
ODR_HZ = {1: 12.5, 2: 26.0, 3: 52.0, 4: 104.0, 5: 208.0, 6: 416.0, 7: 833.0, 8: 1666.0}
ACC_G = {0: 0.061e-3, 1: 0.488e-3, 2: 0.122e-3, 3: 0.244e-3}
ACC_G_SO32 = {0: 0.122e-3, 1: 0.976e-3, 2: 0.244e-3, 3: 0.488e-3}
GYR_DPS = {0: 8.75e-3, 1: 17.5e-3, 2: 35e-3, 3: 70e-3}
TAG_GYR, TAG_ACC = 1, 2
CTRL5_C = 0x14
# What the self-test moves, in the middle of the data sheet's limits.
PUSH_RAD_S, PUSH_MPS2 = radians(400.0), 0.6 * STANDARD_GRAVITY
# The gyroscope needs this many samples to wake; the accelerometer's words come alone until then.
GYR_WAKES_AFTER = 7


class Lsm6dsChip(FifoChip):
    """The chip at register level: tagged words, time slots, overrun bit, self-test, reset.

    Parameters
    ----------
    wide : bool
        True for an LSM6DSO32.
    stuck : bool
        True for a chip whose masses do not move at the self-test.
    """

    identity_register = 0x0F
    identity = 0x6C
    fifo_bytes = 512 * 7

    def __init__(
        self, *arguments: Any, wide: bool = False, stuck: bool = False, **settings: Any
    ) -> None:
        super().__init__(*arguments, **settings)
        self._acc_g = ACC_G_SO32 if wide else ACC_G
        self._push = 0.0 if stuck else 1.0
        self._pushed = 0
        self.registers[CTRL3_C] = 0x04

    @property
    def rate_hz(self) -> float | None:
        """Nominal rate of whichever of the two is on."""
        code = max(self.registers[CTRL1_XL] >> 4, self.registers[CTRL2_G] >> 4)
        return ODR_HZ.get(code)

    @property
    def fifo_on(self) -> bool:
        """Whether the FIFO is in continuous mode."""
        return self.registers[FIFO_CTRL4] & 7 == 6

    def write_register(self, register: int, value: int) -> None:
        """Keep a value; bypass mode empties the FIFO, a reset ends at once."""
        super().write_register(register, value)
        if register == FIFO_CTRL4 and value & 7 == 0:
            self.empty()
        if register == CTRL3_C and value & 1:
            self.registers[CTRL1_XL] = self.registers[CTRL2_G] = 0
            self.registers[CTRL3_C] = 0x04

    def read_register(self, register: int) -> int:
        """Level and flags of the FIFO, its bytes, or what was written."""
        level = len(self.fifo) // 7
        if register == FIFO_STATUS1:
            return level & 0xFF
        if register == FIFO_STATUS2:
            return level >> 8 & 0x03 | (0x40 if self.overrun else 0)
        if FIFO_TAG <= register <= FIFO_LAST:
            return self.pop()
        return super().read_register(register)

    def next_pointer(self, register: int) -> int:
        """Reading goes round in the FIFO's seven registers (DS12814, section 6.9)."""
        return FIFO_TAG if register == FIFO_LAST else super().next_pointer(register)

    def push(self, gyr: Floats, acc: Floats, _mag: Floats | None) -> None:
        """Put one sample into the output registers, and two words into the FIFO."""
        gyr_unit = radians(GYR_DPS[self.registers[CTRL2_G] >> 2 & 3])
        acc_unit = self._acc_g[self.registers[CTRL1_XL] >> 2 & 3] * STANDARD_GRAVITY
        push = self.registers[CTRL5_C]
        gyr_pushed = gyr + (PUSH_RAD_S * self._push if push & 0x0C else 0.0)
        acc_pushed = acc + (PUSH_MPS2 * self._push if push & 0x03 else 0.0)
        gyr_bytes = words(readings(gyr_pushed, gyr_unit), "little")
        acc_bytes = words(readings(acc_pushed, acc_unit), "little")
        self.registers[OUTX_L_G : OUTX_L_G + 12] = gyr_bytes + acc_bytes
        self._pushed += 1
        if not self.fifo_on:
            return
        slot = (self._pushed & 3) << 1
        data = bytes([TAG_ACC << 3 | slot]) + acc_bytes
        if self._pushed > GYR_WAKES_AFTER:
            data = bytes([TAG_GYR << 3 | slot]) + gyr_bytes + data
        self.store(data)
