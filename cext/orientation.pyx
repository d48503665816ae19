"""The Python face of the orientation filter: shapes checked here, the work done in C."""

from cpython.mem cimport PyMem_Calloc, PyMem_Free
from dataclasses import astuple

import numpy as np

cimport numpy as cnp

from cext.orientation_parameters import OrientationParameters

cnp.import_array()

# The fields of `struct orientation_state`, in its order, each float64.
STATE = np.dtype(
    [
        ("q_sensor_to_earth", "f8", (4,)),
        ("gyr_bias", "f8", (3,)),
        ("gyr_mismatch", "f8", (3, 3)),
        ("velocity", "f8", (2,)),
        ("position", "f8", (2,)),
        ("covariance", "f8", (190,)),
        ("samples", "f8"),
        ("sum_rotation", "f8", (3, 3)),
        ("sum_rotation_rate", "f8", (27,)),
        ("sum_force", "f8", (3,)),
        ("sum_field", "f8", (3,)),
        ("sum_rate2", "f8"),
        ("n_force", "f8"),
        ("n_field", "f8"),
        ("lost_turn2", "f8"),
        ("largest_gyr2", "f8"),
        ("largest_acc2", "f8"),
        ("started", "f8"),
        ("rate", "f8", (3,)),
        ("gap_s", "f8"),
        ("slow_gyr", "f8", (3,)),
        ("slow_acc", "f8", (3,)),
        ("wander2", "f8"),
        ("rest_s", "f8"),
        ("rested", "f8"),
        ("field_norm", "f8"),
        ("field_dip", "f8"),
        ("field_s", "f8"),
        ("field_odd_s", "f8"),
    ]
)
if STATE.itemsize * LANES != sizeof(orientation_state):
    raise ImportError("cext.orientation and its C core do not belong together: build again")

cdef enum:
    TURN = 12  # place of the turn in the error state


cdef class OrientationFilter:
    cdef orientation_coefficients _coefficients
    cdef orientation_state* _groups
    cdef Py_ssize_t _sensors
    cdef readonly double rate_hz
    cdef readonly object parameters

    def __cinit__(self, rate_hz, parameters=None):
        self._groups = NULL
        self._sensors = 0

    def __init__(self, rate_hz, parameters=None):
        cdef orientation_parameters p
        if not 0.0 < rate_hz < float("inf"):
            raise ValueError(f"rate_hz is {rate_hz}, expected a positive number")
        self.rate_hz = rate_hz
        self.parameters = OrientationParameters() if parameters is None else parameters
        values = astuple(self.parameters)
        if len(values) * sizeof(double) != sizeof(orientation_parameters):
            raise TypeError("parameters are not an OrientationParameters record")
        for i, value in enumerate(values):
            (<double*>&p)[<Py_ssize_t>i] = value
        orientation_prepare(&self._coefficients, &p, rate_hz)

    def __dealloc__(self):
        PyMem_Free(self._groups)

    def update(self, gyr, acc, mag=None):
        return self.update_block(
            np.asarray(gyr)[None], np.asarray(acc)[None], None if mag is None else np.asarray(mag)[None]
        )[0]

    def update_block(self, gyr, acc, mag=None, *, valid=None, saturated=None):
        cdef orientation_samples samples
        cdef cnp.ndarray rates = _readings(gyr, "gyr")
        cdef cnp.ndarray forces = _readings(acc, "acc")
        cdef cnp.ndarray fields, flags, clipped, out
        cdef Py_ssize_t group
        cdef double* quaternions
        cdef int dimensions = cnp.PyArray_NDIM(rates)
        samples.n = cnp.PyArray_DIM(rates, 0)
        samples.k = cnp.PyArray_DIM(rates, 1) if dimensions == 3 else 1
        _same_shape(forces, rates, "acc", dimensions)
        samples.gyr = <const double*>cnp.PyArray_DATA(rates)
        samples.acc = <const double*>cnp.PyArray_DATA(forces)
        samples.mag = NULL
        samples.valid = NULL
        samples.saturated = NULL
        if mag is not None:
            fields = _readings(mag, "mag")
            _same_shape(fields, rates, "mag", dimensions)
            samples.mag = <const double*>cnp.PyArray_DATA(fields)
        if valid is not None:
            flags = _flags(valid, rates, "valid")
            samples.valid = <const unsigned char*>cnp.PyArray_DATA(flags)
        if saturated is not None:
            clipped = _flags(saturated, rates, "saturated")
            samples.saturated = <const unsigned char*>cnp.PyArray_DATA(clipped)
        self._seat(samples.k)
        cdef cnp.npy_intp shape[3]
        shape[0] = samples.n
        shape[1] = samples.k if dimensions == 3 else 4
        shape[2] = 4
        out = cnp.PyArray_EMPTY(dimensions, shape, cnp.NPY_DOUBLE, 0)
        quaternions = <double*>cnp.PyArray_DATA(out)
        with nogil:
            for group in range((samples.k + LANES - 1) // LANES):
                orientation_run(
                    &self._groups[group], &self._coefficients, &samples, group * LANES, quaternions
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
            table[j] = self._lanes(j // LANES)[:, j % LANES]
        return table.view(STATE)[:, 0]

    @state.setter
    def state(self, state):
        cdef Py_ssize_t j
        if not isinstance(state, np.ndarray) or state.dtype != STATE or state.ndim != 1:
            raise TypeError("state is not what OrientationFilter.state gave")
        self._seat(len(state))
        table = np.ascontiguousarray(state).view(np.float64).reshape(len(state), -1)
        for j in range((self._sensors + LANES - 1) // LANES * LANES):
            # Lanes beyond the last sensor repeat it, as the kernel does.
            self._lanes(j // LANES)[:, j % LANES] = table[min(j, self._sensors - 1)]

    @property
    def gyr_bias(self):
        return self.state["gyr_bias"]

    @property
    def inclination_sd(self):
        covariance = self.state["covariance"]
        return np.sqrt(sum(covariance[:, _diagonal(i)] for i in (TURN, TURN + 1)))

    @property
    def heading_sd(self):
        return np.sqrt(self.state["covariance"][:, _diagonal(TURN + 2)])

    cdef int _seat(self, Py_ssize_t sensors) except -1:
        """Make room for the sensors of the first call; later calls must bring as many."""
        cdef Py_ssize_t group, groups = (sensors + LANES - 1) // LANES
        if self._groups != NULL:
            if sensors != self._sensors:
                raise ValueError(f"{sensors} sensors, expected {self._sensors} as before")
            return 0
        if sensors == 0:
            raise ValueError("no sensor: gyr has shape (n, 0, 3)")
        self._groups = <orientation_state*>PyMem_Calloc(groups, sizeof(orientation_state))
        if self._groups == NULL:
            raise MemoryError
        self._sensors = sensors
        for group in range(groups):
            orientation_begin(&self._groups[group], &self._coefficients)
        return 0

    cdef _lanes(self, Py_ssize_t group):
        """One group's state as an array (numbers of a sensor, LANES), a view."""
        cdef Py_ssize_t rows = sizeof(orientation_state) // (LANES * sizeof(double))
        return np.asarray(<double[:rows, :LANES]><double*>&self._groups[group])


def smooth_orientation(rate_hz, gyr, acc, mag=None, *, valid=None, saturated=None, parameters=None):
    return OrientationFilter(rate_hz, parameters).update_block(
        gyr, acc, mag, valid=valid, saturated=saturated
    )


cdef int _diagonal(int i):
    return i * (i + 1) // 2 + i


cdef cnp.ndarray _readings(x, name):
    """The array itself where it is what the kernel reads, a contiguous copy of any other."""
    if not isinstance(x, np.ndarray) or cnp.PyArray_TYPE(x) != cnp.NPY_DOUBLE:
        found = x.dtype if isinstance(x, np.ndarray) else type(x).__name__
        raise TypeError(f"{name} is {found}, expected an array of float64")
    cdef cnp.ndarray array = x
    cdef int dimensions = cnp.PyArray_NDIM(array)
    if dimensions not in (2, 3) or cnp.PyArray_DIM(array, dimensions - 1) != 3:
        raise ValueError(f"{name} has shape {x.shape}, expected (n, 3) or (n, k, 3)")
    return array if cnp.PyArray_IS_C_CONTIGUOUS(array) else np.ascontiguousarray(array)


cdef int _same_shape(cnp.ndarray x, cnp.ndarray like, name, int dimensions) except -1:
    cdef int i, same = cnp.PyArray_NDIM(x) == dimensions
    for i in range(dimensions):
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
