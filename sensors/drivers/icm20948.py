"""TDK ICM-20948: nine axes, registers in banks, the magnetometer behind the chip's own bus.

Document: DS-000189 (ICM-20948), with the AK09916 of its section 12 to 13.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from sensors.errors import WrongChipError

from .chip import Burst, Reach, Setup, big_endian, identify, scale_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sensors.i2c_link import Registers

ADDRESSES = (0x68, 0x69)

BANK_SEL = 0x7F
# Bank 0 (section 8).
WHO_AM_I, USER_CTRL, PWR_MGMT_1, PWR_MGMT_2 = 0x00, 0x03, 0x06, 0x07
INT_STATUS_2, EXT_SLV_SENS_DATA_00 = 0x1B, 0x3B
FIFO_EN_1, FIFO_EN_2, FIFO_RST = 0x66, 0x67, 0x68
FIFO_COUNTH, FIFO_R_W = 0x70, 0x72
# Bank 2 (section 10).
GYRO_SMPLRT_DIV, GYRO_CONFIG_1, ODR_ALIGN_EN = 0x00, 0x01, 0x09
ACCEL_SMPLRT_DIV_2, ACCEL_CONFIG = 0x11, 0x14
# Bank 3 (section 11).
I2C_MST_CTRL, I2C_SLV0_ADDR, I2C_SLV0_REG, I2C_SLV0_CTRL, I2C_SLV0_DO = 0x01, 0x03, 0x04, 0x05, 0x06
# AK09916 (section 13).
MAG_ADDRESS, MAG_WIA2, MAG_HXL, MAG_CNTL2 = 0x0C, 0x01, 0x11, 0x31
MAG_IDENTITY, MAG_CONTINUOUS_100_HZ = 0x09, 0x08

MODELS = {0xEA: "ICM-20948"}
INTERNAL_HZ = 1125.0  # with the low-pass filters on (section 10.1)
ACC_RANGES = {2.0: 0, 4.0: 1, 8.0: 2, 16.0: 3}  # section 3.2
GYR_RANGES = {250.0: 0, 500.0: 1, 1000.0: 2, 2000.0: 3}  # section 3.1
GYR_READINGS = {250.0: 131.0, 500.0: 65.5, 1000.0: 32.8, 2000.0: 16.4}
# Faster ones than 1125 / 4 would fill the FIFO, 25 samples, within two looks of `i2c_sensor`.
RATES = {INTERNAL_HZ / (1 + divider): divider for divider in range(3, 256)}
REACH = Reach(RATES, ACC_RANGES, GYR_RANGES)
MAG_UT = 0.15  # section 3.3

WAKE_BEST_CLOCK = 0x01
LOW_PASS_119_HZ = 0x11  # DLPFCFG 2 with FCHOICE on: gyroscope 119.5 Hz, accelerometer 111.4 Hz
MASTER_345_KHZ_STOP_BETWEEN = 0x17
MASTER_ON, FIFO_AND_MASTER_ON = 0x20, 0x60
FIFO_SLAVE_0, FIFO_ACC_AND_GYR = 0x01, 0x1E
OVERFLOW = 0x1F
READ = 0x80
# HXL to ST2: the magnetometer goes on only after its last status register was read.
MAG_BYTES = 8
SLAVE_ON = 0x80
SAMPLE = 12 + MAG_BYTES  # acc, gyr (high byte first), mag x y z (low byte first), filler, status
# The magnetometer's axes in the chip's (section 12.1): y and z point the other way.
MAG_SIGNS = np.array([1, -1, -1], np.int16)
# Shadow registers of the inner bus need a few sample periods.
INNER_BUS_S = 0.01


class Icm20948:
    """One ICM-20948 with its magnetometer.

    The magnetometer measures at 100 Hz; the FIFO repeats its last reading in between.

    Parameters
    ----------
    registers : Registers
        Of the chip.
    setup : Setup
        Rate and ranges asked for.

    Raises
    ------
    WrongChipError
        Where another chip answers, or the magnetometer inside does not.
    ValueError
        Where rate or range is out of its reach.
    """

    def __init__(self, registers: Registers, setup: Setup) -> None:
        self._registers = registers
        registers.write(BANK_SEL, 0)
        self.model = identify(registers, WHO_AM_I, MODELS)
        rate, acc, gyr = REACH.settings(setup)
        self.rate_hz, self._divider = rate
        self._acc, self._gyr = acc.code, gyr.code
        self.scale = scale_of(1 / GYR_READINGS[gyr.value], acc.value / 32768, MAG_UT)

    def start(self) -> None:
        """Set rate, ranges, magnetometer and FIFO; the chip samples from then on."""
        self._write(0, PWR_MGMT_1, WAKE_BEST_CLOCK)
        self._write(0, PWR_MGMT_2, 0)
        self._write(2, ODR_ALIGN_EN, 1)
        self._write(2, GYRO_SMPLRT_DIV, self._divider)
        self._write(2, GYRO_CONFIG_1, LOW_PASS_119_HZ | self._gyr << 1)
        self._write(2, ACCEL_SMPLRT_DIV_2, self._divider)
        self._write(2, ACCEL_CONFIG, LOW_PASS_119_HZ | self._acc << 1)
        self._start_magnetometer()
        self._write(0, FIFO_EN_1, FIFO_SLAVE_0)
        self._write(0, FIFO_EN_2, FIFO_ACC_AND_GYR)
        self._write(0, USER_CTRL, FIFO_AND_MASTER_ON)
        self.empty()

    def empty(self) -> None:
        """Throw away what the FIFO holds; sampling goes on."""
        self._registers.write(FIFO_RST, 0x1F)
        self._registers.write(FIFO_RST, 0x00)
        self._registers.read(INT_STATUS_2, 1)  # reading clears an old overflow

    def read_burst(self, now_ns: Callable[[], int]) -> Burst:
        """Read everything the FIFO holds, in three transactions."""
        before_ns = now_ns()
        high, low = self._registers.read(FIFO_COUNTH, 2)
        after_ns = now_ns()
        count = ((high & 0x1F) << 8 | low) // SAMPLE
        raw = self._registers.read(FIFO_R_W, count * SAMPLE) if count else b""
        # Asked last: an overflow while reading would have torn the samples as well.
        overrun = bool(self._registers.read(INT_STATUS_2, 1)[0] & OVERFLOW)
        return Burst(_samples(b"" if overrun else raw), overrun, before_ns, after_ns)

    def _start_magnetometer(self) -> None:
        self._write(0, USER_CTRL, MASTER_ON)
        self._write(3, I2C_MST_CTRL, MASTER_345_KHZ_STOP_BETWEEN)
        self._write(3, I2C_SLV0_ADDR, MAG_ADDRESS)
        self._write(3, I2C_SLV0_REG, MAG_CNTL2)
        self._write(3, I2C_SLV0_DO, MAG_CONTINUOUS_100_HZ)
        self._write(3, I2C_SLV0_CTRL, SLAVE_ON | 1)
        time.sleep(INNER_BUS_S)
        self._follow_magnetometer(MAG_WIA2, 1)
        time.sleep(INNER_BUS_S)
        self._registers.write(BANK_SEL, 0)
        identity = self._registers.read(EXT_SLV_SENS_DATA_00, 1)[0]
        if identity != MAG_IDENTITY:
            raise WrongChipError(
                f"the magnetometer inside the ICM-20948 says 0x{identity:02x}, expected "
                f"0x{MAG_IDENTITY:02x} (AK09916): probably a damaged or counterfeit chip"
            )
        self._follow_magnetometer(MAG_HXL, MAG_BYTES)

    def _follow_magnetometer(self, register: int, count: int) -> None:
        self._write(3, I2C_SLV0_ADDR, READ | MAG_ADDRESS)
        self._write(3, I2C_SLV0_REG, register)
        self._write(3, I2C_SLV0_CTRL, SLAVE_ON | count)

    def _write(self, bank: int, register: int, value: int) -> None:
        self._registers.write(BANK_SEL, bank << 4)
        self._registers.write(register, value)
        self._registers.write(BANK_SEL, 0)


def _samples(raw: bytes) -> NDArray[np.int16]:
    rows = np.frombuffer(raw, np.uint8).reshape(-1, SAMPLE)
    inertial = big_endian(np.ascontiguousarray(rows[:, :12]).tobytes(), 6)
    mag = np.ascontiguousarray(rows[:, 12:18]).view("<i2").reshape(-1, 3) * MAG_SIGNS
    return np.hstack([np.roll(inertial, 3, axis=1), mag.astype(np.int16)])
