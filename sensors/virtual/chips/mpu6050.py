"""A virtual MPU-6050, or MPU-6500 and MPU-9250 by another identity. Register map RM-MPU-6000A."""

from __future__ import annotations

from math import radians
from typing import TYPE_CHECKING, Any

from .fifo_chip import STANDARD_GRAVITY, FifoChip, readings, words

if TYPE_CHECKING:
    from sensors.virtual.sampler import Floats

SMPLRT_DIV, GYRO_CONFIG, ACCEL_CONFIG = 0x19, 0x1B, 0x1C
FIFO_EN, INT_STATUS, ACCEL_XOUT_H, GYRO_XOUT_H = 0x23, 0x3A, 0x3B, 0x43
USER_CTRL, PWR_MGMT_1, FIFO_COUNTH, FIFO_COUNTL, FIFO_R_W = 0x6A, 0x6B, 0x72, 0x73, 0x74
SLEEP, FIFO_ENABLE, FIFO_RESET, FIFO_OFLOW = 0x40, 0x40, 0x04, 0x10
FIFO_GYR_AND_ACC = 0x78
INTERNAL_HZ = 1000.0
GYR_READINGS = (131.0, 65.5, 32.8, 16.4)


class Mpu6050Chip(FifoChip):
    """The chip at register level: asleep at power-up, overflow cleared by reading."""

    identity_register = 0x75
    identity = 0x68
    fifo_bytes = 1024

    def __init__(self, *arguments: Any, identity: int = 0x68, **settings: Any) -> None:
        self.identity = identity
        super().__init__(*arguments, **settings)
        if identity != Mpu6050Chip.identity:
            self.fifo_bytes = 512
        self.registers[PWR_MGMT_1] = SLEEP

    @property
    def rate_hz(self) -> float | None:
        """Nominal rate; None asleep."""
        if self.registers[PWR_MGMT_1] & SLEEP:
            return None
        return INTERNAL_HZ / (1 + self.registers[SMPLRT_DIV])

    def write_register(self, register: int, value: int) -> None:
        """Keep a value; the reset bit empties the FIFO and falls back."""
        super().write_register(register, value)
        if register == USER_CTRL and value & FIFO_RESET:
            self.fifo.clear()
            self.registers[USER_CTRL] &= ~FIFO_RESET & 0xFF

    def read_register(self, register: int) -> int:
        """Level of the FIFO, its bytes, the overflow flag, or what was written."""
        if register == FIFO_COUNTH:
            return len(self.fifo) >> 8
        if register == FIFO_COUNTL:
            return len(self.fifo) & 0xFF
        if register == FIFO_R_W:
            return self.pop()
        if register == INT_STATUS:
            flag, self.overrun = self.overrun, False
            return FIFO_OFLOW if flag else 0
        return super().read_register(register)

    def next_pointer(self, register: int) -> int:
        """Reading stays at the FIFO."""
        return register if register == FIFO_R_W else super().next_pointer(register)

    def push(self, gyr: Floats, acc: Floats, _mag: Floats | None) -> None:
        """Put one sample into the output registers and the FIFO."""
        acc_g = (2 << (self.registers[ACCEL_CONFIG] >> 3 & 3)) / 32768
        gyr_unit = radians(1 / GYR_READINGS[self.registers[GYRO_CONFIG] >> 3 & 3])
        acc_bytes = words(readings(acc, acc_g * STANDARD_GRAVITY), "big")
        gyr_bytes = words(readings(gyr, gyr_unit), "big")
        self.registers[ACCEL_XOUT_H : ACCEL_XOUT_H + 6] = acc_bytes
        self.registers[GYRO_XOUT_H : GYRO_XOUT_H + 6] = gyr_bytes
        on = self.registers[USER_CTRL] & FIFO_ENABLE
        if on and self.registers[FIFO_EN] & FIFO_GYR_AND_ACC == FIFO_GYR_AND_ACC:
            self.store(acc_bytes + gyr_bytes)
