"""Inline quaternion kernels for other compiled modules: (w, x, y, z), Hamilton, active."""

from libc.math cimport cos, sin, sqrt


cdef inline void multiply_kernel(const double* a, const double* b, double* out) noexcept nogil:
    """Write `a * b` to `out`, which may be `a` or `b`."""
    cdef double w = a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3]
    cdef double x = a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2]
    cdef double y = a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1]
    cdef double z = a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0]
    out[0] = w
    out[1] = x
    out[2] = y
    out[3] = z


cdef inline void conjugate_kernel(const double* q, double* out) noexcept nogil:
    """Write the inverse rotation of a unit quaternion to `out`, which may be `q`."""
    out[0] = q[0]
    out[1] = -q[1]
    out[2] = -q[2]
    out[3] = -q[3]


cdef inline void rotate_kernel(const double* q, const double* v, double* out) noexcept nogil:
    """Write `q v conj(q)` to `out`, which may be `v`; `q` has unit length."""
    # v + 2 w (u x v) + 2 u x (u x v), with q = (w, u)
    cdef double tx = 2.0 * (q[2] * v[2] - q[3] * v[1])
    cdef double ty = 2.0 * (q[3] * v[0] - q[1] * v[2])
    cdef double tz = 2.0 * (q[1] * v[1] - q[2] * v[0])
    cdef double x = v[0] + q[0] * tx + q[2] * tz - q[3] * ty
    cdef double y = v[1] + q[0] * ty + q[3] * tx - q[1] * tz
    cdef double z = v[2] + q[0] * tz + q[1] * ty - q[2] * tx
    out[0] = x
    out[1] = y
    out[2] = z


cdef inline void vertical_kernel(const double* q, double* out) noexcept nogil:
    """Write `conj(q) (0, 0, 1) q`, the last row of the rotation matrix of `q`, to `out`."""
    cdef double w = q[0], x = q[1], y = q[2], z = q[3]
    out[0] = 2.0 * (x * z - w * y)
    out[1] = 2.0 * (y * z + w * x)
    out[2] = 1.0 - 2.0 * (x * x + y * y)


cdef inline void levelling_kernel(const double* up, double* out) noexcept nogil:
    """Write the shortest turn that brings `up`, of any length, onto (0, 0, 1) to `out`."""
    cdef double x = up[0], y = up[1], z = up[2]
    cdef double level = x * x + y * y
    cdef double size = sqrt(level + z * z)
    # size + z, without the digits that it loses where one points down.
    cdef double w = size + z if z > 0.0 or level == 0.0 else level / (size - z)
    cdef double k = w * w + level
    out[3] = 0.0
    if k > 1e-30 * size * size and size > 1e-100:
        k = 1.0 / sqrt(k)
        out[0] = k * w
        out[1] = k * y
        out[2] = -k * x
    else:
        # Straight down there is no shortest one; next to nothing has no direction and turns nothing.
        out[0] = 0.0 if size > 1e-100 else 1.0
        out[1] = 1.0 - out[0]
        out[2] = 0.0


cdef inline void from_rotation_vector_kernel(const double* v, double* out) noexcept nogil:
    """Write the quaternion of a turn by |v| radians about v to `out`."""
    cdef double square = 0.25 * (v[0] * v[0] + v[1] * v[1] + v[2] * v[2])
    cdef double half, k
    if square < 0.01:
        # Half an angle of 0.1 rad, more than one sample ever turns: the series of cosine and sine
        # are exact to the last bit, and need no square root.
        out[0] = 1.0 - square * (1.0 / 2 - square * (1.0 / 24 - square * (
            1.0 / 720 - square / 40320)))
        k = 0.5 - square * (1.0 / 12 - square * (1.0 / 240 - square * (
            1.0 / 10080 - square / 725760)))
    else:
        half = sqrt(square)
        out[0] = cos(half)
        k = 0.5 * sin(half) / half
    out[1] = k * v[0]
    out[2] = k * v[1]
    out[3] = k * v[2]


cdef inline void renormalise_kernel(double* q) noexcept nogil:
    """Scale `q`, whose length is 1 but for rounding, to unit length in place."""
    cdef double k = 1.5 - 0.5 * (q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3])
    q[0] *= k
    q[1] *= k
    q[2] *= k
    q[3] *= k


cdef inline void normalise_kernel(double* q) noexcept nogil:
    """Scale `q` to unit length in place; a zero quaternion gives NaN."""
    cdef double k = 1.0 / sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3])
    q[0] *= k
    q[1] *= k
    q[2] *= k
    q[3] *= k
