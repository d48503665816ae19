"""A virtual ICM-20948 with its AK09916. Data sheet DS-000189."""

from __future__ import annotations

from math import radians
from typing import TYPE_CHECKING, Any

import numpy as np

from .fifo_chip import STANDARD_GRAVITY, FifoChip, readings, words

if TYPE_CHECKING:
    from sensors.virtual.sampler import Floats

BANK_SEL = 0x7F
WHO_AM_I, USER_CTRL, PWR_MGMT_1, INT_STATUS_2 = 0x00, 0x03, 0x06, 0x1B
EXT_SLV_SENS_DATA_00, FIFO_EN_1, FIFO_EN_2, FIFO_RST = 0x3B, 0x66, 0x67, 0x68
FIFO_COUNTH, FIFO_COUNTL, FIFO_R_W = 0x70, 0x71, 0x72
GYRO_SMPLRT_DIV, GYRO_CONFIG_1, ACCEL_CONFIG = 0x00, 0x01, 0x14
SLV0_ADDR, SLV0_REG, SLV0_CTRL, SLV0_DO = 0x03, 0x04, 0x05, 0x06
MAG_ADDRESS, MAG_WIA2, MAG_HXL, MAG_CNTL2 = 0x0C, 0x01, 0x11, 0x31
SLEEP, FIFO_ENABLE, MASTER_ENABLE = 0x40, 0x40, 0x20
INTERNAL_HZ = 1125.0
GYR_READINGS = (131.0, 65.5, 32.8, 16.4)
MAG_UT = 0.15
MAG_HZ = 100.0


class Icm20948Chip(FifoChip):
    """The chip at register level: four banks, FIFO, and an inner bus that carries the AK09916.

    Parameters
    ----------
    mag_identity : int
        What the magnetometer says it is.
    """

    identity_register = WHO_AM_I
    identity = 0xEA
    fifo_bytes = 512

    def __init__(self, *arguments: Any, mag_identity: int = 0x09, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._banks = [self.registers, bytearray(256), bytearray(256), bytearray(256)]
        self._banks[0][PWR_MGMT_1] = SLEEP | 1
        self._bank = 0
        self._mag = bytearray(64)
        self._mag[MAG_WIA2] = mag_identity
        self._mag_moment = 0.0

    @property
    def rate_hz(self) -> float | None:
        """Nominal rate; None asleep."""
        if self._banks[0][PWR_MGMT_1] & SLEEP:
            return None
        return INTERNAL_HZ / (1 + self._banks[2][GYRO_SMPLRT_DIV])

    def write_register(self, register: int, value: int) -> None:
        """Keep a value in the bank that is selected."""
        if register == BANK_SEL:
            self._bank = value >> 4 & 3
            return
        if self._bank == 0 and register == WHO_AM_I:
            return
        self._banks[self._bank][register] = value
        if self._bank == 0 and register == FIFO_RST and value:
            self.fifo.clear()
        if self._bank == 3 and register == SLV0_CTRL and value & 0x80:
            self._inner_bus()

    def read_register(self, register: int) -> int:
        """What a register of the selected bank gives."""
        if register == BANK_SEL:
            return self._bank << 4
        if self._bank == 0:
            if register == FIFO_COUNTH:
                return len(self.fifo) >> 8
            if register == FIFO_COUNTL:
                return len(self.fifo) & 0xFF
            if register == FIFO_R_W:
                return self.pop()
            if register == INT_STATUS_2:
                flag, self.overrun = self.overrun, False
                return 0x01 if flag else 0
        return self._banks[self._bank][register]

    def next_pointer(self, register: int) -> int:
        """Reading stays at the FIFO."""
        at_fifo = self._bank == 0 and register == FIFO_R_W
        return register if at_fifo else super().next_pointer(register)

    def push(self, gyr: Floats, acc: Floats, mag: Floats | None) -> None:
        """Put one sample into the FIFO, the magnetometer's last reading behind it."""
        acc_g = (2 << (self._banks[2][ACCEL_CONFIG] >> 1 & 3)) / 32768
        gyr_unit = radians(1 / GYR_READINGS[self._banks[2][GYRO_CONFIG_1] >> 1 & 3])
        data = words(readings(acc, acc_g * STANDARD_GRAVITY), "big")
        data += words(readings(gyr, gyr_unit), "big")
        self._measure(mag)
        slave = self._inner_bus()
        if not self._banks[0][USER_CTRL] & FIFO_ENABLE:
            return
        if self._banks[0][FIFO_EN_2] & 0x1E == 0x1E:
            self.store(data + (slave if self._banks[0][FIFO_EN_1] & 1 else b""))

    def _measure(self, mag: Floats | None) -> None:
        """The magnetometer is slower than the rest, and its y and z point the other way."""
        rate_hz = self.rate_hz
        self._mag_moment += MAG_HZ / rate_hz if rate_hz else 0.0
        if self._mag[MAG_CNTL2] == 0 or mag is None or self._mag_moment < 1:
            return
        self._mag_moment -= 1
        field = readings(mag * np.array([1.0, -1.0, -1.0]), MAG_UT)
        self._mag[MAG_HXL : MAG_HXL + 6] = words(field, "little")

    def _inner_bus(self) -> bytes:
        """Do what slave 0 is told: write a register of the magnetometer, or copy some out."""
        bank = self._banks[3]
        control = bank[SLV0_CTRL]
        if not self._banks[0][USER_CTRL] & MASTER_ENABLE or not control & 0x80:
            return b""
        if bank[SLV0_ADDR] & 0x7F != MAG_ADDRESS:
            return b""
        register, count = bank[SLV0_REG], control & 0x0F
        if not bank[SLV0_ADDR] & 0x80:
            self._mag[register] = bank[SLV0_DO]
            return b""
        data = bytes(self._mag[register : register + count])
        self._banks[0][EXT_SLV_SENS_DATA_00 : EXT_SLV_SENS_DATA_00 + count] = data
        return data
