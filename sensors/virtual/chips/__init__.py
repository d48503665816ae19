"""Chips at register level behind the `busio` interface; a driver cannot tell them from real."""

from .bus import VirtualBus
from .icm20948 import Icm20948Chip
from .lsm6ds import Lsm6dsChip
from .mpu6050 import Mpu6050Chip

__all__ = ["Icm20948Chip", "Lsm6dsChip", "Mpu6050Chip", "VirtualBus"]
