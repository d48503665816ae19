"""The Python face of the orientation filter: shapes checked here, the work done in C."""

from libc.stdlib cimport free
from libc.string cimport memcpy, memset

from dataclasses import astuple, replace

import numpy as np

cimport numpy as cnp

from cext.orientation_parameters import OrientationParameters

cnp.import_array()

cdef extern from "stdlib.h" nogil:
    void* aligned_alloc(size_t alignment, size_t size)

GRAVITY = 9.81

# The fields of `struct orientation_state`, in its order, each float64.
STATE = np.dtype(
    [
        ("q_sensor_to_earth", "f8", (4,)),
        ("gyr_bias", "f8", (3,)),
        ("gyr_mismatch", "f8", (3, 3)),
        ("velocity", "f8", (2,)),
        ("position", "f8", (2,)),
        ("covariance", "f8", (STATES * (STATES + 1) // 2,)),
        ("samples", "f8"),
        ("fresh", "f8"),
        ("sum_rotation", "f8", (3, 3)),
        ("sum_rotation_rate", "f8", (3, 3, 3)),
        ("sum_gyr", "f8", (3,)),
        ("sum_force", "f8", (3,)),
        ("sum_field", "f8", (3,)),
        ("sum_rate2", "f8"),
        ("n_ok", "f8"),
        ("n_force", "f8"),
        ("n_field", "f8"),
        ("n_still", "f8"),
        ("lost_turn2", "f8"),
        ("largest_gyr2", "f8"),
        ("largest_acc2", "f8"),
        ("started", "f8"),
        ("rate", "f8", (3,)),
        ("last_acc", "f8", (3,)),
        ("gap_s", "f8"),
        ("slow_gyr", "f8", (3,)),
        ("slow_acc", "f8", (3,)),
        ("wander2", "f8"),
        ("last_force", "f8", (3,)),
        ("rest_s", "f8"),
        ("rested", "f8"),
        ("heading_known", "f8"),
        ("field_norm", "f8", (FIELDS,)),
        ("field_dip", "f8", (FIELDS,)),
        ("field_s", "f8", (FIELDS,)),
        ("field_here", "f8"),
        ("field_odd_s", "f8"),
    ]
)
if STATE.itemsize * orientation_kernel_for(1).lanes != orientation_kernel_for(1).state_size:
    raise ImportError("cext.orientation and its C core do not belong together: build again")

# Looking from both sides. The noise of the wandering is coloured and then counts more often than it
# should: it must be taken for larger. A wide prior of the bias, in turn, costs nothing any more.
TWO_SIDED_WANDER = 2.0
TWO_SIDED_BIAS = 3.0

# Steps that a look back holds in memory; older ones are filtered once more from a stored state.
cdef enum:
    PIECE_STEPS = 128


cdef class OrientationFilter:
    cdef orientation_coefficients _coefficients
    cdef const orientation_kernel* _kernel
    cdef char* _states
    cdef Py_ssize_t _sensors
    cdef readonly double rate_hz
    cdef readonly object parameters

    def __cinit__(self, rate_hz, parameters=None):
        self._states = NULL
        self._sensors = 0

    def __init__(self, rate_hz, parameters=None):
        self.parameters = OrientationParameters() if parameters is None else parameters
        self.rate_hz = rate_hz
        _prepare(&self._coefficients, self.parameters, rate_hz)

    def __dealloc__(self):
        free(self._states)

    def update(self, gyr, acc, mag=None):
        return self._run(Samples(gyr, acc, mag, None, None, None, 0))

    def update_block(self, gyr, acc, mag=None, *, valid=None, saturated=None, still=None):
        return self._run(Samples(gyr, acc, mag, valid, saturated, still, 1))

    cdef cnp.ndarray _run(self, Samples samples):
        cdef Py_ssize_t group
        self._seat(samples.c.k)
        cdef cnp.ndarray out = samples.room()
        cdef double* quaternions = <double*>cnp.PyArray_DATA(out)
        with nogil:
            for group in range(_groups(self._kernel, samples.c.k)):
                self._kernel.run(
                    self._states + group * self._kernel.state_size, &self._coefficients,
                    &samples.c, group * self._kernel.lanes, 0, samples.c.n, quaternions, NULL,
                )
        return out

    @property
    def sensors(self):
        return self._sensors

    @property
    def state(self):
        cdef Py_ssize_t j
        table = np.empty((self._sensors, STATE.itemsize // sizeof(double)))
        for j in range(self._sensors):
            table[j] = self._lane(j)
        return table.view(STATE)[:, 0]

    @state.setter
    def state(self, state):
        cdef Py_ssize_t j
        if not isinstance(state, np.ndarray) or state.dtype != STATE or state.ndim != 1:
            raise TypeError("state is not what OrientationFilter.state gave")
        self._seat(len(state))
        table = np.ascontiguousarray(state).view(np.float64).reshape(len(state), -1)
        for j in range(_groups(self._kernel, self._sensors) * self._kernel.lanes):
            # Lanes beyond the last sensor repeat it, as the kernel does.
            self._lane(j)[:] = table[min(j, self._sensors - 1)]

    @property
    def gyr_bias(self):
        return self.state["gyr_bias"]

    @property
    def inclination_sd(self):
        state, p = self.state, self.parameters
        filtered = sum(state["covariance"][:, _diagonal(i)] for i in (TURN, TURN + 1))
        level = 2.0 * (p.acc_bias_sd / GRAVITY) ** 2
        late = (p.delay_sd_s * state["rate"]) ** 2
        return np.sqrt(filtered + level + late.sum(axis=1))

    @property
    def heading_sd(self):
        return np.sqrt(self.state["covariance"][:, _diagonal(TURN + 2)])

    cdef int _seat(self, Py_ssize_t sensors) except -1:
        """Make room for the sensors of the first call; later calls must bring as many."""
        if self._states == NULL:
            self._kernel = orientation_kernel_for(sensors)
            self._states = _begin(self._kernel, &self._coefficients, sensors)
            self._sensors = sensors
        elif sensors != self._sensors:
            raise ValueError(f"{sensors} sensors, expected {self._sensors} as before")
        return 0

    cdef _lane(self, Py_ssize_t sensor):
        """One sensor's numbers, a view."""
        cdef Py_ssize_t lanes = self._kernel.lanes
        cdef Py_ssize_t rows = self._kernel.state_size // (lanes * sizeof(double))
        cdef char* group = self._states + sensor // lanes * self._kernel.state_size
        return np.asarray(<double[:rows, :lanes]><double*>group)[:, sensor % lanes]


def smooth_orientation(
    rate_hz, gyr, acc, mag=None, *, valid=None, saturated=None, still=None, parameters=None
):
    cdef orientation_coefficients c
    cdef Samples samples = Samples(gyr, acc, mag, valid, saturated, still, 1)
    believed = OrientationParameters() if parameters is None else parameters
    believed = replace(
        believed,
        wander_noise=TWO_SIDED_WANDER * believed.wander_noise,
        bias_sd=TWO_SIDED_BIAS * believed.bias_sd,
    )
    _prepare(&c, believed, rate_hz)
    cdef const orientation_kernel* kernel = orientation_kernel_for(samples.c.k)
    cdef cnp.ndarray out = samples.room()
    cdef double* quaternions = <double*>cnp.PyArray_DATA(out)
    cdef Py_ssize_t group, pieces = _pieces(&c, samples.c.n)
    cdef char* states = _begin(kernel, &c, samples.c.k)
    cdef char* begun = _room(kernel, pieces * kernel.state_size)
    cdef char* records = _room(kernel, PIECE_STEPS * kernel.record_size)
    cdef char* adjoint = _room(kernel, kernel.adjoint_size)
    try:
        if begun == NULL or records == NULL or adjoint == NULL:
            raise MemoryError
        with nogil:
            for group in range(_groups(kernel, samples.c.k)):
                _smooth(
                    kernel, states + group * kernel.state_size, &c, &samples.c,
                    group * kernel.lanes, begun, records, adjoint, quaternions,
                )
    finally:
        free(states)
        free(begun)
        free(records)
        free(adjoint)
    return out


cdef void _smooth(
    const orientation_kernel* kernel,
    char* state,
    const orientation_coefficients* c,
    const orientation_samples* samples,
    Py_ssize_t first,
    char* begun,
    char* records,
    char* adjoint,
    double* quaternions,
) noexcept nogil:
    """Filter one group piece by piece, keeping each piece's first state; then, from the last
    piece to the first, filter it once more with records and look back through them."""
    cdef Py_ssize_t i, begin, end, steps, piece = PIECE_STEPS * c.step_samples
    cdef Py_ssize_t pieces = _pieces(c, samples.n)
    memset(adjoint, 0, kernel.adjoint_size)
    for i in range(pieces):
        begin, end = i * piece, min((i + 1) * piece, samples.n)
        memcpy(begun + i * kernel.state_size, state, kernel.state_size)
        kernel.run(state, c, samples, first, begin, end, quaternions, NULL)
    for i in range(pieces - 1, -1, -1):
        begin, end = i * piece, min((i + 1) * piece, samples.n)
        memcpy(state, begun + i * kernel.state_size, kernel.state_size)
        steps = kernel.run(state, c, samples, first, begin, end, quaternions, records)
        kernel.look_back(c, records, steps, samples.k, first, begin, quaternions, adjoint)


cdef Py_ssize_t _pieces(const orientation_coefficients* c, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t piece = PIECE_STEPS * c.step_samples
    return (n + piece - 1) // piece


cdef int _prepare(orientation_coefficients* c, parameters, rate_hz) except -1:
    cdef orientation_parameters p
    if not 0.0 < rate_hz < float("inf"):
        raise ValueError(f"rate_hz is {rate_hz}, expected a positive number")
    values = astuple(parameters)
    if len(values) * sizeof(double) != sizeof(orientation_parameters):
        raise TypeError("parameters are not an OrientationParameters record")
    for i, value in enumerate(values):
        (<double*>&p)[<Py_ssize_t>i] = value
    orientation_prepare(c, &p, rate_hz)
    return 0


cdef Py_ssize_t _groups(const orientation_kernel* kernel, Py_ssize_t sensors) noexcept nogil:
    return (sensors + kernel.lanes - 1) // kernel.lanes


cdef char* _room(const orientation_kernel* kernel, size_t size):
    """Memory for what the kernel keeps, never of no size; NULL where there is none."""
    return <char*>aligned_alloc(kernel.alignment, max(size, kernel.alignment))


cdef char* _begin(
    const orientation_kernel* kernel, const orientation_coefficients* c, Py_ssize_t sensors
) except NULL:
    """States before the first sample; the caller frees them."""
    cdef Py_ssize_t group
    if sensors == 0:
        raise ValueError("no sensor: gyr has shape (n, 0, 3)")
    cdef char* states = _room(kernel, _groups(kernel, sensors) * kernel.state_size)
    if states == NULL:
        raise MemoryError
    for group in range(_groups(kernel, sensors)):
        kernel.begin(states + group * kernel.state_size, c)
    return states


cdef int _diagonal(int i):
    return i * (i + 1) // 2 + i


cdef class Samples:
    """One call's arrays, checked, and where the kernel finds them."""

    cdef orientation_samples c
    cdef int _dimensions
    cdef tuple _kept

    def __cinit__(self, gyr, acc, mag, valid, saturated, still, int block):
        """`block` is 1 for arrays that begin with the axis of samples, 0 for one sample."""
        cdef cnp.ndarray rates = _readings(gyr, "gyr", block)
        cdef cnp.ndarray forces = _readings(acc, "acc", block)
        cdef cnp.ndarray fields = None if mag is None else _readings(mag, "mag", block)
        self._dimensions = cnp.PyArray_NDIM(rates)
        _same_shape(forces, rates, "acc")
        if fields is not None:
            _same_shape(fields, rates, "mag")
        self.c.n = cnp.PyArray_DIM(rates, 0) if block else 1
        self.c.k = cnp.PyArray_DIM(rates, block) if self._dimensions == block + 2 else 1
        self.c.gyr = <const double*>cnp.PyArray_DATA(rates)
        self.c.acc = <const double*>cnp.PyArray_DATA(forces)
        self.c.mag = NULL
        if fields is not None:
            self.c.mag = <const double*>cnp.PyArray_DATA(fields)
        flags = (None, None, None)
        if valid is not None or saturated is not None or still is not None:
            flags = tuple(
                None if x is None else _flags(x, rates, name)
                for x, name in ((valid, "valid"), (saturated, "saturated"), (still, "still"))
            )
        self.c.valid = _bytes(flags[0])
        self.c.saturated = _bytes(flags[1])
        self.c.still = _bytes(flags[2])
        # Copies made above must outlive the kernel's work on them.
        self._kept = (rates, forces, fields, flags)

    cdef cnp.ndarray room(self):
        """An array for the quaternions of these samples."""
        cdef cnp.npy_intp shape[3]
        cdef int i
        cdef cnp.ndarray rates = self._kept[0]
        for i in range(self._dimensions - 1):
            shape[i] = cnp.PyArray_DIM(rates, i)
        shape[self._dimensions - 1] = 4
        return cnp.PyArray_EMPTY(self._dimensions, shape, cnp.NPY_DOUBLE, 0)


cdef cnp.ndarray _readings(x, name, int block):
    """The array itself where it is what the kernel reads, a contiguous copy of any other."""
    if not isinstance(x, np.ndarray) or cnp.PyArray_TYPE(x) != cnp.NPY_DOUBLE:
        found = x.dtype if isinstance(x, np.ndarray) else type(x).__name__
        raise TypeError(f"{name} is {found}, expected an array of float64")
    cdef cnp.ndarray array = x
    cdef int dimensions = cnp.PyArray_NDIM(array)
    if not block < dimensions < block + 3 or cnp.PyArray_DIM(array, dimensions - 1) != 3:
        expected = "(n, 3) or (n, k, 3)" if block else "(3,) or (k, 3)"
        raise ValueError(f"{name} has shape {x.shape}, expected {expected}")
    return array if cnp.PyArray_ISCARRAY_RO(array) else np.array(array, dtype=np.float64, order="C")


cdef int _same_shape(cnp.ndarray x, cnp.ndarray like, name) except -1:
    cdef int i, same = cnp.PyArray_NDIM(x) == cnp.PyArray_NDIM(like)
    for i in range(cnp.PyArray_NDIM(x)):
        same = same and cnp.PyArray_DIM(x, i) == cnp.PyArray_DIM(like, i)
    if not same:
        raise ValueError(f"{name} has shape {(<object>x).shape}, expected {(<object>like).shape} as gyr")
    return 0


cdef cnp.ndarray _flags(x, cnp.ndarray like, name):
    """One flag a sample and sensor, contiguous."""
    expected = (<object>like).shape[: cnp.PyArray_NDIM(like) - 1]
    if not isinstance(x, np.ndarray) or x.dtype != np.bool_:
        found = x.dtype if isinstance(x, np.ndarray) else type(x).__name__
        raise TypeError(f"{name} is {found}, expected an array of bool")
    if x.shape != expected:
        raise ValueError(f"{name} has shape {x.shape}, expected {expected}")
    return np.ascontiguousarray(x)


cdef const unsigned char* _bytes(cnp.ndarray flags):
    if flags is None:
        return NULL
    return <const unsigned char*>cnp.PyArray_DATA(flags)
