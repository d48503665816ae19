"""The orientation filter of docs/orientation.md in NumPy: one sensor, full matrices, no hurry.

Written from the page's equations, whose symbols and numbers it keeps, so that it can be read
beside them. `cext.OrientationFilter` must give the same numbers.
"""

# ruff: noqa: N806 (the symbols of the page)
from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from cext import OrientationParameters

BIAS, MISMATCH, TURN, VELOCITY, POSITION = (
    slice(0, 3),
    slice(3, 12),
    slice(12, 15),
    slice(15, 17),
    slice(17, 19),
)
STATES = 19
GRAVITY = 9.81
LARGEST_READING = 1e6
SLOW_S = 0.5
RATE_BEND, LARGEST_GAP_S, LOST_AFTER_S = 1000.0, 0.25, 1.0
CLIPPED_SHARE, UNSEEN_FORCE = 0.3, 5.0
QUIET_OF_RATE, QUIET_LIMIT = 1.0, 1.0
LARGEST_SPEED, LOST_BIAS_SD = 10.0, 0.1
TWO_SIDED_WANDER, TWO_SIDED_BIAS = 2.0, 3.0
SAME_NORM, SAME_DIP, ODD_NORM, ODD_DIP, ODD_LASTS_S = 0.03, 0.052, 0.1, 0.17, 60.0
FIELDS, FIELD_FADE_S, FIELD_FOLLOW_S = 4, 60.0, 20.0
SHARE_AT_REST, TURNING, FIELD_TAKES_OVER = 0.2, 0.35, 1.3


def multiply(a, b):
    return np.array(
        [
            a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3],
            a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2],
            a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1],
            a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0],
        ]
    )


def exponential(v):
    angle = np.linalg.norm(v)
    k = np.sin(0.5 * angle) / angle if angle > 1e-6 else 0.5
    return np.array([np.cos(0.5 * angle), *(k * v)])


def matrix(q):
    w, x, y, z = q / np.linalg.norm(q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def measured(x):
    return bool(np.abs(x).sum() < LARGEST_READING)


@dataclass
class Sums:
    """What is added up between two Kalman steps."""

    rotation: np.ndarray = field(default_factory=lambda: np.zeros((3, 3)))
    rotation_rate: np.ndarray = field(default_factory=lambda: np.zeros((3, 9)))
    gyr: np.ndarray = field(default_factory=lambda: np.zeros(3))
    force: np.ndarray = field(default_factory=lambda: np.zeros(3))
    field_: np.ndarray = field(default_factory=lambda: np.zeros(3))
    rate2: float = 0.0
    lost2: float = 0.0
    n: int = 0
    fresh: bool = False
    n_ok: int = 0
    n_force: int = 0
    n_field: int = 0
    n_still: int = 0
    largest_gyr2: float = 0.0
    largest_acc2: float = 0.0


@dataclass
class Record:
    """One Kalman step, for the look back."""

    P: np.ndarray
    F: np.ndarray
    correction: np.ndarray
    fresh: bool
    measurements: list


class Filter:
    """The state of one sensor and what each sample does to it."""

    def __init__(self, rate_hz, parameters):
        self.p = p = parameters
        self.dt = 1.0 / rate_hz
        self.samples = max(1, int(np.floor(p.step_s * rate_hz + 0.5)))
        self.T = self.samples * self.dt
        self.slow_gain = 1 - np.exp(-self.dt / SLOW_S)
        self.q = np.array([1.0, 0.0, 0.0, 0.0])
        self.bias, self.mismatch = np.zeros(3), np.zeros((3, 3))
        self.P = np.zeros((STATES, STATES))
        self.P[BIAS, BIAS] = np.eye(3) * p.bias_sd**2
        sd = np.full((3, 3), p.misalignment_sd)
        np.fill_diagonal(sd, p.scale_sd)
        self.mismatch_sd = sd.ravel()
        self.P[MISMATCH, MISMATCH] = np.diag(self.mismatch_sd**2)
        self.sums = Sums()
        self.started, self.gap_s = False, 0.0
        self.heading_known = False
        self.rate = np.zeros(3)
        self.slow_gyr, self.slow_acc = np.zeros(3), np.zeros(3)
        self.last_acc, self.last_force = np.zeros(3), np.zeros(3)
        self.rested = False
        self.norm, self.dip, self.seen = np.zeros(FIELDS), np.zeros(FIELDS), np.zeros(FIELDS)
        self.here, self.odd_s = 0, 0.0
        self.records = []
        self.forget()

    def forget(self, unrest=0.0):
        tilt2, heading2 = self.p.tilt_sd**2 + (unrest / GRAVITY) ** 2, self.P[14, 14]
        self.P[12:, :] = self.P[:, 12:] = 0.0
        self.P[12:, 12:] = np.diag([tilt2, tilt2, heading2, 1.0, 1.0, 0.25, 0.25])
        self.v, self.s = np.zeros(2), np.zeros(2)
        self.wander2, self.rest_s = 1.0, 0.0

    def update(self, gyr, acc, mag=None, *, valid=True, clipped=False, still=False):
        ok = valid and measured(gyr) and measured(acc)
        mag_ok = ok and mag is not None and measured(mag)
        if ok and (not self.started or self.gap_s > LOST_AFTER_S):
            self.start(gyr, acc, mag if mag_ok else None)
        self.integrate(gyr, acc, mag, ok, mag_ok, clipped, still)
        if self.sums.n == self.samples:
            self.step(mag is not None)
            self.sums = Sums()
        return self.q

    def start(self, gyr, acc, mag):
        up = matrix(self.q) @ acc
        across = np.hypot(up[0], up[1])
        angle = np.arctan2(across, up[2])
        turn = np.array([up[1], -up[0], 0.0]) * (angle / across if across > 0 else 0.0)
        self.q = multiply(exponential(turn), self.q)
        if mag is not None:
            m = matrix(self.q) @ mag
            self.q = multiply(exponential(np.array([0, 0, np.arctan2(m[0], m[1])])), self.q)
        self.slow_gyr, self.rate = gyr.copy(), gyr - self.bias
        self.slow_acc, self.last_acc = acc.copy(), acc.copy()
        if self.started and self.gap_s > LOST_AFTER_S:
            self.P[14, 14], self.heading_known = np.pi**2, False
        off = np.linalg.norm(acc) - GRAVITY
        self.forget(np.sqrt(off**2 + QUIET_OF_RATE**2 * (self.rate @ self.rate)))
        self.started, self.sums.fresh, self.gap_s = True, True, 0.0

    def integrate(self, gyr, acc, mag, ok, mag_ok, clipped, still):
        dt, sums = self.dt, self.sums
        if ok:
            u = gyr - self.bias
            rate = u - self.mismatch @ u  # equation 1
            turn = rate * dt + 0.5 * self.gap_s * (rate - self.rate)
            self.rate = rate
        else:
            turn = self.rate * dt
            if self.gap_s < LARGEST_GAP_S:
                bend = [RATE_BEND / 12 * g**3 for g in (self.gap_s, self.gap_s + dt)]
                sums.lost2 += bend[1] ** 2 - bend[0] ** 2
        self.gap_s = 0.0 if ok else self.gap_s + dt
        before, self.q = self.q, multiply(self.q, exponential(turn))  # equation 2
        self.q = self.q / np.linalg.norm(self.q)
        R = matrix(before + self.q)
        sums.n += 1
        sums.rotation += R
        sums.rotation_rate += np.einsum("ij,k->ijk", R, self.rate).reshape(3, 9)
        sums.rate2 += self.rate @ self.rate
        if not ok:
            return
        sums.n_ok += 1
        sums.n_still += still
        sums.gyr += gyr
        jolt = acc - self.last_acc
        self.last_acc = acc.copy()
        sums.lost2 += self.p.jolt_noise**2 * (jolt @ jolt)
        if clipped:
            sums.lost2 += (CLIPPED_SHARE * dt) ** 2 * (self.rate @ self.rate)
        else:
            sums.n_force += 1
            sums.force += R @ acc
        if mag_ok:
            sums.n_field += 1
            sums.field_ += R @ mag
        off_gyr, off_acc = gyr - self.slow_gyr, acc - self.slow_acc
        self.slow_gyr = self.slow_gyr + self.slow_gain * off_gyr
        self.slow_acc = self.slow_acc + self.slow_gain * off_acc
        sums.largest_gyr2 = max(sums.largest_gyr2, off_gyr @ off_gyr)
        sums.largest_acc2 = max(sums.largest_acc2, off_acc @ off_acc)

    def step(self, with_mag):
        sums = self.sums
        self.x = np.zeros(STATES)
        force = sums.force / sums.n_force if sums.n_force else np.array([0.0, 0.0, GRAVITY])
        began = self.P.copy()
        F = self.propagate(force)
        self.measurements = []
        self.measure_wander(force)
        self.measure_quiet(force)
        self.measure_rest()
        if with_mag and sums.n_field:
            self.measure_heading()
        self.q = multiply(exponential(self.x[TURN]), self.q)  # equation 11
        self.bias = self.bias + self.x[BIAS]
        self.mismatch = self.mismatch + self.x[MISMATCH].reshape(3, 3)
        self.v, self.s = self.v + self.x[VELOCITY], self.s + self.x[POSITION]
        if np.hypot(*self.v) >= LARGEST_SPEED:
            self.started = False
            self.P[BIAS, BIAS] += np.eye(3) * LOST_BIAS_SD**2
        self.records.append(
            Record(began, F, self.x[TURN].copy(), self.sums.fresh, self.measurements)
        )

    def transition(self, force):
        """Equation 4."""
        T, A = self.T, np.array([[0.0, force[2], 0.0], [-force[2], 0.0, 0.0]])
        F = np.eye(STATES)
        F[TURN, BIAS] = -self.dt * self.sums.rotation
        F[TURN, MISMATCH] = -self.dt * self.sums.rotation_rate
        F[VELOCITY, TURN] = T * A
        F[POSITION, TURN] = 0.5 * T * T * A
        F[POSITION, VELOCITY] = T * np.eye(2)
        return F

    def propagate(self, force):
        p, T, sums = self.p, self.T, self.sums
        F = self.transition(force)
        self.P = F @ self.P @ F.T
        turn = p.gyr_noise**2 * T + p.gyr_noise_of_rate**2 * self.dt * sums.rate2 + sums.lost2
        unseen = UNSEEN_FORCE * (T - sums.n_force * self.dt)
        noise = np.zeros(STATES)
        noise[TURN] = turn
        noise[BIAS] = np.where(np.diag(self.P)[BIAS] < p.bias_sd**2, p.bias_walk**2 * T, 0.0)
        known = np.diag(self.P)[MISMATCH]
        noise[MISMATCH] = np.where(known < self.mismatch_sd**2, p.mismatch_walk**2 * T, 0.0)
        noise[VELOCITY] = p.acc_noise**2 * T + unseen**2
        self.P += np.diag(noise)
        self.s = self.s + T * (self.v + 0.5 * T * force[:2])
        self.v = self.v + T * force[:2]
        return F

    def measure(self, h, z, variance):
        """Scalar Kalman update."""
        ph = self.P @ h
        gain = ph / (h @ ph + variance)
        pull = (z - h @ self.x) / (h @ ph + variance)
        self.x = self.x + ph * pull
        self.P = self.P - np.outer(gain, ph)
        self.measurements.append((h, gain, pull))

    def measure_wander(self, force):
        p = self.p
        of_v, of_s = 2 * p.wander_damping * p.wander_rad_s, p.wander_rad_s**2
        y = force[:2] + of_v * self.v + of_s * self.s  # equation 6
        if 2 * self.sums.n_force < self.samples:
            return
        more = 0.5 * (y @ y) - self.wander2
        self.wander2 += (
            1 - np.exp(-self.T / (p.wander_rise_s if more > 0 else p.wander_fall_s))
        ) * more
        variance = (p.wander_noise**2 * self.wander2 + p.wander_floor**2) / self.T
        for i, tilt in enumerate(((13, force[2]), (12, -force[2]))):
            h = np.zeros(STATES)
            h[tilt[0]], h[15 + i], h[17 + i] = tilt[1], of_v, of_s
            self.measure(h, -y[i], variance)

    def measure_quiet(self, force):
        p = self.p
        change, self.last_force = force - self.last_force, force
        off = np.linalg.norm(force) - GRAVITY
        rate2 = self.sums.rate2 / self.samples
        unrest2 = change @ change + off**2 + QUIET_OF_RATE**2 * rate2
        variance = p.quiet_floor**2 + p.quiet_noise**2 * unrest2
        if variance >= QUIET_LIMIT or self.sums.n_force < self.samples:
            return
        self.measure(force[2] * np.eye(STATES)[13], -force[0], variance)
        self.measure(-force[2] * np.eye(STATES)[12], -force[1], variance)

    def rests(self):
        p, sums = self.p, self.sums
        quiet = sums.largest_gyr2 < p.rest_gyr**2 and sums.largest_acc2 < p.rest_acc**2
        self.rest_s = self.rest_s + self.T if quiet and sums.n_force else 0.0
        off = np.abs(self.slow_gyr - self.bias)
        likely = np.maximum(3 * np.sqrt(np.diag(self.P)[BIAS]), 0.017) + 0.009
        return (
            self.rest_s >= p.rest_after_s
            and (not self.rested or bool((off < likely).all()))
            and bool((np.abs(self.slow_gyr) < p.rest_largest_bias).all())
        )

    def measure_rest(self):
        p, sums = self.p, self.sums
        rest, still = self.rests(), sums.n_still >= self.samples
        if not (rest or still):
            return
        noise = p.rest_noise if rest else p.still_gyr_noise
        for i in range(3):
            z = sums.gyr[i] / sums.n_ok - self.bias[i]
            if rest and not self.rested and z * z > self.P[i, i]:
                self.P[i, i] = z * z
            self.measure(np.eye(STATES)[i], z, noise**2 / self.T)
        self.rested = self.rested or rest
        if still:
            for i in range(2):
                self.measure(np.eye(STATES)[15 + i], -self.v[i], p.still_velocity_sd**2)

    def recall_field(self, norm, dip, rate):
        self.seen *= np.exp(-self.T / FIELD_FADE_S)
        same = (
            (self.seen > 0)
            & (np.abs(norm - self.norm) < SAME_NORM * self.norm)
            & (np.abs(dip - self.dip) < SAME_DIP)
        )
        if same.any():
            kind = int(np.argmax(np.where(same, self.seen, -1.0)))
        else:
            kind = int(np.argmin(self.seen))
            self.norm[kind], self.dip[kind], self.seen[kind] = norm, dip, 0.0
        seen = self.T * (SHARE_AT_REST + (1 - SHARE_AT_REST) * min(1.0, rate / TURNING))
        self.seen[kind] += seen
        follow = max(1 - np.exp(-self.T / FIELD_FOLLOW_S), seen / self.seen[kind])
        self.norm[kind] += follow * (norm - self.norm[kind])
        self.dip[kind] += follow * (dip - self.dip[kind])
        if self.seen[kind] > FIELD_TAKES_OVER * self.seen[self.here]:
            self.here = kind

    def measure_heading(self):
        p, sums = self.p, self.sums
        east, north, up = sums.field_ / sums.n_field
        norm, dip = np.linalg.norm([east, north, up]), np.arctan2(-up, np.hypot(east, north))
        rate = np.sqrt(sums.rate2 / self.samples)
        self.recall_field(norm, dip, rate)
        off_norm, off_dip = norm / self.norm[self.here] - 1, dip - self.dip[self.here]
        odd = abs(off_norm) > ODD_NORM or abs(off_dip) > ODD_DIP
        self.odd_s = self.odd_s + self.T if odd else 0.0
        if odd and self.odd_s < ODD_LASTS_S:
            return
        doubt = (
            1
            + (off_norm / p.field_norm_tolerance) ** 2
            + (off_dip / p.field_dip_tolerance) ** 2
            + (rate / p.field_rate) ** 2
        )
        if not self.heading_known:
            self.P[14, 14] += np.pi**2
            self.heading_known = True
        angle = np.arctan2(east, north) - self.x[14]
        angle -= 2 * np.pi * np.floor(angle / (2 * np.pi) + 0.5)
        self.measure(np.eye(STATES)[14], angle + self.x[14], p.heading_noise**2 / self.T * doubt)


def look_back(records, samples, q):
    """Correct `q` (n, 4) by the modified Bryson-Frazier recursion (equations 12 to 14)."""
    q = q.copy()
    adjoint, later = np.zeros(STATES), np.zeros(3)
    for j in range(len(records) - 1, -1, -1):
        r = records[j]
        for h, gain, pull in reversed(r.measurements):
            adjoint = adjoint + h * (pull - gain @ adjoint)
        adjoint = r.F.T @ adjoint
        began, ended = (r.P @ adjoint)[TURN], later + r.correction
        for m in range(1, samples + 1):
            u = m / samples
            e = (1 - u) * began + u * ended if m < samples else later
            i = j * samples + m - 1
            q[i] = multiply(exponential(e), q[i])
        later = np.zeros(3) if r.fresh else began
        if r.fresh:
            adjoint[12:] = 0.0
    return q


def run(rate_hz, gyr, acc, mag=None, *, valid=None, saturated=None, still=None, smooth=False):
    """Quaternions (n, 4), live or smoothed, as `cext` gives them."""
    believed = OrientationParameters()
    if smooth:
        believed = replace(
            believed,
            wander_noise=TWO_SIDED_WANDER * believed.wander_noise,
            bias_sd=TWO_SIDED_BIAS * believed.bias_sd,
        )
    sensor = Filter(rate_hz, believed)
    q = np.empty((len(gyr), 4))
    for i in range(len(gyr)):
        q[i] = sensor.update(
            gyr[i],
            acc[i],
            None if mag is None else mag[i],
            valid=valid is None or bool(valid[i]),
            clipped=saturated is not None and bool(saturated[i]),
            still=still is not None and bool(still[i]),
        )
    return look_back(sensor.records, sensor.samples, q) if smooth else q
