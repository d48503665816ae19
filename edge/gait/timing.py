"""Durations of a stride and of its parts, from the contacts of one foot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .motion import gap_s

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .strides import Body, Strides

# Against checked annotations of ten people: straight walking, and steps that turn, start, close or
# are short, where no part of the foot lands first (docs/gait.md).
INITIAL_CONTACT_SD_S = (0.015, 0.041)
FINAL_CONTACT_SD_S = (0.009, 0.024)
# What two landings of one foot have in common, 12 ms of a person and an annotation, leaves no trace
# in the time between them.
SHARED_LANDING_SD_S = 0.012
ODD_TURN_RAD = 0.35
ODD_WAY_M = 0.7


# Neither foot stands, swings or steps in less, running included: a contact was put wrong.
LEAST_PHASE_S = 0.1


def impossible(strides: Strides) -> NDArray[np.bool_]:
    """Strides (m,) whose stance or swing is shorter than any can be."""
    stance = strides.final_contact_s - strides.begin_s
    swing = strides.end_s - strides.final_contact_s
    return np.asarray((stance < LEAST_PHASE_S) | (swing < LEAST_PHASE_S))


def contact_sds(strides: Strides) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Standard deviations of the landings after, and of the leavings before each swing (m,), s.

    A contact within a gap may lie anywhere in it.
    """
    way = strides.way_m
    odd = np.isnan(strides.begin_s) | (np.abs(strides.turn_rad) >= ODD_TURN_RAD)
    odd |= np.hypot(way[:, 0], way[:, 1]) < ODD_WAY_M
    usual, unusual = INITIAL_CONTACT_SD_S
    usual_fc, unusual_fc = FINAL_CONTACT_SD_S
    motion = strides.motion
    gaps = gap_s(motion.valid, motion.rate_hz) / np.sqrt(12.0)
    return (
        np.hypot(np.where(odd, unusual, usual), gaps[motion.tick(strides.end_s)]),
        np.hypot(np.where(odd, unusual_fc, usual_fc), gaps[motion.tick(strides.final_contact_s)]),
    )


def timing_columns(strides: Strides, _: Body) -> Mapping[str, NDArray[np.float64]]:
    """Stride, stance and swing times (m,), s; NaN where the foot had been standing."""
    lasts = strides.end_s - strides.begin_s
    own_sd = np.sqrt(contact_sds(strides)[0] ** 2 - SHARED_LANDING_SD_S**2)
    # Beside that its two contacts err apart; the first was the landing of the stride before.
    sd = np.hypot(own_sd, np.append(own_sd[:1], own_sd[:-1]))
    sd[np.isnan(lasts)] = np.nan
    return {
        "stride_time_s": lasts,
        "stride_time_sd_s": sd,
        "stance_time_s": strides.final_contact_s - strides.begin_s,
        "swing_time_s": strides.end_s - strides.final_contact_s,
    }
