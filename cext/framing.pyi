"""COBS and CRC-32: bytes of a line in, verified packet bodies out."""

from typing_extensions import Buffer

def crc32(data: Buffer) -> int:
    """CRC-32 of ISO/IEC 8802-3, equal to `zlib.crc32`."""

def cobs_encode(data: Buffer) -> bytes:
    """Free bytes of zeros by COBS and end them with the delimiter 0x00."""

def cobs_decode(data: Buffer) -> bytes | None:
    """Undo `cobs_encode` (without the delimiter); None where a code byte points past the end."""

def encode_packet(body: Buffer) -> bytes:
    """Add the CRC-32 (little-endian) to a body, free it of zeros, end it with the delimiter.

    Raises
    ------
    ValueError
        If the body is empty or longer than 1024 bytes (docs/protocol.md, "Limits").
    """

class PacketParser:
    """Cuts a stream of bytes into verified packet bodies. Never raises on any bytes.

    Attributes
    ----------
    bytes_received, packets : int
        All bytes fed, and the packets accepted.
    bad_stuffing, bad_checksum, too_long, too_short : int
        Pieces between two delimiters that were rejected, by the first reason found.
    rejected : int
        Their sum.
    """

    bytes_received: int
    packets: int
    bad_stuffing: int
    bad_checksum: int
    too_long: int
    too_short: int

    @property
    def rejected(self) -> int: ...
    def feed(self, data: Buffer) -> list[bytes]:
        """Take the next bytes of the line, in any portions; return the bodies that ended in them.

        Returns
        -------
        list of bytes
            Decoded bodies without their checksum, in the order of the line.
        """

    def reset(self) -> None:
        """Forget a piece begun, as after a port was opened anew. Counters go on."""
