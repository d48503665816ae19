"""What a signal does in runs of ticks, one run `[first, stop)` for each stride: see runs.pyi."""

from libc.math cimport NAN, exp, hypot, rint, sqrt

import numpy as np


cdef _check(Py_ssize_t n, const long long[::1] first, const long long[::1] stop):
    cdef Py_ssize_t i
    if first.shape[0] != stop.shape[0]:
        raise ValueError(f"{first.shape[0]} runs begin, {stop.shape[0]} end")
    for i in range(first.shape[0]):
        if not 0 <= first[i] < stop[i] <= n:
            raise ValueError(f"run {i} is [{first[i]}, {stop[i]}), expected ticks of {n}")


def runs_between(const double[::1] from_place, const double[::1] to_place,
                 const long long[::1] lost_before, double lost_share):
    cdef Py_ssize_t n = lost_before.shape[0] - 1, m = from_place.shape[0], i
    if to_place.shape[0] != m:
        raise ValueError(f"{m} runs begin, {to_place.shape[0]} end")
    if n < 1:
        raise ValueError("the signal has no ticks")
    firsts = np.zeros(m, dtype=np.int64)
    stops = np.ones(m, dtype=np.int64)
    known = np.zeros(m, dtype=bool)
    cdef long long[::1] first = firsts, stop = stops
    cdef unsigned char[::1] whole = known.view(np.uint8)
    with nogil:
        for i in range(m):
            if 0.0 <= from_place[i] < to_place[i] <= n - 1:  # false for NaN
                first[i] = <long long>rint(from_place[i])
                stop[i] = <long long>rint(to_place[i]) + 1
                whole[i] = (lost_before[stop[i]] - lost_before[first[i]]
                            <= lost_share * (stop[i] - first[i]))
    return firsts, stops, known


def greatest_at(signal, first, stop):
    return _extreme_at(signal, first, stop, 1.0)


def least_at(signal, first, stop):
    return _extreme_at(signal, first, stop, -1.0)


cdef _extreme_at(const double[:] signal, const long long[::1] first, const long long[::1] stop,
                 double sign):
    _check(signal.shape[0], first, stop)
    found = np.empty(first.shape[0], dtype=np.int64)
    cdef long long[::1] at = found
    cdef Py_ssize_t i, k, best
    with nogil:
        for i in range(first.shape[0]):
            best = first[i]
            for k in range(best + 1, stop[i]):
                if sign * signal[k] > sign * signal[best]:
                    best = k
            at[i] = best
    return found


def mean_in(const double[:] signal, const long long[::1] first, const long long[::1] stop):
    _check(signal.shape[0], first, stop)
    found = np.empty(first.shape[0])
    cdef double[::1] mean = found
    cdef double total
    cdef Py_ssize_t i, k
    with nogil:
        for i in range(first.shape[0]):
            total = 0.0
            for k in range(first[i], stop[i]):
                total += signal[k]
            mean[i] = total / (stop[i] - first[i])
    return found


def lift_in(const double[:] height, const long long[::1] first, const long long[::1] stop):
    _check(height.shape[0], first, stop)
    found = np.empty(first.shape[0])
    cdef double[::1] lift = found
    cdef double slope, above, most
    cdef Py_ssize_t i, k, a, b
    with nogil:
        for i in range(first.shape[0]):
            a = first[i]
            b = stop[i] - 1
            slope = (height[b] - height[a]) / max(b - a, 1)
            most = 0.0
            for k in range(a, b + 1):
                above = height[k] - height[a] - slope * (k - a)
                if above > most:
                    most = above
            lift[i] = most
    return found


def bow_in(const double[:, :] path, const long long[::1] first, const long long[::1] stop):
    _check(path.shape[0], first, stop)
    if path.shape[1] < 2:
        raise ValueError(f"path has {path.shape[1]} columns, expected 2 or more")
    found = np.empty(first.shape[0])
    cdef double[::1] bow = found
    cdef double x, y, length, off, most
    cdef Py_ssize_t i, k, a, b
    with nogil:
        for i in range(first.shape[0]):
            a = first[i]
            b = stop[i] - 1
            x = path[b, 0] - path[a, 0]
            y = path[b, 1] - path[a, 1]
            length = hypot(x, y)
            most = 0.0
            for k in range(a, b + 1):
                off = (path[k, 1] - path[a, 1]) * x - (path[k, 0] - path[a, 0]) * y
                off = off if off > 0.0 else -off
                if off > most:
                    most = off
            bow[i] = most / length if length > 0.0 else NAN
    return found


cdef double falls_to(const double[:] signal, Py_ssize_t tick, Py_ssize_t stop,
                     double level) noexcept nogil:
    """Place between a tick and the next, before `stop`, at which the signal falls to a level."""
    cdef double fall, share
    if tick >= stop - 1:
        return <double>(stop - 1)
    fall = signal[tick] - signal[tick + 1]
    if fall <= 0.0:
        return <double>tick
    share = (signal[tick] - level) / fall
    return tick + min(max(share, 0.0), 1.0)


def braking_in(const double[:] speed, const long long[::1] first, const long long[::1] stop,
               double from_share, double to_share):
    _check(speed.shape[0], first, stop)
    begins = np.empty(first.shape[0])
    ends = np.empty(first.shape[0])
    cdef double[::1] begin = begins, end = ends
    cdef double top
    cdef Py_ssize_t i, k, last
    with nogil:
        for i in range(first.shape[0]):
            top = speed[first[i]]
            for k in range(first[i], stop[i]):
                top = max(top, speed[k])
            last = stop[i] - 1
            while speed[last] < from_share * top:
                last -= 1
            begin[i] = falls_to(speed, last, stop[i], from_share * top)
            while last + 1 < stop[i] and speed[last + 1] >= to_share * top:
                last += 1
            end[i] = falls_to(speed, last, stop[i], to_share * top)
    return begins, ends


def centre_in(const double[:] weight, const long long[::1] first, const long long[::1] stop,
              const double[::1] expected, double spread):
    _check(weight.shape[0], first, stop)
    if expected.shape[0] != first.shape[0]:
        raise ValueError(f"{expected.shape[0]} places are expected in {first.shape[0]} runs")
    found = np.empty(first.shape[0])
    cdef double[::1] centre = found
    cdef double total, moment, far, w
    cdef Py_ssize_t i, k
    with nogil:
        for i in range(first.shape[0]):
            total = moment = 0.0
            for k in range(first[i], stop[i]):
                far = (k - expected[i]) / spread
                w = weight[k] * exp(-0.5 * far * far)
                total += w
                moment += w * (k - expected[i])
            centre[i] = expected[i] + (moment / total if total > 0.0 else 0.0)
    return found


def values_at(const double[:] signal, place):
    cdef const double[::1] where = np.ascontiguousarray(place, dtype=np.float64).reshape(-1)
    cdef Py_ssize_t n = signal.shape[0], i, k
    if not n:
        raise ValueError("the signal has no ticks")
    found = np.empty(where.shape[0])
    cdef double[::1] value = found
    cdef double at
    with nogil:
        for i in range(where.shape[0]):
            at = where[i]
            if at != at:
                value[i] = NAN
            elif at <= 0.0:
                value[i] = signal[0]
            elif at >= n - 1:
                value[i] = signal[n - 1]
            else:
                k = <Py_ssize_t>at
                value[i] = signal[k] + (at - k) * (signal[k + 1] - signal[k])
    return found.reshape(np.shape(place))


def lagged_products(const double[:, ::1] a, const double[:, ::1] b, Py_ssize_t reach):
    cdef Py_ssize_t m = a.shape[0], n = a.shape[1], i, k, lag
    if b.shape[0] != m or b.shape[1] != n:
        raise ValueError(f"b has shape ({b.shape[0]}, {b.shape[1]}), expected ({m}, {n})")
    found = np.empty((m, 2 * reach + 1))
    cdef double[:, ::1] product = found
    cdef double total
    with nogil:
        for i in range(m):
            for lag in range(-reach, reach + 1):
                total = 0.0
                for k in range(max(-lag, 0), n - max(lag, 0)):
                    total += a[i, k] * b[i, k + lag]
                product[i, lag + reach] = total
    return found


def bridge_sd(const double[:] force, const double[:] tilt, const long long[::1] first,
              const long long[::1] stop, double rate_hz):
    _check(force.shape[0], first, stop)
    _check(tilt.shape[0], first, stop)
    found = np.empty(first.shape[0])
    cdef double[::1] sd = found
    cdef double h = 1.0 / rate_hz
    cdef double velocity, both, way, tau, square, f, g
    cdef Py_ssize_t i, k
    with nogil:
        for i in range(first.shape[0]):
            velocity = both = way = 0.0
            for k in range(first[i], stop[i]):
                tau = (stop[i] - 1 - k) * h
                square = tau * tau
                f = force[k] * force[k] * h
                g = tilt[k] * tilt[k] * h
                velocity += f + g * square
                both += (f + 0.5 * g * square) * tau
                way += (f + 0.25 * g * square) * square
            sd[i] = sqrt(max(way - both * both / velocity, 0.0)) if velocity > 0.0 else 0.0
    return found
