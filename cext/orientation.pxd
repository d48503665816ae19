"""The C core of the orientation filter (orientation_kernel.h), for compiled modules."""

cdef extern from "orientation_kernel.h" nogil:
    enum:
        LANES
        LANES_ALIGNMENT
        STATES
        TURN

    ctypedef double lanes[LANES]

    struct orientation_parameters:
        pass

    struct orientation_coefficients:
        int step_samples

    struct orientation_state:
        pass

    struct orientation_record:
        pass

    struct orientation_samples:
        ptrdiff_t n
        ptrdiff_t k
        const double* gyr
        const double* acc
        const double* mag
        const unsigned char* valid
        const unsigned char* saturated
        const unsigned char* still

    void orientation_prepare(
        orientation_coefficients* c, const orientation_parameters* p, double rate_hz
    )
    void orientation_begin(orientation_state* s, const orientation_coefficients* c)
    ptrdiff_t orientation_run(
        orientation_state* s,
        const orientation_coefficients* c,
        const orientation_samples* samples,
        ptrdiff_t first,
        ptrdiff_t start,
        ptrdiff_t stop,
        double* quaternions,
        orientation_record* records,
    )
    void orientation_look_back(
        const orientation_coefficients* c,
        const orientation_record* records,
        ptrdiff_t count,
        ptrdiff_t k,
        ptrdiff_t first,
        ptrdiff_t start,
        double* quaternions,
        lanes* adjoint,
        lanes* later,
    )
