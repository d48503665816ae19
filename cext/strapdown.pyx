"""Velocity and position of a foot between the moments at which it stands still.

An error-state Kalman filter (velocity, attitude, gyro bias) with zero-velocity updates, and its
two-sided version by the modified Bryson-Frazier smoother. That smoother needs no matrix inverse:
the backward pass carries one vector of nine numbers, so smoothing costs less than filtering.
Position is no state: nothing measures it, so it is the integral of the smoothed velocity.

Error state, level frame: d = (dv, dtheta, db), true = estimate (+) d,
    v = v^ + dv,   R = exp([dtheta]x) R^,   b = b^ + db.

Sources: J. Sola, "Quaternion kinematics for the error-state Kalman filter", arXiv 1711.02508,
sections 5 and 7 (global angular error); G. J. Bierman, "Fixed interval smoothing with discrete
measurements", Int. J. Control 18:65, 1973 (the backward recursion).
"""

from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from dataclasses import dataclass

import numpy as np

from .quaternion cimport (
    from_rotation_vector_kernel,
    multiply_kernel,
    normalise_kernel,
    renormalise_kernel,
    rotate_kernel,
)

cdef extern from "strapdown_covariance.h" nogil:
    ctypedef struct Covariance:
        double vv[9]
        double aa[9]
        double bb[9]

    ctypedef struct Kept:
        pass

    void keep(const Covariance* P, Kept* out)
    void propagate(Covariance* P, const double* u, const double* T)
    void column(const Covariance* P, int at, double gain, double* col)
    void reduce(Covariance* P, const double* x, const double* y)
    void negative_product(const Kept* P, const double* x, double* d)

cdef enum:
    N = 9  # states: velocity, attitude error, gyro bias
    V = 0
    A = 3
    B = 6
    M = 5  # scalar measurements of a still foot: three velocities, two tilts

cdef double GRAVITY = 9.81

# The backward pass looks this far beyond the piece that it finishes. A zero-velocity phase in
# between makes what lies beyond nearly irrelevant; six seconds hold several even in slow walking.
# A longer piece goes backwards over its end less often, but holds more memory: 300 bytes a sample,
# and 400 more where the foot stands.
cdef double PIECE_S = 12.0
cdef double LOOK_AHEAD_S = 6.0


@dataclass(frozen=True, slots=True)
class StrapdownParameters:
    velocity_sd_mps: float = 0.3
    tilt_sd_rad: float = 0.05
    bias_sd_radps: float = 0.0005
    bias_walk: float = 1e-4
    still_sd_mps: float = 0.02
    gravity_sd_mps2: float = 0.5


cdef struct Coefficients:
    double h
    double bias_walk_q
    double gravity_var


cdef struct State:
    double v[3]
    double q[4]
    double b[3]
    Covariance P
    double gyr[3]  # the sample before
    double aw[3]   # its specific force in the level frame


cdef struct Measurement:
    double pull[M]  # what was seen beyond what was expected, by its variance
    double K[M * N]


cdef struct Step:
    # What the backward pass needs of one sample; kept small, for it runs through megabytes.
    double v[3]
    double q[4]
    double b[3]
    double a_mean[3]
    Kept P
    int seen  # number of its measurement, below zero where the foot moved


cdef void begin(State* s, const double* q0, double velocity_sd, double tilt_sd,
                double bias_sd) noexcept nogil:
    cdef int i
    memset(s, 0, sizeof(State))
    memcpy(s.q, q0, 4 * sizeof(double))
    normalise_kernel(s.q)
    for i in range(0, 9, 4):
        s.P.vv[i] = velocity_sd * velocity_sd
        s.P.aa[i] = tilt_sd * tilt_sd
        s.P.bb[i] = bias_sd * bias_sd
    s.P.aa[8] = 1e-8  # the heading is arbitrary: it is zero by definition


cdef void predict(State* s, const double* gyr, const double* acc, double acc_noise,
                  double gyr_noise, const Coefficients* c, double* a_mean) noexcept nogil:
    """One sample on: mean by trapezoids, covariance by P <- F P F' + Q.

    F = [[I, -h [a]x, 0], [0, I, -h R], [0, 0, I]], a the specific force in the level frame.
    """
    cdef double h = c.h
    cdef double dq[4]
    cdef double turn[3]
    cdef double aw[3]
    cdef double ha[3]  # h a
    cdef double hR[9]  # -h R
    cdef Covariance* P = &s.P
    cdef int i

    for i in range(3):
        turn[i] = (0.5 * (gyr[i] + s.gyr[i]) - s.b[i]) * h
    from_rotation_vector_kernel(turn, dq)
    multiply_kernel(s.q, dq, s.q)
    renormalise_kernel(s.q)
    rotate_kernel(s.q, acc, aw)
    for i in range(3):
        a_mean[i] = 0.5 * (aw[i] + s.aw[i])
        ha[i] = h * a_mean[i]
        s.v[i] += ha[i]
        s.aw[i] = aw[i]
        s.gyr[i] = gyr[i]
    s.v[2] -= h * GRAVITY
    lift(s.q, -h, hR)

    propagate(P, ha, hR)
    for i in range(0, 9, 4):
        P.vv[i] += acc_noise * acc_noise * h
        P.aa[i] += gyr_noise * gyr_noise * h
        P.bb[i] += c.bias_walk_q * h


cdef inline void lift(const double* q, double scale, double* R) noexcept nogil:
    """scale times the rotation matrix of q, row by row."""
    cdef double w = q[0], x = q[1], y = q[2], z = q[3]
    R[0] = scale * (1.0 - 2.0 * (y * y + z * z))
    R[1] = scale * 2.0 * (x * y - w * z)
    R[2] = scale * 2.0 * (x * z + w * y)
    R[3] = scale * 2.0 * (x * y + w * z)
    R[4] = scale * (1.0 - 2.0 * (x * x + z * z))
    R[5] = scale * 2.0 * (y * z - w * x)
    R[6] = scale * 2.0 * (x * z - w * y)
    R[7] = scale * 2.0 * (y * z + w * x)
    R[8] = scale * (1.0 - 2.0 * (x * x + y * y))


cdef inline void add_error(const double* d, double* v, double* q, double* b) noexcept nogil:
    """Add an error to velocity, attitude and bias."""
    cdef double dq[4]
    cdef int i
    for i in range(3):
        v[i] += d[V + i]
        b[i] += d[B + i]
    from_rotation_vector_kernel(d + A, dq)
    multiply_kernel(dq, q, q)
    renormalise_kernel(q)


cdef inline void row(int m, int* state, double* gain) noexcept nogil:
    """The one state that scalar measurement m sees, and how strongly.

    Velocity x, y, z itself; horizontal specific force of a still foot, which only tilt can cause:
    a_x = g dtheta_y, a_y = -g dtheta_x.
    """
    if m < 3:
        state[0] = V + m
        gain[0] = 1.0
    elif m == 3:
        state[0] = A + 1
        gain[0] = GRAVITY
    else:
        state[0] = A
        gain[0] = -GRAVITY


cdef void correct(State* s, double still_sd, const Coefficients* c,
                  Measurement* out) noexcept nogil:
    """Zero velocity, and gravity as the only specific force: five scalar updates in turn."""
    cdef double d[N]
    cdef double col[N]
    cdef double z, share, e
    cdef double gain = 0.0
    cdef Covariance* P = &s.P
    cdef double* K
    cdef int m, i
    cdef int at = 0
    memset(d, 0, sizeof(d))
    for m in range(M):
        row(m, &at, &gain)
        z = -s.v[m] if m < 3 else -s.aw[m - 3]
        K = out.K + m * N
        column(P, at, gain, col)
        share = 1.0 / (gain * col[at] + (still_sd * still_sd if m < 3
                                         else c.gravity_var * still_sd * still_sd))
        out.pull[m] = share * (z - gain * d[at])
        for i in range(N):
            K[i] = share * col[i]
            d[i] += out.pull[m] * col[i]
        reduce(P, K, col)
    add_error(d, s.v, s.q, s.b)
    # the specific force kept for the next trapezoid turns with the correction
    e = s.aw[0]
    s.aw[0] += d[A + 1] * s.aw[2] - d[A + 2] * s.aw[1]
    s.aw[1] += d[A + 2] * e - d[A] * s.aw[2]


cdef void back_over_measurement(double* lam, const Measurement* seen) noexcept nogil:
    """lambda <- (I - K H)' lambda - H' y / S, for the five scalars in reverse."""
    cdef int m, i
    cdef int at = 0
    cdef double gain = 0.0
    cdef double dot
    for m in range(M - 1, -1, -1):
        row(m, &at, &gain)
        dot = seen.pull[m]
        for i in range(N):
            dot += seen.K[m * N + i] * lam[i]
        lam[at] -= gain * dot


cdef void back_over_prediction(double* lam, const Step* step, double h) noexcept nogil:
    """lambda <- F' lambda."""
    cdef double R[9]
    cdef double* a = <double*>step.a_mean
    cdef int j
    lift(step.q, -h, R)
    for j in range(3):
        lam[B + j] += R[j] * lam[A] + R[3 + j] * lam[A + 1] + R[6 + j] * lam[A + 2]
    lam[A] += h * (a[1] * lam[V + 2] - a[2] * lam[V + 1])
    lam[A + 1] += h * (a[2] * lam[V] - a[0] * lam[V + 2])
    lam[A + 2] += h * (a[0] * lam[V + 1] - a[1] * lam[V])


cdef void keep_step(Step* step, const State* s) noexcept nogil:
    memcpy(step.v, s.v, 3 * sizeof(double))
    memcpy(step.q, s.q, 4 * sizeof(double))
    memcpy(step.b, s.b, 3 * sizeof(double))
    keep(&s.P, &step.P)


cdef struct Ring:
    # The newest steps, sample k at place k % size, and what was seen in some of them.
    Py_ssize_t size
    Step* steps
    Measurement* seen


cdef void smooth_piece(const Ring* ring, Py_ssize_t first, Py_ssize_t stop, Py_ssize_t newest,
                       double h, double[:, ::1] v, double[:, ::1] q,
                       double[:, ::1] b) noexcept nogil:
    """Backward pass from the newest sample; writes the estimates of samples [first, stop)."""
    cdef double lam[N]
    cdef double d[N]
    cdef Step* step
    cdef Py_ssize_t k, at = newest % ring.size
    memset(lam, 0, sizeof(lam))
    for k in range(newest, first - 1, -1):
        step = &ring.steps[at]
        if k < stop:
            negative_product(&step.P, lam, d)
            memcpy(&v[k, 0], step.v, 3 * sizeof(double))
            memcpy(&q[k, 0], step.q, 4 * sizeof(double))
            memcpy(&b[k, 0], step.b, 3 * sizeof(double))
            add_error(d, &v[k, 0], &q[k, 0], &b[k, 0])
        if step.seen >= 0:
            back_over_measurement(lam, &ring.seen[step.seen])
        back_over_prediction(lam, step, h)
        at = at - 1 if at else ring.size - 1


cdef class Strapdown:
    """See strapdown.pyi."""

    cdef Coefficients c
    cdef State s
    cdef bint started

    def __init__(self, double rate_hz, const double[::1] q_start, parameters=StrapdownParameters()):
        if not rate_hz > 0:
            raise ValueError(f"rate_hz is {rate_hz}, expected a positive number")
        if q_start.shape[0] != 4:
            raise ValueError(f"q_start has {q_start.shape[0]} numbers, expected 4")
        self.c.h = 1.0 / rate_hz
        self.c.bias_walk_q = parameters.bias_walk**2
        # relative to the variance of the velocity, so that one number says how still the foot is
        self.c.gravity_var = (parameters.gravity_sd_mps2 / parameters.still_sd_mps) ** 2
        begin(&self.s, &q_start[0], parameters.velocity_sd_mps, parameters.tilt_sd_rad,
              parameters.bias_sd_radps)
        self.started = False

    def update_block(self, const double[:, ::1] gyr, const double[:, ::1] acc,
                     const double[:, ::1] noise):
        cdef Py_ssize_t n = check(gyr, acc, noise)
        velocity = np.empty((n, 3))
        attitude = np.empty((n, 4))
        cdef double[:, ::1] v = velocity
        cdef double[:, ::1] q = attitude
        cdef double a_mean[3]
        cdef Measurement seen
        cdef Py_ssize_t k
        with nogil:
            for k in range(n):
                self.advance(&gyr[k, 0], &acc[k, 0], &noise[k, 0], a_mean, &seen)
                memcpy(&v[k, 0], self.s.v, 3 * sizeof(double))
                memcpy(&q[k, 0], self.s.q, 4 * sizeof(double))
        return velocity, attitude

    def smooth(self, const double[:, ::1] gyr, const double[:, ::1] acc,
               const double[:, ::1] noise):
        cdef Py_ssize_t n = check(gyr, acc, noise)
        cdef Py_ssize_t piece = min(n, <Py_ssize_t>(PIECE_S / self.c.h))
        velocity = np.empty((n, 3))
        attitude = np.empty((n, 4))
        bias = np.empty((n, 3))
        cdef double[:, ::1] v = velocity
        cdef double[:, ::1] q = attitude
        cdef double[:, ::1] b = bias
        cdef Py_ssize_t first = 0, stop, newest = -1, k = 0, at, n_seen = 0
        cdef Step* step
        cdef Ring ring
        ring.size = min(n, piece + <Py_ssize_t>(LOOK_AHEAD_S / self.c.h))
        ring.steps = <Step*>malloc(ring.size * sizeof(Step))
        ring.seen = <Measurement*>malloc(ring.size * sizeof(Measurement))
        try:
            if (ring.steps == NULL or ring.seen == NULL) and n:
                raise MemoryError
            with nogil:
                while first < n:
                    newest = min(n, first + ring.size) - 1
                    stop = n if newest == n - 1 else first + piece
                    for k in range(k, newest + 1):
                        at = k % ring.size
                        step = &ring.steps[at]
                        step.seen = -1
                        if self.advance(&gyr[k, 0], &acc[k, 0], &noise[k, 0], step.a_mean,
                                        &ring.seen[n_seen % ring.size]):
                            step.seen = n_seen % ring.size
                            n_seen += 1
                        keep_step(step, &self.s)
                    k = newest + 1
                    smooth_piece(&ring, first, stop, newest, self.c.h, v, q, b)
                    first = stop
        finally:
            free(ring.steps)
            free(ring.seen)
        return velocity, attitude, bias

    cdef bint advance(self, const double* gyr, const double* acc, const double* noise,
                      double* a_mean, Measurement* seen) noexcept nogil:
        """One sample on; whether the foot stood, which is then described in `seen`."""
        if not self.started:  # so the first sample has one before it
            memcpy(self.s.gyr, gyr, 3 * sizeof(double))
            rotate_kernel(self.s.q, acc, self.s.aw)
            self.started = True
        predict(&self.s, gyr, acc, noise[0], noise[1], &self.c, a_mean)
        if noise[2] <= 0.0:
            return False
        correct(&self.s, noise[2], &self.c, seen)
        return True


cdef Py_ssize_t check(const double[:, ::1] gyr, const double[:, ::1] acc,
                      const double[:, ::1] noise) except -1:
    if gyr.shape[1] != 3 or acc.shape[1] != 3 or noise.shape[1] != 3:
        raise ValueError("gyr, acc and noise have three columns each")
    if acc.shape[0] != gyr.shape[0] or noise.shape[0] != gyr.shape[0]:
        raise ValueError(
            f"gyr has {gyr.shape[0]} samples, acc {acc.shape[0]}, noise {noise.shape[0]}"
        )
    return gyr.shape[0]


def integrate_rates(double rate_hz, const double[:, ::1] gyr):
    cdef Py_ssize_t n = gyr.shape[0], k
    cdef double h = 1.0 / rate_hz
    cdef double turn[3]
    cdef double dq[4]
    cdef int i
    if gyr.shape[1] != 3:
        raise ValueError(f"gyr has {gyr.shape[1]} columns, expected 3")
    attitude = np.empty((n, 4))
    cdef double[:, ::1] q = attitude
    if n:
        q[0, 0] = 1.0
        q[0, 1] = q[0, 2] = q[0, 3] = 0.0
        with nogil:
            for k in range(1, n):
                for i in range(3):
                    turn[i] = 0.5 * h * (gyr[k, i] + gyr[k - 1, i])
                from_rotation_vector_kernel(turn, dq)
                multiply_kernel(&q[k - 1, 0], dq, &q[k, 0])
                renormalise_kernel(&q[k, 0])
    return attitude
