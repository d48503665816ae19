"""COBS and CRC-32: bytes of a line in, verified packet bodies out.

Strategy: the line is cut at its zero bytes, which COBS keeps free for that purpose. Each piece is
decoded, its last four bytes are compared with the CRC-32 of the rest, and only a piece that agrees
is handed on. Everything else is counted. A torn or garbled stretch therefore costs the pieces it
touches and nothing after the next zero byte.

COBS: S. Cheshire and M. Baker, "Consistent Overhead Byte Stuffing", IEEE/ACM Trans. Networking 7(2),
1999. CRC-32: the polynomial 0x04C11DB7 reflected (ISO/IEC 8802-3), as `zlib.crc32`; eight bytes at
a time after M. Kounavis and F. Berry, "A Systematic Approach to Building High Performance
Software-based CRC Generators", ISCC 2005 ("slicing-by-8").
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memchr, memcpy

# No node sends a longer body (docs/protocol.md, "Limits"): what is longer has lost its delimiter.
cdef enum:
    MAX_BODY = 1024
    # The body, its checksum of four, and a code byte for each of the five 254 bytes begun. Written
    # out: with Cython's checked division (`make check-safe`) a quotient is no constant.
    MAX_ENCODED = MAX_BODY + 4 + 5
    CHECKSUM = 4

cdef uint32_t table[8][256]


cdef void fill_table() noexcept:
    cdef uint32_t crc
    cdef int i, bit, k
    for i in range(256):
        crc = i
        for bit in range(8):
            crc = (crc >> 1) ^ (0xEDB88320u if crc & 1 else 0)
        table[0][i] = crc
    for i in range(256):
        for k in range(1, 8):
            table[k][i] = (table[k - 1][i] >> 8) ^ table[0][table[k - 1][i] & 0xFF]


fill_table()


cdef uint32_t crc32_of(const unsigned char* data, Py_ssize_t length) noexcept nogil:
    cdef uint32_t crc = 0xFFFFFFFFu
    while length >= 8:
        # Bytes are put together by hand: the result is the same on machines of either byte order.
        crc ^= data[0] | (<uint32_t>data[1] << 8) | (<uint32_t>data[2] << 16) \
            | (<uint32_t>data[3] << 24)
        crc = (
            table[7][crc & 0xFF] ^ table[6][(crc >> 8) & 0xFF]
            ^ table[5][(crc >> 16) & 0xFF] ^ table[4][crc >> 24]
            ^ table[3][data[4]] ^ table[2][data[5]] ^ table[1][data[6]] ^ table[0][data[7]]
        )
        data += 8
        length -= 8
    while length > 0:
        crc = (crc >> 8) ^ table[0][(crc ^ data[0]) & 0xFF]
        data += 1
        length -= 1
    return crc ^ 0xFFFFFFFFu


cdef Py_ssize_t cobs_decode_into(
    const unsigned char* source, Py_ssize_t length, unsigned char* target
) noexcept nogil:
    """Decode one piece without its delimiter; -1 where a code byte points past the end."""
    cdef Py_ssize_t i = 0, o = 0, run
    while i < length:
        run = source[i] - 1
        if run < 0 or i + 1 + run > length:
            return -1
        memcpy(target + o, source + i + 1, run)
        o += run
        i += run + 1
        if run < 254 and i < length:
            target[o] = 0
            o += 1
    return o


cdef Py_ssize_t cobs_encode_into(
    const unsigned char* source, Py_ssize_t length, unsigned char* target
) noexcept nogil:
    """Encode and end with the delimiter; `target` holds `length + length // 254 + 2` bytes."""
    cdef Py_ssize_t i, code_at = 0, o = 1
    for i in range(length):
        if source[i] == 0:
            target[code_at] = o - code_at
            code_at = o
            o += 1
            continue
        target[o] = source[i]
        o += 1
        # A full run stands for no zero; it is closed only when more follows.
        if o - code_at == 255 and i + 1 < length:
            target[code_at] = 255
            code_at = o
            o += 1
    target[code_at] = o - code_at
    target[o] = 0
    return o + 1


def crc32(const unsigned char[::1] data not None):
    return crc32_of(&data[0], data.shape[0]) if data.shape[0] else 0


def cobs_encode(const unsigned char[::1] data not None):
    cdef Py_ssize_t length = data.shape[0]
    encoded = PyBytes_FromStringAndSize(NULL, length + length // 254 + 2)
    cdef unsigned char* target = <unsigned char*>PyBytes_AS_STRING(encoded)
    cdef Py_ssize_t written = cobs_encode_into(&data[0] if length else NULL, length, target)
    return encoded[:written]


def cobs_decode(const unsigned char[::1] data not None):
    cdef Py_ssize_t length = data.shape[0]
    if length == 0:
        return None
    decoded = PyBytes_FromStringAndSize(NULL, length)
    cdef Py_ssize_t written = cobs_decode_into(
        &data[0], length, <unsigned char*>PyBytes_AS_STRING(decoded)
    )
    return decoded[:written] if written >= 0 else None


def encode_packet(const unsigned char[::1] body not None):
    cdef Py_ssize_t length = body.shape[0]
    if not 0 < length <= MAX_BODY:
        raise ValueError(f"a packet body has 1 to {MAX_BODY} bytes, this one {length}")
    cdef unsigned char checked[MAX_BODY + CHECKSUM]
    cdef unsigned char encoded[MAX_ENCODED + 1]
    cdef uint32_t crc = crc32_of(&body[0], length)
    cdef int i
    memcpy(checked, &body[0], length)
    for i in range(CHECKSUM):
        checked[length + i] = (crc >> (8 * i)) & 0xFF
    cdef Py_ssize_t written = cobs_encode_into(checked, length + CHECKSUM, encoded)
    return PyBytes_FromStringAndSize(<char*>encoded, written)


cdef class PacketParser:
    """Cuts a stream of bytes into verified packet bodies."""

    cdef unsigned char pending[MAX_ENCODED]
    cdef unsigned char decoded[MAX_ENCODED]
    cdef Py_ssize_t held
    cdef bint overlong
    cdef readonly uint64_t bytes_received, packets, bad_stuffing, bad_checksum, too_long, too_short

    def feed(self, const unsigned char[::1] data not None):
        cdef Py_ssize_t length = data.shape[0], start = 0, piece
        cdef const unsigned char* base
        cdef const unsigned char* end
        bodies = []
        if length == 0:
            return bodies
        base = &data[0]
        self.bytes_received += length
        while start < length:
            end = <const unsigned char*>memchr(base + start, 0, length - start)
            piece = (end - base if end is not NULL else length) - start
            if end is NULL:
                self._hold(base + start, piece)
                break
            if self.held == 0 and not self.overlong:
                # The usual case: the whole piece lies in this read and is decoded in place.
                self._finish(base + start, piece, bodies)
            else:
                self._hold(base + start, piece)
                self._finish(self.pending, self.held, bodies)
            self.held = 0
            self.overlong = False
            start += piece + 1
        return bodies

    def reset(self):
        self.held = 0
        self.overlong = False

    @property
    def rejected(self):
        return self.bad_stuffing + self.bad_checksum + self.too_long + self.too_short

    cdef void _hold(self, const unsigned char* source, Py_ssize_t length) noexcept:
        if self.overlong or self.held + length > MAX_ENCODED:
            self.overlong = True
            return
        memcpy(self.pending + self.held, source, length)
        self.held += length

    cdef int _finish(self, const unsigned char* source, Py_ssize_t length, list bodies) except -1:
        cdef Py_ssize_t size
        cdef uint32_t crc
        if self.overlong or length > MAX_ENCODED:
            self.too_long += 1
            return 0
        if length == 0:
            return 0  # an idle line may send delimiters
        size = cobs_decode_into(source, length, self.decoded) - CHECKSUM
        if size == -1 - CHECKSUM:
            self.bad_stuffing += 1
            return 0
        if size < 1:
            self.too_short += 1
            return 0
        crc = self.decoded[size] | (<uint32_t>self.decoded[size + 1] << 8) \
            | (<uint32_t>self.decoded[size + 2] << 16) | (<uint32_t>self.decoded[size + 3] << 24)
        if crc != crc32_of(self.decoded, size):
            self.bad_checksum += 1
            return 0
        self.packets += 1
        bodies.append(PyBytes_FromStringAndSize(<char*>self.decoded, size))
        return 0
