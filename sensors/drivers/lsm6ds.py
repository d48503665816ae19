"""ST LSM6DS family: LSM6DSO, LSM6DSOX, LSM6DSO32, ISM330DHCX. One FIFO of tagged words.

Data sheets: DS12814 (LSM6DSOX), DS13012 (ISM330DHCX), DS12140 (LSM6DSO), DS13265 (LSM6DSO32).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .chip import Burst, Reach, Setup, identify, scale_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from sensors.i2c_link import Registers

ADDRESSES = (0x6A, 0x6B)

# Registers (DS12814, section 8).
FIFO_CTRL3, FIFO_CTRL4 = 0x09, 0x0A
WHO_AM_I, CTRL1_XL, CTRL2_G, CTRL3_C = 0x0F, 0x10, 0x11, 0x12
FIFO_STATUS1, FIFO_DATA_OUT_TAG = 0x3A, 0x78

# LSM6DSO32 bears the number of the LSM6DSO; only the configuration can tell its wider range.
MODELS = {0x6C: "LSM6DSOX", 0x6B: "ISM330DHCX"}
RATES = {104.0: 4, 208.0: 5, 416.0: 6, 833.0: 7}  # table 46: ODR_XL, ODR_G, and the batch rates
# Range: (code of FS_XL, units a reading), table 2 and 45.
ACC_RANGES = {2.0: (0, 0.061e-3), 4.0: (2, 0.122e-3), 8.0: (3, 0.244e-3), 16.0: (1, 0.488e-3)}
ACC_RANGES_SO32 = {
    4.0: (0, 0.122e-3),
    8.0: (2, 0.244e-3),
    16.0: (3, 0.488e-3),
    32.0: (1, 0.976e-3),
}
GYR_RANGES = {250.0: (0, 8.75e-3), 500.0: (1, 17.5e-3), 1000.0: (2, 35e-3), 2000.0: (3, 70e-3)}


def _codes(table: Mapping[float, tuple[int, float]]) -> dict[float, int]:
    return {reach: code for reach, (code, _) in table.items()}


REACH = Reach(RATES, _codes(ACC_RANGES), _codes(GYR_RANGES))
REACH_SO32 = Reach(RATES, _codes(ACC_RANGES_SO32), _codes(GYR_RANGES))

CTRL3_BDU_AND_INCREMENT = 0x44
FIFO_OFF, FIFO_CONTINUOUS = 0x00, 0x06
OVERRUN = 0x40  # FIFO_OVR_IA in FIFO_STATUS2
WORD = 7  # one byte of tag, six of data
TAG_GYR, TAG_ACC = 1, 2  # TAG_SENSOR; TAG_CNT beside it numbers the time slots modulo 4


class Lsm6ds:
    """One chip of the family.

    Parameters
    ----------
    registers : Registers
        Of the chip.
    setup : Setup
        Rate and ranges asked for.
    wide : bool
        True for an LSM6DSO32, whose accelerometer reaches 32 g.

    Raises
    ------
    WrongChipError
        Where another chip answers.
    ValueError
        Where rate or range is out of its reach.
    """

    def __init__(self, registers: Registers, setup: Setup, *, wide: bool = False) -> None:
        self.model = identify(registers, WHO_AM_I, MODELS)
        self._registers = registers
        if wide:
            self.model = "LSM6DSO32"
        rate, acc, gyr = (REACH_SO32 if wide else REACH).settings(setup)
        self.rate_hz, self._rate = rate
        self._acc, self._gyr = acc.code, gyr.code
        acc_table = ACC_RANGES_SO32 if wide else ACC_RANGES
        self.scale = scale_of(GYR_RANGES[gyr.value][1], acc_table[acc.value][1])
        self._waiting = b""
        self._begun = False

    def start(self) -> None:
        """Set rate, ranges and FIFO; the chip samples from then on."""
        write = self._registers.write
        write(CTRL3_C, CTRL3_BDU_AND_INCREMENT)
        write(CTRL1_XL, self._rate << 4 | self._acc << 2)
        write(CTRL2_G, self._rate << 4 | self._gyr << 2)
        write(FIFO_CTRL3, self._rate << 4 | self._rate)
        self.empty()

    def empty(self) -> None:
        """Throw away what the FIFO holds; sampling goes on."""
        self._registers.write(FIFO_CTRL4, FIFO_OFF)
        self._registers.write(FIFO_CTRL4, FIFO_CONTINUOUS)
        self._waiting = b""
        self._begun = False

    def read_burst(self, now_ns: Callable[[], int]) -> Burst:
        """Read everything the FIFO holds, in two transactions."""
        before_ns = now_ns()
        low, high = self._registers.read(FIFO_STATUS1, 2)
        after_ns = now_ns()
        words = (high & 0x03) << 8 | low
        if high & OVERRUN:
            return Burst(np.empty((0, 6), np.int16), True, before_ns, after_ns)
        raw = self._registers.read(FIFO_DATA_OUT_TAG, words * WORD) if words else b""
        readings, torn = self._pairs(self._waiting + raw)
        return Burst(readings, torn, before_ns, after_ns)

    def _pairs(self, raw: bytes) -> tuple[NDArray[np.int16], bool]:
        """Join the two words of each time slot, in whatever order they come.

        A last word without its partner waits for the next burst. Lonely words at the beginning are
        of the accelerometer, which wakes before the gyroscope; later they mean that words are
        missing, and all is thrown away.
        """
        words = np.frombuffer(raw, np.uint8).reshape(-1, WORD)
        sensor, slot = words[:, 0] >> 3, words[:, 0] >> 1 & 3
        inertial = (sensor == TAG_GYR) | (sensor == TAG_ACC)
        words, sensor, slot = words[inertial], sensor[inertial], slot[inertial]
        first = np.flatnonzero((slot[:-1] == slot[1:]) & (sensor[:-1] != sensor[1:]))
        lonely_end = len(words) > 0 and (len(first) == 0 or first[-1] + 2 != len(words))
        self._waiting = words[-1].tobytes() if lonely_end else b""
        begin = 0 if self._begun or len(first) == 0 else int(first[0])
        torn = self._begun and 2 * len(first) + lonely_end != len(words) - begin
        self._begun |= len(first) > 0
        if torn:
            return np.empty((0, 6), np.int16), True
        values = np.ascontiguousarray(words[:, 1:]).view("<i2").astype(np.int16)
        gyr_at = first + (sensor[first] != TAG_GYR)
        acc_at = first + (sensor[first] == TAG_GYR)
        return np.hstack([values[gyr_at], values[acc_at]]), False
