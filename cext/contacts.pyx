"""Kernels of event detection: lengths, smoothing, running means, peaks and zeros of a rate.

Arrays of one channel or of several; the work of a sample does not depend on what came before.
"""

from libc.math cimport M_PI, sqrt, tan

import numpy as np


cdef struct Biquad:
    double b0
    double b1
    double b2
    double a1
    double a2


cdef Biquad butterworth(double rate_hz, double cutoff_hz) noexcept nogil:
    """Second order low-pass by the bilinear transform, pre-warped."""
    cdef Biquad f
    # at or above the Nyquist frequency there is nothing to take away
    cdef double k = tan(M_PI * min(cutoff_hz / rate_hz, 0.499))
    cdef double norm = 1.0 / (1.0 + sqrt(2.0) * k + k * k)
    f.b0 = k * k * norm
    f.b1 = 2.0 * f.b0
    f.b2 = f.b0
    f.a1 = 2.0 * (k * k - 1.0) * norm
    f.a2 = (1.0 - sqrt(2.0) * k + k * k) * norm
    return f


cdef inline void run(const Biquad* f, double[:, ::1] x, Py_ssize_t col, int width,
                     bint backwards) noexcept nogil:
    """One pass in place over some columns, begun in the steady state of the values it meets.

    A sample waits for the one before it, but not for its neighbours of other columns: up to four of
    them take hardly longer than one, if the compiler knows how many.
    """
    cdef Py_ssize_t n = x.shape[0], k, at
    cdef double z1[4]
    cdef double z2[4]
    cdef double u, y
    cdef int c
    for c in range(width):
        u = x[n - 1 if backwards else 0, col + c]
        z1[c] = u * (1.0 - f[c].b0)
        z2[c] = u * (f[c].b2 - f[c].a2)
    for k in range(n):
        at = n - 1 - k if backwards else k
        for c in range(width):
            u = x[at, col + c]
            y = f[c].b0 * u + z1[c]
            z1[c] = f[c].b1 * u - f[c].a1 * y + z2[c]
            z2[c] = f[c].b2 * u - f[c].a2 * y
            x[at, col + c] = y


cdef void both_ways(const Biquad* f, double[:, ::1] x, Py_ssize_t col, int width) noexcept nogil:
    cdef int backwards
    for backwards in range(2):
        if width == 1:
            run(f, x, col, 1, backwards)
        elif width == 2:
            run(f, x, col, 2, backwards)
        elif width == 3:
            run(f, x, col, 3, backwards)
        else:
            run(f, x, col, 4, backwards)


def lowpass(signal, double rate_hz, cutoff_hz):
    values = np.array(signal, dtype=np.float64, order="C")
    cdef double[:, ::1] x = values.reshape(len(values), values.size // max(len(values), 1))
    cdef const double[::1] cutoffs = np.ascontiguousarray(
        np.broadcast_to(np.asarray(cutoff_hz, dtype=np.float64), x.shape[1])
    )
    cdef Biquad f[4]
    cdef Py_ssize_t col
    cdef int c, width
    if x.shape[0]:
        with nogil:
            for col in range(0, x.shape[1], 4):
                width = min(x.shape[1] - col, 4)
                for c in range(width):
                    f[c] = butterworth(rate_hz, cutoffs[col + c])
                both_ways(f, x, col, width)
    return values


def squared_length(vectors):
    cdef const double[:, :] v = np.asarray(vectors, dtype=np.float64)
    cdef Py_ssize_t k
    if v.shape[1] != 3:
        raise ValueError(f"vectors have {v.shape[1]} columns, expected 3")
    squares = np.empty(v.shape[0])
    cdef double[::1] out = squares
    with nogil:
        for k in range(v.shape[0]):
            out[k] = v[k, 0] * v[k, 0] + v[k, 1] * v[k, 1] + v[k, 2] * v[k, 2]
    return squares


def moments_of_pieces(const double[:, :] signal, Py_ssize_t size):
    if size < 1:
        raise ValueError(f"pieces of {size} samples, expected 1 or more")
    cdef Py_ssize_t n = signal.shape[0] // size, channels = signal.shape[1], i, k, c
    means = np.zeros((n, channels))
    variances = np.zeros((n, channels))
    cdef double[:, ::1] mean = means, variance = variances
    with nogil:
        for i in range(n):
            for k in range(i * size, (i + 1) * size):
                for c in range(channels):
                    mean[i, c] += signal[k, c]
                    variance[i, c] += signal[k, c] * signal[k, c]
            for c in range(channels):
                mean[i, c] /= size
                variance[i, c] = max(variance[i, c] / size - mean[i, c] * mean[i, c], 0.0)
    return means, variances


def moving_mean(const double[::1] signal, Py_ssize_t width):
    cdef Py_ssize_t n = signal.shape[0], k, low = 0, high = 0, half = max(width, 1) // 2
    mean = np.empty(n)
    cdef double[::1] out = mean
    cdef double total = 0.0
    with nogil:
        for k in range(n):
            while high < min(n, k + half + 1):
                total += signal[high]
                high += 1
            while low < k - half:
                total -= signal[low]
                low += 1
            out[k] = total / (high - low)
    return mean


def peaks(const double[::1] signal, double least, Py_ssize_t apart):
    cdef Py_ssize_t n = signal.shape[0], k, count = 0
    found = np.empty(n // 2 + 1, dtype=np.int64)
    cdef long long[::1] at = found
    with nogil:
        for k in range(1, n - 1):
            if signal[k] < least or signal[k] <= signal[k - 1] or signal[k] < signal[k + 1]:
                continue
            if count and k - at[count - 1] < apart:
                if signal[k] > signal[at[count - 1]]:
                    at[count - 1] = k
                continue
            at[count] = k
            count += 1
    return found[:count].copy()


def positive_run(const double[::1] signal, const long long[::1] inside):
    cdef Py_ssize_t n = signal.shape[0], m = inside.shape[0], i, a, b
    begins = np.empty(m, dtype=np.int64)
    ends = np.empty(m, dtype=np.int64)
    cdef long long[::1] begin = begins, end = ends
    with nogil:
        for i in range(m):
            a = b = inside[i]
            while a > 0 and signal[a] > 0.0:
                a -= 1
            while b < n - 1 and signal[b] > 0.0:
                b += 1
            begin[i] = a
            end[i] = b
    return begins, ends


def moving_least(const double[::1] signal, Py_ssize_t width):
    cdef Py_ssize_t n = signal.shape[0], k, high = 0, head = 0, tail = 0, half = max(width, 1) // 2
    least = np.empty(n)
    queue = np.empty(n, dtype=np.int64)  # indices whose values rise from head to tail
    cdef double[::1] out = least
    cdef long long[::1] wait = queue
    with nogil:
        for k in range(n):
            while high < min(n, k + half + 1):
                while tail > head and signal[wait[tail - 1]] >= signal[high]:
                    tail -= 1
                wait[tail] = high
                tail += 1
                high += 1
            while wait[head] < k - half:
                head += 1
            out[k] = signal[wait[head]]
    return least


def crests(const double[::1] signal, double least):
    cdef Py_ssize_t n = signal.shape[0], k, count = 0, high = 0
    cdef bint rising = True
    cdef double low
    found = np.empty(n // 2 + 1, dtype=np.int64)
    cdef long long[::1] at = found
    if n:
        low = signal[0]
        with nogil:
            for k in range(1, n):
                if rising:
                    if signal[k] > signal[high]:
                        high = k
                    elif signal[high] - signal[k] >= least:
                        if signal[high] - low >= least:
                            at[count] = high
                            count += 1
                        low = signal[k]
                        rising = False
                elif signal[k] < low:
                    low = signal[k]
                elif signal[k] - low >= least:
                    high = k
                    rising = True
    return found[:count].copy()
