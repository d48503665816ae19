"""Reference firmware of a serial node: MicroPython on an RP2040 with an LSM6DSOX over I2C.

Copy this one file to the board as main.py. Wires (Raspberry Pi Pico): sensor SDA to GP4, SCL to GP5,
INT1 to GP6, 3V3 and GND; the LED of the board blinks when the host asks. USB carries the protocol
(docs/protocol.md of Evenstride). Everything but `run` is free of hardware and tested on a computer.
"""

import binascii
import json
import struct
import time

PROTOCOL = 1
HELLO, DATA, SYNC, STATUS = 0x01, 0x02, 0x03, 0x04
ASK_HELLO, ASK_SYNC, BLINK, ASSIGN = 0x81, 0x83, 0x85, 0x86
OVERRUN = 0x02
UNKNOWN = 0xFFFFFFFFFFFFFFFF
TICK_BITS = 30  # MicroPython's ticks_us wraps there
TICK_MASK = (1 << TICK_BITS) - 1
SAMPLES_PER_PACKET = 10
STATE_FILE = "node.json"


# ---- packets ---------------------------------------------------------------------------------


def cobs_encode(data):
    """Free bytes of zeros; the delimiter is not added."""
    out = bytearray([0])
    code_at = 0
    for i, byte in enumerate(data):
        if byte:
            out.append(byte)
            if len(out) - code_at < 255 or i + 1 == len(data):
                continue
        out[code_at] = len(out) - code_at
        code_at = len(out)
        out.append(0)
    out[code_at] = len(out) - code_at
    return out


def cobs_decode(data):
    """Undo `cobs_encode`; None where a code byte points past the end."""
    out = bytearray()
    i = 0
    while i < len(data):
        code = data[i]
        if code == 0 or i + code > len(data):
            return None
        out += data[i + 1 : i + code]
        i += code
        if code < 255 and i < len(data):
            out.append(0)
    return out


def encode_packet(body):
    """Add the checksum, free of zeros, end with the delimiter."""
    return bytes(cobs_encode(body + struct.pack("<I", binascii.crc32(body)))) + b"\0"


def decode_packet(piece):
    """Body of what stood between two delimiters, None where it is damaged."""
    checked = cobs_decode(piece)
    if checked is None or len(checked) < 8:
        return None
    body = bytes(checked[:-4])
    return body if struct.unpack("<I", bytes(checked[-4:]))[0] == binascii.crc32(body) else None


# ---- time of samples -------------------------------------------------------------------------


class SampleTimer:
    """Ticks of samples from the interrupts that some of them raised.

    The chip samples on a clock of its own, up to several per cent off. Each interrupt tells the
    ticks of one numbered sample, some tens of microseconds late; an alpha-beta filter (1/10 and
    1/200) follows both the time of the samples and the period between them. All in integers, 65536
    to a tick: floats have 24 bits on this board, too few for a counter of 30.
    """

    ONE = 1 << 16
    WRAP = ONE << TICK_BITS

    def __init__(self, rate_hz):
        self.period = 1000000 * self.ONE // rate_hz
        self._number = None
        self._at = 0

    @property
    def period_q8(self):
        """Period in ticks, times 256, as packets tell it."""
        return self.period >> 8

    def mark(self, number, ticks):
        """Tell that sample `number` was taken at `ticks` (wrapping)."""
        told = ticks * self.ONE
        if self._number is None:
            self._number, self._at = number, told
            return
        steps = number - self._number
        predicted = self._at + steps * self.period
        error = (told - predicted + self.WRAP // 2) % self.WRAP - self.WRAP // 2
        self._number = number
        # A jump of more than a sample is no jitter: numbers were lost. Begin anew from here.
        if abs(error) > self.period:
            self._at = told
            return
        if steps > 0:
            self.period += error // (200 * steps)
        self._at = (predicted + error // 10) % self.WRAP

    def at(self, number):
        """Ticks of a sample."""
        if self._number is None:
            return 0
        return (self._at + (number - self._number) * self.period) % self.WRAP // self.ONE

    def passed(self, number, ticks):
        """How many samples came after `number` up to `ticks`."""
        return ((ticks - self.at(number)) & TICK_MASK) * self.ONE // self.period


# ---- the node --------------------------------------------------------------------------------


class Node:
    """What the node says and answers. `ticks` gives the counter, `write` sends bytes."""

    def __init__(self, ticks, write, state, uid, last_boot_samples, keep, blink):
        self.timer = SampleTimer(RATE_HZ)
        self.next_sample = 0
        self.overrun_samples = 0
        self.bad_packets = 0
        self.temperature_cdeg = 0
        self._ticks = ticks
        self._write = write
        self._state = state
        self._uid = uid
        self._last_boot_samples = last_boot_samples
        self._keep = keep
        self._blink = blink
        self._held = bytearray()
        self._flags = 0

    def hello(self):
        """Say who this node is."""
        texts = ("LSM6DSOX", "micropython1", self._name(), self._state["segment"])
        chip, firmware, name, segment = [text.encode() for text in texts]
        self._send(
            HELLO,
            self.next_sample,
            struct.pack(
                "<BBBBIIIQQfffHHHI8s12s12s16s16s",
                PROTOCOL,
                TICK_BITS,
                6,
                0,
                1000000,
                RATE_HZ * 1000,
                self._state["boot"],
                self.next_sample,
                self._last_boot_samples,
                GYR_SCALE,
                ACC_SCALE,
                1.0,
                32767,
                32767,
                32767,
                0,
                self._uid,
                chip,
                firmware,
                name,
                segment,
            ),
        )

    def samples(self, readings):
        """Send samples (12 bytes each: angular rate, specific force)."""
        size = 12 * SAMPLES_PER_PACKET
        for first in range(0, len(readings), size):
            part = bytes(readings[first : first + size])
            count = len(part) // 12
            start = self.timer.at(self.next_sample)
            fields = struct.pack("<QIB", start, self.timer.period_q8, count)
            self._send(DATA, self.next_sample, fields + part, self._flags)
            self._flags = 0
            self.next_sample += count

    def lose(self, count):
        """Tell that the chip took samples that nobody read in time."""
        self.next_sample += count
        self.overrun_samples += count
        self._flags = OVERRUN

    def status(self):
        """Say how this node fares."""
        fields = (
            self.next_sample,
            self.overrun_samples,
            self.bad_packets,
            self.temperature_cdeg,
            0,
        )
        self._send(STATUS, self.next_sample, struct.pack("<QIIhH", *fields))

    def hear(self, data):
        """Take bytes of the host and answer."""
        for byte in data:
            if byte:
                if len(self._held) < 64:  # no question is longer
                    self._held.append(byte)
                continue
            received = self._ticks()
            piece, self._held = self._held, bytearray()
            if piece:
                self._answer(decode_packet(piece), received)

    def _answer(self, body, received):
        kind = body[0] if body else None
        if kind == ASK_SYNC and len(body) == 24:
            nonce = struct.unpack_from("<I", body, 4)[0]
            self._send(SYNC, 0, struct.pack("<IQQ", nonce, received, self._ticks()))
        elif kind == ASK_HELLO and len(body) == 4:
            self.hello()
        elif kind == ASSIGN and len(body) == 20:
            self._state["segment"] = body[4:].split(b"\0")[0].decode()
            self._keep(self._state)
            self.hello()
        elif kind == BLINK and len(body) == 5:
            self._blink(body[4])
        else:
            self.bad_packets += 1

    def _send(self, kind, number, fields, flags=0):
        head = struct.pack(
            "<BBH", kind, flags | (self._state["boot"] & 15) << 4, number & 0xFFFF
        )
        self._write(encode_packet(head + fields))

    def _name(self):
        return "node-" + binascii.hexlify(self._uid[-3:]).decode()


# ---- LSM6DSOX (data sheet DocID031853, section 9) --------------------------------------------

ADDRESS = 0x6A
INT1_CTRL, WHO_AM_I, CTRL1_XL, CTRL2_G, CTRL3_C = 0x0D, 0x0F, 0x10, 0x11, 0x12
FIFO_CTRL1, FIFO_CTRL3, FIFO_CTRL4 = 0x07, 0x09, 0x0A
OUT_TEMP, FIFO_STATUS1, FIFO_TAG = 0x20, 0x3A, 0x78
RATE_HZ = 208
GYR_SCALE = 70e-3 * 3.14159265358979 / 180  # 2000 deg/s: 70 mdps a reading
ACC_SCALE = 0.488e-3 * 9.80665  # 16 g: 0.488 mg a reading
SETTINGS = (
    (CTRL3_C, 0x44),  # block data update, address counts on
    (FIFO_CTRL4, 0x00),  # empties the FIFO
    (CTRL1_XL, 0x54),  # 208 Hz, 16 g
    (CTRL2_G, 0x5C),  # 208 Hz, 2000 deg/s
    (FIFO_CTRL1, 2 * SAMPLES_PER_PACKET),  # watermark, in words
    (FIFO_CTRL3, 0x55),  # both into the FIFO at 208 Hz
    (INT1_CTRL, 0x08),  # watermark on INT1
    (FIFO_CTRL4, 0x06),  # continuous
)
TAG_GYR, TAG_ACC = 1, 2


def pairs(words):
    """Join the two words (7 bytes) of each time slot into a sample (12), in whatever order they come.

    Returns the samples, and a last word whose partner has not come: it belongs before the next
    words. Lonely words before that are of the accelerometer, which wakes first; they are left out.
    """
    samples = bytearray()
    held = None
    for at in range(0, len(words), 7):
        tag, slot = words[at] >> 3, words[at] >> 1 & 3
        if tag != TAG_GYR and tag != TAG_ACC:
            continue
        if held is not None and held[0] != tag and held[1] == slot:
            word, partner = words[at + 1 : at + 7], words[held[2] + 1 : held[2] + 7]
            samples += word + partner if tag == TAG_GYR else partner + word
            held = None
        else:
            held = tag, slot, at
    return samples, b"" if held is None else words[held[2] : held[2] + 7]


def run():
    """Run on the board for ever."""
    import sys

    import machine
    import micropython
    import select

    micropython.kbd_intr(-1)  # a byte 0x03 is data here, not Ctrl-C
    led = machine.Pin("LED", machine.Pin.OUT)
    bus = machine.I2C(0, sda=machine.Pin(4), scl=machine.Pin(5), freq=400000)
    edges = []

    def watermark(_):
        edges.append(time.ticks_us())

    while bus.readfrom_mem(ADDRESS, WHO_AM_I, 1)[0] != 0x6C:
        led.toggle()  # quick blinking: no LSM6DSOX answers, look at the wires
        time.sleep_ms(100)

    try:
        with open(STATE_FILE) as file:
            state = json.load(file)
    except (OSError, ValueError):
        state = {"boot": 0, "segment": ""}
    state["boot"] += 1

    def keep(state):
        with open(STATE_FILE, "w") as file:
            json.dump(state, file)

    keep(state)
    # Watchdog scratch registers 0 to 2 live through a reset, not through a power cut (RP2040 data
    # sheet, 4.7.6): the boot that wrote them, then its samples.
    scratch = 0x4005800C
    memory = machine.mem32
    former = UNKNOWN
    if memory[scratch] & 0xFFFFFFFF == 0x45560000 | (state["boot"] - 1) & 0xFFFF:
        former = (memory[scratch + 8] & 0xFFFFFFFF) << 32 | memory[scratch + 4] & 0xFFFFFFFF

    blinks_until = [time.ticks_ms()]

    def blink(seconds):
        blinks_until[0] = time.ticks_add(time.ticks_ms(), 1000 * seconds)

    node = Node(
        time.ticks_us, sys.stdout.buffer.write, state, machine.unique_id(), former, keep, blink
    )
    for register, value in SETTINGS:
        bus.writeto_mem(ADDRESS, register, bytes([value]))
    pin = machine.Pin(6, machine.Pin.IN)
    pin.irq(watermark, machine.Pin.IRQ_RISING)
    poll = select.poll()
    poll.register(sys.stdin, select.POLLIN)

    sys.stdout.buffer.write(b"\0")
    node.hello()
    status_at = time.ticks_ms()
    rest = b""
    lit = 0
    while True:
        now = time.ticks_ms()
        shall = now >> 7 & 1 if time.ticks_diff(blinks_until[0], now) > 0 else 0
        if shall != lit:  # the LED of a Pico W is slow to reach
            lit = shall
            led.value(lit)
        while poll.poll(1):
            node.hear(sys.stdin.buffer.read(1))
        level, flags = bus.readfrom_mem(ADDRESS, FIFO_STATUS1, 2)
        level |= (flags & 3) << 8
        if flags & 0x40:
            # Overrun: how many are gone, the clock tells; what is left is not contiguous.
            bus.writeto_mem(ADDRESS, FIFO_CTRL4, b"\x00")
            bus.writeto_mem(ADDRESS, FIFO_CTRL4, b"\x06")
            rest = b""
            edges.clear()
            node.lose(node.timer.passed(node.next_sample, time.ticks_us()) + 1)
        elif level >= 2 * SAMPLES_PER_PACKET:
            if edges:
                # At the edge the FIFO held the watermark: the last of these samples raised it.
                edge = edges.pop()
                edges.clear()
                node.timer.mark(node.next_sample + SAMPLES_PER_PACKET - 1, edge)
            words = bus.readfrom_mem(ADDRESS, FIFO_TAG, 7 * 2 * SAMPLES_PER_PACKET)
            samples, rest = pairs(rest + words)
            node.samples(samples)
            memory[scratch] = 0x45560000 | state["boot"] & 0xFFFF
            memory[scratch + 4] = node.next_sample & 0xFFFFFFFF
            memory[scratch + 8] = node.next_sample >> 32
        if time.ticks_diff(time.ticks_ms(), status_at) >= 1000:
            status_at = time.ticks_ms()
            raw = struct.unpack("<h", bus.readfrom_mem(ADDRESS, OUT_TEMP, 2))[0]
            node.temperature_cdeg = 2500 + raw * 100 // 256
            node.status()


if __name__ == "__main__":
    run()
