"""The limits that verdicts are made against, and why each stands where it does."""

from __future__ import annotations

import math

STANDARD_GRAVITY = 9.80665
MILLI_G = STANDARD_GRAVITY * 1e-3

# Days that a fit is trusted. Chips age by some mg and tenths of a per cent a year after soldering
# (LSM6DSOX and ICM-20948 data sheets state no figure: a conservative custom of calibration rooms).
# Hard iron changes with whatever is screwed beside the chip: a month.
VALID_DAYS = {
    "accel_sphere": 180,
    "gyro_turns": 180,
    "mag_sphere": 30,
    "noise_allan": 365,
    "timing_taps": 180,
    "verify_poses": 30,
}

# 3 mg tilt the pelvis by 0.17 deg: 0.5 mm of leg length at a hip width of 172 mm.
ACCEL_ERROR_U95_MPS2 = 3 * MILLI_G
ACCEL_LEFT_OUT_RMS_MPS2 = 3 * MILLI_G
# A stride length takes the gyro's scale at about half its error: 0.3 % are 2 mm in 1.4 m.
GYRO_SCALE_U95 = 0.003
# 0.02 deg/s turn a foot by 0.01 deg within one swing.
GYRO_BIAS_U95_RADPS = math.radians(0.02)
TURN_RMS_RAD = math.radians(3.0)
# 3 % of 50 uT turn the heading by about 1.5 deg.
MAG_RMS_UT = 1.5
MAG_DIP_RAD = math.radians(3.0)
# Several times the data sheets' typical figures: 70 ug/rtHz and 3.8 mdeg/s/rtHz (LSM6DSOX),
# 230 ug and 15 mdeg/s (ICM-20948), 400 ug and 5 mdeg/s (MPU-6050).
ACC_DENSITY_MPS2_RTHZ = 0.8 * MILLI_G
GYR_DENSITY_RADPS_RTHZ = math.radians(0.03)
# Double support takes the offset one to one; the whole chain is allowed 5 ms.
TIMING_OFFSET_U95_S = 0.002
TIMING_OFFSET_S = 0.005

# Hold still: these are far above noise and far below a hand that moves.
HOLD_S = 3.0
HOLD_TURN_RAD = math.radians(0.3)
HOLD_RATE_RADPS = math.radians(1.5)
HOLD_ACC_SD_MPS2 = 0.15

# Sensor to segment: standard deviation of the functional axis over the repetitions. Beyond it the
# person did another movement, or the sensor slipped.
ALIGNMENT_SPREAD_RAD = math.radians(3.0)
