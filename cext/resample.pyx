"""Samples of one sensor read at the ticks of a grid: see resample.pyi.

What a tick reads is a sum of consecutive samples, each with its weight: of the one that it falls
on, of the two beside a gap, or of as many as a row of the table has.
"""

from libc.math cimport rint

cdef enum:
    MOST_TAPS = 16


cdef struct Taps:
    Py_ssize_t first
    int n
    double[MOST_TAPS] weight


cdef inline void one_sample(Taps* taps, Py_ssize_t k) noexcept nogil:
    taps.first = k
    taps.n = 1
    taps.weight[0] = 1.0


cdef inline void straight_line(Taps* taps, Py_ssize_t left, double phase) noexcept nogil:
    taps.first = left
    taps.n = 2
    taps.weight[0] = 1.0 - phase
    taps.weight[1] = phase


cdef inline void within_run(Taps* taps, const double* weights, int width,
                            const long long[::1] run, Py_ssize_t left) noexcept nogil:
    """Beyond an end of the run its last sample stands in: that one bears their weights too."""
    cdef Py_ssize_t n = run.shape[0]
    cdef int before = 0, after = 1, most = width // 2, t
    while before < most - 1 and left > before and run[left - before - 1] == run[left]:
        before += 1
    while after < most and left + after + 1 < n and run[left + after + 1] == run[left]:
        after += 1
    taps.first = left - before
    taps.n = before + 1 + after
    for t in range(taps.n):
        taps.weight[t] = weights[most - 1 - before + t]
    for t in range(most - 1 - before):
        taps.weight[0] += weights[t]
    for t in range(most + after, width):
        taps.weight[taps.n - 1] += weights[t]


cdef inline void add_up(const Taps* taps, int n, const double[:, :] readings,
                        double[:, :, :] values, Py_ssize_t i) noexcept nogil:
    cdef Py_ssize_t kind, axis
    cdef double total
    cdef int t
    for kind in range(values.shape[0]):
        for axis in range(3):
            total = 0.0
            for t in range(n):
                total += taps.weight[t] * readings[3 * kind + axis, taps.first + t]
            values[kind, i, axis] = total


cdef void read_all(const long long[::1] time_ns, const double[:, :] readings,
                   const long long[::1] run, const unsigned char[::1] clipped,
                   const long long[::1] tick_ns, const double[:, ::1] weights, long long near_ns,
                   double[:, :, :] values, unsigned char[:] valid,
                   unsigned char[:] saturated) noexcept nogil:
    cdef Py_ssize_t n = time_ns.shape[0], left, right = 0, i
    cdef int width = weights.shape[1]
    cdef double between, phase, last_row = weights.shape[0] - 1
    cdef bint on_sample
    cdef Taps taps
    for i in range(tick_ns.shape[0]):
        while right < n - 1 and time_ns[right] < tick_ns[i]:
            right += 1
        left = right - 1 if right > 0 and time_ns[right] > tick_ns[i] else right
        between = max(time_ns[right] - time_ns[left], 1)
        phase = min(max((tick_ns[i] - time_ns[left]) / between, 0.0), 1.0)
        # A tick that falls on a sample is measured, whatever was lost beside it.
        on_sample = min(phase, 1.0 - phase) * between < near_ns
        valid[i] = (time_ns[left] <= tick_ns[i] + 1 and time_ns[right] >= tick_ns[i] - 1
                    and (on_sample or run[left] == run[right]))
        saturated[i] = clipped[left] or clipped[right]
        if left == right or (valid[i] and on_sample):
            one_sample(&taps, left if phase < 0.5 else right)
        elif valid[i]:
            within_run(&taps, &weights[<Py_ssize_t>rint(phase * last_row), 0], width, run, left)
        else:
            straight_line(&taps, left, phase)
        # Nearly all ticks need them all, and the compiler makes more of a number that it knows.
        if taps.n == 8:
            add_up(&taps, 8, readings, values, i)
        else:
            add_up(&taps, taps.n, readings, values, i)


def resample(const long long[::1] time_ns, const double[:, :] readings, const long long[::1] run,
             saturated, const long long[::1] tick_ns, const double[:, ::1] weights,
             long long near_ns, double[:, :, :] out, out_valid, out_saturated):
    cdef const unsigned char[::1] clipped = saturated.view("u1")
    cdef unsigned char[:] is_valid = out_valid.view("u1"), is_saturated = out_saturated.view("u1")
    cdef Py_ssize_t n = time_ns.shape[0], m = tick_ns.shape[0]
    if not run.shape[0] == clipped.shape[0] == readings.shape[1] == n:
        raise ValueError(f"{n} times, {readings.shape[1]} readings, {run.shape[0]} runs")
    if not out.shape[1] == is_valid.shape[0] == is_saturated.shape[0] == m:
        raise ValueError(f"{m} ticks, room for {out.shape[1]}")
    if out.shape[2] != 3 or 3 * out.shape[0] > readings.shape[0]:
        raise ValueError(f"{readings.shape[0]} channels, room for {out.shape[0]} of {out.shape[2]}")
    if weights.shape[0] < 1 or weights.shape[1] % 2 or not 2 <= weights.shape[1] <= MOST_TAPS:
        raise ValueError(f"rows of {weights.shape[1]} weights, expected 2 to {MOST_TAPS}, even")
    if not n:
        out[:] = 0.0
        is_valid[:] = 0
        is_saturated[:] = 0
        return
    with nogil:
        read_all(time_ns, readings, run, clipped, tick_ns, weights, near_ns, out, is_valid,
                 is_saturated)
