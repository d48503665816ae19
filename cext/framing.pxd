from libc.stdint cimport uint32_t

cdef uint32_t crc32_of(const unsigned char* data, Py_ssize_t length) noexcept nogil
cdef Py_ssize_t cobs_decode_into(
    const unsigned char* source, Py_ssize_t length, unsigned char* target
) noexcept nogil
