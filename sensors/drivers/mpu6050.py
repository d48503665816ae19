"""InvenSense MPU-6050, MPU-6500 and the inertial part of the MPU-9250. Counterfeits are common.

Documents: RM-MPU-6000A (MPU-6050), RM-MPU-6500A, RM-MPU-9250A.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .chip import Burst, Reach, Setup, big_endian, identify, scale_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensors.i2c_link import Registers

ADDRESSES = (0x68, 0x69)

# Registers (RM-MPU-6000A, section 3).
SMPLRT_DIV, CONFIG, GYRO_CONFIG, ACCEL_CONFIG, ACCEL_CONFIG_2 = 0x19, 0x1A, 0x1B, 0x1C, 0x1D
FIFO_EN, INT_ENABLE, INT_STATUS = 0x23, 0x38, 0x3A
USER_CTRL, PWR_MGMT_1, FIFO_COUNTH, FIFO_R_W, WHO_AM_I = 0x6A, 0x6B, 0x72, 0x74, 0x75

MODELS = {0x68: "MPU-6050", 0x70: "MPU-6500", 0x71: "MPU-9250", 0x73: "MPU-9255"}
# Internal rate with the low-pass filter on (section 4.2), divided by 1 + SMPLRT_DIV.
INTERNAL_HZ = 1000.0
ACC_RANGES = {2.0: 0, 4.0: 1, 8.0: 2, 16.0: 3}  # section 4.5, 32768 readings for the range
GYR_RANGES = {250.0: 0, 500.0: 1, 1000.0: 2, 2000.0: 3}  # section 4.4
GYR_READINGS = {250.0: 131.0, 500.0: 65.5, 1000.0: 32.8, 2000.0: 16.4}
RATES = {INTERNAL_HZ / (1 + divider): divider for divider in range(256)}
REACH = Reach(RATES, ACC_RANGES, GYR_RANGES)

WAKE_ON_GYRO_CLOCK = 0x01
LOW_PASS_94_HZ = 0x02
FIFO_GYR_AND_ACC = 0x78
FIFO_ON_AND_RESET = 0x44
OVERFLOW = 0x10
SAMPLE = 12  # acc x y z, gyr x y z, high byte first, in the order of the registers


class Mpu6050:
    """One chip of the family.

    Parameters
    ----------
    registers : Registers
        Of the chip.
    setup : Setup
        Rate and ranges asked for.

    Raises
    ------
    WrongChipError
        Where another chip answers.
    ValueError
        Where rate or range is out of its reach.
    """

    def __init__(self, registers: Registers, setup: Setup) -> None:
        self.model = identify(registers, WHO_AM_I, MODELS)
        self._registers = registers
        rate, acc, gyr = REACH.settings(setup)
        self.rate_hz, self._divider = rate
        self._acc, self._gyr = acc.code, gyr.code
        self.scale = scale_of(1 / GYR_READINGS[gyr.value], acc.value / 32768)

    def start(self) -> None:
        """Set rate, ranges and FIFO; the chip samples from then on."""
        write = self._registers.write
        write(PWR_MGMT_1, WAKE_ON_GYRO_CLOCK)
        write(CONFIG, LOW_PASS_94_HZ)
        write(SMPLRT_DIV, self._divider)
        write(GYRO_CONFIG, self._gyr << 3)
        write(ACCEL_CONFIG, self._acc << 3)
        if self.model != "MPU-6050":
            write(ACCEL_CONFIG_2, LOW_PASS_94_HZ)  # later chips filter the two apart
        write(INT_ENABLE, OVERFLOW)
        write(FIFO_EN, FIFO_GYR_AND_ACC)
        self.empty()

    def empty(self) -> None:
        """Throw away what the FIFO holds; sampling goes on."""
        self._registers.write(USER_CTRL, 0)
        self._registers.write(USER_CTRL, FIFO_ON_AND_RESET)
        self._registers.read(INT_STATUS, 1)  # reading clears an old overflow

    def read_burst(self, now_ns: Callable[[], int]) -> Burst:
        """Read everything the FIFO holds, in three transactions."""
        before_ns = now_ns()
        high, low = self._registers.read(FIFO_COUNTH, 2)
        after_ns = now_ns()
        # A sample may be half in; the other half comes with the next burst.
        count = (high << 8 | low) // SAMPLE
        raw = self._registers.read(FIFO_R_W, count * SAMPLE) if count else b""
        # Asked last: an overflow while reading would have torn the samples as well.
        overrun = bool(self._registers.read(INT_STATUS, 1)[0] & OVERFLOW)
        words = big_endian(b"" if overrun else raw, 6)
        return Burst(np.roll(words, 3, axis=1), overrun, before_ns, after_ns)
