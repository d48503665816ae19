# cython: wraparound=True
# Shapes are handled in Python here; the loops themselves index nothing from the end.
"""Quaternion arithmetic on whole arrays, over the inline kernels of `quaternion.pxd`."""

from libc.math cimport M_PI, atan2, rint

import numpy as np


def multiply(a, b):
    a, b = _stack(a, 4, "a"), _stack(b, 4, "b")
    left, right, out, shape = _pair(a, b, 4)
    _multiply(left, right, out)
    return out.reshape((*shape, 4))


def conjugate(q):
    return _stack(q, 4, "q") * np.array([1.0, -1.0, -1.0, -1.0])


def rotate(q, v):
    q, v = _stack(q, 4, "q"), _stack(v, 3, "v")
    left, right, out, shape = _pair(q, v, 3)
    _rotate(left, right, out)
    return out.reshape((*shape, 3))


def vertical(q):
    q = _stack(q, 4, "q")
    out = np.empty((q.size // 4, 3))
    _vertical(np.ascontiguousarray(q.reshape(-1, 4)), out)
    return out.reshape((*q.shape[:-1], 3))


def headings(q, axis):
    q, axis = _stack(q, 4, "q"), _stack(axis, 3, "axis")
    rows = np.ascontiguousarray(q.reshape(-1, 4))
    out = np.empty(len(rows))
    _headings(rows, axis, out)
    return out.reshape(q.shape[:-1])


def levelling(up):
    up = _stack(up, 3, "up")
    out = np.empty((up.size // 3, 4))
    _levelling(np.ascontiguousarray(up.reshape(-1, 3)), out)
    return out.reshape((*up.shape[:-1], 4))


def from_rotation_vector(v):
    v = _stack(v, 3, "v")
    out = np.empty((v.size // 3, 4))
    _from_rotation_vector(np.ascontiguousarray(v.reshape(-1, 3)), out)
    return out.reshape((*v.shape[:-1], 4))


def to_rotation_vector(q):
    q = _stack(q, 4, "q")
    # The half-turn with positive w is the short way round.
    q = np.where(q[..., :1] < 0.0, -q, q)
    sine = np.linalg.norm(q[..., 1:], axis=-1, keepdims=True)
    half = np.arctan2(sine, q[..., :1])
    return q[..., 1:] * np.where(sine > 1e-12, 2.0 * half / np.maximum(sine, 1e-300), 2.0)


def normalise(q):
    q = _stack(q, 4, "q")
    with np.errstate(invalid="ignore", divide="ignore"):
        return q / np.linalg.norm(q, axis=-1, keepdims=True)


def _stack(x, int width, name):
    """Array of float64 whose last axis has `width` numbers, or ValueError."""
    x = np.asarray(x, dtype=np.float64)
    if x.ndim == 0 or x.shape[x.ndim - 1] != width:
        raise ValueError(f"{name} has shape {x.shape}, expected (..., {width})")
    return x


def _pair(a, b, int width):
    """Both arrays as contiguous rows, room for the result, and its shape.

    They have the rows of one common shape, or a single one that counts for all.
    """
    shape = np.broadcast_shapes(a.shape[:-1], b.shape[:-1])
    rows = []
    for x in (a, b):
        last = x.shape[x.ndim - 1]
        if x.size != last:
            x = np.broadcast_to(x, (*shape, last))
        rows.append(np.ascontiguousarray(x).reshape(-1, last))
    n = 1
    for side in shape:
        n *= side
    return rows[0], rows[1], np.empty((n, width)), shape


cdef void _multiply(const double[:, ::1] a, const double[:, ::1] b, double[:, ::1] out):
    cdef Py_ssize_t i, of_a = a.shape[0] > 1, of_b = b.shape[0] > 1
    with nogil:
        for i in range(out.shape[0]):
            multiply_kernel(&a[i * of_a, 0], &b[i * of_b, 0], &out[i, 0])


cdef void _rotate(const double[:, ::1] q, const double[:, ::1] v, double[:, ::1] out):
    cdef Py_ssize_t i, of_q = q.shape[0] > 1, of_v = v.shape[0] > 1
    with nogil:
        for i in range(out.shape[0]):
            rotate_kernel(&q[i * of_q, 0], &v[i * of_v, 0], &out[i, 0])


cdef void _vertical(const double[:, ::1] q, double[:, ::1] out):
    cdef Py_ssize_t i
    with nogil:
        for i in range(out.shape[0]):
            vertical_kernel(&q[i, 0], &out[i, 0])


cdef void _headings(const double[:, ::1] q, const double[:] axis, double[::1] out):
    cdef Py_ssize_t i
    cdef double v[3]
    cdef double turned[3]
    cdef double heading, before = 0.0
    for i in range(3):
        v[i] = axis[i]
    with nogil:
        for i in range(out.shape[0]):
            rotate_kernel(&q[i, 0], v, turned)
            heading = atan2(turned[1], turned[0])
            # Whole turns that bring it next to the one before.
            heading += 2.0 * M_PI * rint((before - heading) / (2.0 * M_PI))
            out[i] = before = heading


cdef void _levelling(const double[:, ::1] up, double[:, ::1] out):
    cdef Py_ssize_t i
    with nogil:
        for i in range(out.shape[0]):
            levelling_kernel(&up[i, 0], &out[i, 0])


cdef void _from_rotation_vector(const double[:, ::1] v, double[:, ::1] out):
    cdef Py_ssize_t i
    with nogil:
        for i in range(out.shape[0]):
            from_rotation_vector_kernel(&v[i, 0], &out[i, 0])
