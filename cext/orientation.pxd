"""The C core of the orientation filter (orientation_kernel.h), for compiled modules."""

cdef extern from "orientation_kernel.h" nogil:
    enum:
        STATES
        TURN
        FIELDS

    struct orientation_parameters:
        pass

    struct orientation_coefficients:
        int step_samples

    struct orientation_samples:
        ptrdiff_t n
        ptrdiff_t k
        const double* gyr
        const double* acc
        const double* mag
        const unsigned char* valid
        const unsigned char* saturated
        const unsigned char* still

    struct orientation_kernel:
        ptrdiff_t lanes
        size_t alignment
        size_t state_size
        size_t record_size
        size_t adjoint_size
        void (*begin)(void* state, const orientation_coefficients* c) noexcept nogil
        ptrdiff_t (*run)(
            void* state,
            const orientation_coefficients* c,
            const orientation_samples* samples,
            ptrdiff_t first,
            ptrdiff_t start,
            ptrdiff_t stop,
            double* quaternions,
            void* records,
        ) noexcept nogil
        void (*look_back)(
            const orientation_coefficients* c,
            const void* records,
            ptrdiff_t count,
            ptrdiff_t k,
            ptrdiff_t first,
            ptrdiff_t start,
            double* quaternions,
            void* adjoint,
        ) noexcept nogil

    void orientation_prepare(
        orientation_coefficients* c, const orientation_parameters* p, double rate_hz
    )
    const orientation_kernel* orientation_kernel_for(ptrdiff_t sensors)
