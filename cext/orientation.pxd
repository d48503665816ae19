"""The C core of the orientation filter (orientation_kernel.h), for compiled modules."""

cdef extern from "orientation_kernel.h" nogil:
    enum:
        LANES

    struct orientation_parameters:
        pass

    struct orientation_coefficients:
        pass

    struct orientation_state:
        pass

    struct orientation_samples:
        ptrdiff_t n
        ptrdiff_t k
        const double* gyr
        const double* acc
        const double* mag
        const unsigned char* valid
        const unsigned char* saturated

    void orientation_prepare(
        orientation_coefficients* c, const orientation_parameters* p, double rate_hz
    )
    void orientation_begin(orientation_state* s, const orientation_coefficients* c)
    void orientation_run(
        orientation_state* s,
        const orientation_coefficients* c,
        const orientation_samples* samples,
        ptrdiff_t first,
        double* quaternions,
    )
