"""How the foot's roll reaches the shank and the pelvis: the kinetic chain of each stride.

After landing the foot everts, the shank turns inward with it, and pelvis and trunk answer. A
coupling says how much of one movement comes with the other, and how much later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cext.runs import lagged_products, values_at
from edge.gait.segment import angle_of
from sensors import Segment

from .family import Family
from .pelvis_angles import pelvis_angles_deg
from .pronation import eversion_sine
from .shank import ROTATION_UNTIL, inward_rotation_rad
from .windows import OUTWARD, SHANKS, windows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from edge.gait.strides import Body, Strides

# Moments of early stance at which two movements are compared.
SAMPLES = 61
# A movement of less than this is within what skin and shoe do: no ratio is made of it.
LEAST_DEG = 1.5
# The follower is sought this much earlier and later, as shares of the compared part of stance.
REACH = 20


def chain_columns(strides: Strides, body: Body) -> Mapping[str, NDArray[np.float64]]:
    """Excursion ratio, coupling angle, deg, and lag, s, of the chain's two links, each (m,).

    Notes
    -----
    Eversion of the foot (shoe) with inward rotation of the shank; that with the drop of the other
    side of the pelvis and with the pelvis turning away from the loaded leg. Positive excursions
    are in these directions, from initial contact on. Limits: docs/gait.md (skin about the long
    axis moves by 2 to 4 deg) and 3.10 (a shoe hides the heel), so values are compared within one
    fitting: left with right, early with late, with and without an insole.
    """
    shank, pelvis = body.motions.get(SHANKS[strides.side]), body.motions.get(Segment.PELVIS)
    if shank is None:
        return {}
    outward = OUTWARD[strides.side]
    until_s = strides.begin_s + ROTATION_UNTIL * (strides.final_contact_s - strides.begin_s)
    known = windows(shank, strides.begin_s, until_s).known
    known &= windows(strides.motion, strides.begin_s, until_s).known
    part = shank.place(np.linspace(strides.begin_s, until_s, SAMPLES, axis=1))

    def curves(
        signal: NDArray[np.float64],
        of: Callable[[NDArray[np.float64]], NDArray[np.float64]] = np.asarray,
    ) -> NDArray[np.float64]:
        there = of(values_at(signal, part))
        return np.where(known[:, None], there - there[:, :1], np.nan)

    everted = np.degrees(curves(eversion_sine(strides), angle_of))
    turned = np.degrees(curves(inward_rotation_rad(strides, shank)))
    step_s = (until_s - strides.begin_s) / (SAMPLES - 1)
    columns = _coupling("eversion_rotation", everted, turned, step_s)
    if pelvis is not None:
        known &= windows(pelvis, strides.begin_s, until_s).known
        obliquity, _, rotation = pelvis_angles_deg(pelvis)
        columns |= _coupling("rotation_drop", turned, curves(-outward * obliquity), step_s)
        columns |= _coupling("rotation_pelvis", turned, curves(outward * rotation), step_s)
    return columns


def _coupling(
    name: str,
    driver: NDArray[np.float64],
    follower: NDArray[np.float64],
    step_s: NDArray[np.float64],
) -> dict[str, NDArray[np.float64]]:
    """Coupling of two movements (m, SAMPLES), deg, sampled every `step_s` (m,).

    Ratio: greatest excursion of the follower by that of the driver. Angle: vector coding, the mean
    direction of the steps in the plane of both, each as long as the step itself; 45 deg is one to
    one. Lag: shift with the greatest correlation of the two rates.
    """
    moved, followed = driver.max(axis=1), follower.max(axis=1)
    enough = moved >= LEAST_DEG
    along, across = np.diff(driver, axis=1), np.diff(follower, axis=1)
    # Only while the driver moves on: what it does on the way back is another phase.
    rising = np.arange(SAMPLES - 1) < np.argmax(driver, axis=1)[:, None]
    angle = np.arctan2((across * rising).sum(axis=1), (along * rising).sum(axis=1))
    return {
        f"{name}_ratio": np.where(enough, followed / np.where(enough, moved, 1.0), np.nan),
        f"{name}_angle_deg": np.where(enough, np.degrees(angle), np.nan),
        f"{name}_lag_s": np.where(
            enough & (followed >= LEAST_DEG), _lag(along, across) * step_s, np.nan
        ),
    }


def _lag(driver: NDArray[np.float64], follower: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shift of each row of the follower against that of the driver (m,), in samples."""
    near = lagged_products(driver, follower, REACH)
    top = np.clip(np.argmax(near, axis=1), 1, 2 * REACH - 1)
    rows = np.arange(len(near))
    before, at, after = near[rows, top - 1], near[rows, top], near[rows, top + 1]
    bend = np.maximum(2.0 * at - before - after, 1e-12)
    return np.asarray(top - REACH + np.clip(0.5 * (after - before) / bend, -1.0, 1.0))


CHAIN = Family(
    "chain",
    chain_columns,
    {
        "eversion_rotation_ratio": 0.15,
        "eversion_rotation_angle_deg": 10.0,
        "eversion_rotation_lag_s": 0.025,
        "rotation_drop_ratio": 0.3,
        "rotation_drop_angle_deg": 8.0,
        "rotation_drop_lag_s": 0.02,
        "rotation_pelvis_ratio": 0.3,
        "rotation_pelvis_angle_deg": 8.0,
        "rotation_pelvis_lag_s": 0.02,
    },
    needs=("shank", "pelvis"),
)
