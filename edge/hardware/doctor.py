"""What was seen on a machine in, findings with advice out. Pure: `doctor_look` does the looking.

Each rule is a short function from facts to findings; one that has nothing to look at says nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.operation.lapse import WARN_DAYS, lapse_in_words

from .doctor_nodes import node_findings
from .facts import Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .facts import BusFact, Facts, NodeFact

# Five sensors at 200 Hz take 23 % of a bus at 400 kHz and 92 % of one at 100 kHz.
LEAST_I2C_HZ = 350_000
# A day of recording at 85 MB an hour, archived and live together.
DAY_BYTES = 2_100_000_000
HIGH_LATENCY_MS = 4
HOT_C = 75.0

# Bits of the Pi's firmware (`vcgencmd get_throttled`).
UNDER_VOLTAGE_NOW, UNDER_VOLTAGE_SINCE_BOOT = 1 << 0, 1 << 16
THROTTLED_NOW, THROTTLED_SINCE_BOOT = 1 << 2, 1 << 18


def diagnose(facts: Facts) -> list[Finding]:
    """All findings, in the order in which a technician would look."""
    return [finding for rule in RULES for finding in rule(facts)]


def verdict_of(findings: list[Finding]) -> Verdict:
    """The worst of all."""
    order = list(Verdict)
    return max((finding.verdict for finding in findings), key=order.index, default=Verdict.OK)


def _power(facts: Facts) -> Iterator[Finding]:
    bits = facts.throttled
    if bits is None:
        return
    if bits & UNDER_VOLTAGE_NOW:
        yield Finding(
            "power",
            Verdict.FAULT,
            "the supply is too low now",
            "use the supply made for this Pi and a short thick cable; sensors reset at low voltage",
        )
    elif bits & UNDER_VOLTAGE_SINCE_BOOT:
        yield Finding(
            "power",
            Verdict.WARNING,
            "the supply was too low at some time since the start",
            "try another supply or cable, and look again after a day",
        )
    else:
        yield Finding("power", Verdict.OK, "the supply has held since the start")
    if bits & (THROTTLED_NOW | THROTTLED_SINCE_BOOT):
        yield Finding(
            "processor",
            Verdict.WARNING,
            "it was slowed down by heat or low voltage",
            "give the case air; below 80 degC it runs at full speed",
        )


def _heat(facts: Facts) -> Iterator[Finding]:
    if facts.temperature_c is not None and facts.temperature_c > HOT_C:
        yield Finding(
            "processor",
            Verdict.WARNING,
            f"{facts.temperature_c:.0f} degC",
            "give the case air; at 80 degC it slows down",
        )


def _disk(facts: Facts) -> Iterator[Finding]:
    if not facts.folder:
        return
    if not facts.folder_writable:
        yield Finding(
            "folder",
            Verdict.FAULT,
            f"{facts.folder} cannot be written",
            f"create it for the user of the service: sudo install -d -o evenstride {facts.folder}",
        )
    if facts.free_bytes is None:
        return
    days = facts.free_bytes / DAY_BYTES
    seen = f"{facts.free_bytes / 1e9:.1f} GB are free at {facts.folder}: {days:.1f} days"
    if days < 1:
        yield Finding("disk", Verdict.FAULT, seen, "carry old recordings away, then delete them")
    elif days < 3:
        yield Finding("disk", Verdict.WARNING, seen, "make room before the next long session")
    else:
        yield Finding("disk", Verdict.OK, seen)


def _privacy(facts: Facts) -> Iterator[Finding]:
    if facts.folder_encrypted is None:
        return
    if facts.folder_encrypted:
        yield Finding("privacy", Verdict.OK, f"{facts.folder} lies on an encrypted device")
        return
    yield Finding(
        "privacy",
        Verdict.WARNING,
        f"{facts.folder} lies on a device that is not encrypted: gait tells who somebody is",
        "put it on a LUKS volume or under fscrypt: docs/security.md",
    )


def _wall_clock(facts: Facts) -> Iterator[Finding]:
    if facts.clock_synchronised is None:
        return
    if facts.clock_synchronised:
        yield Finding("wall clock", Verdict.OK, "set by the network")
    else:
        yield Finding(
            "wall clock",
            Verdict.WARNING,
            "not set by the network since the start",
            "connect once, or fit a battery clock; samples keep their order and spacing, only the "
            "date in results is unsure",
        )


def _certificates(facts: Facts) -> Iterator[Finding]:
    for certificate in facts.certificates:
        what, days = f"certificate {certificate.path}", certificate.days_left
        if days is None:
            yield Finding(
                what,
                Verdict.WARNING,
                "when it lapses cannot be told",
                "look whether the file is there and readable, and openssl installed",
            )
        elif days > WARN_DAYS:
            yield Finding(what, Verdict.OK, f"holds for {days:.0f} days")
        else:
            yield Finding(
                what,
                Verdict.WARNING if days > 0.0 else Verdict.FAULT,
                lapse_in_words(days),
                "make a new bundle: evenstride provision edge",
            )


def _ports(facts: Facts) -> Iterator[Finding]:
    for port in facts.ports:
        what = f"port {port.path}"
        if not port.allowed:
            yield Finding(
                what,
                Verdict.FAULT,
                f"{port.description}: this user may not open it",
                "sudo usermod -a -G dialout $USER, then log in again",
            )
        elif port.latency_ms is not None and port.latency_ms > HIGH_LATENCY_MS:
            tty = port.path.rsplit("/", 1)[-1]
            yield Finding(
                what,
                Verdict.WARNING,
                f"{port.description}: holds bytes back for {port.latency_ms} ms: its clock errs",
                f"echo 1 | sudo tee /sys/bus/usb-serial/devices/{tty}/latency_timer",
            )
        else:
            yield Finding(what, Verdict.OK, port.description)
    acm = [port.path for port in facts.ports if "ttyACM" in port.path]
    if facts.modem_manager and acm:
        yield Finding(
            "ModemManager",
            Verdict.WARNING,
            f"it runs, and speaks to {', '.join(acm)} at plug-in",
            "sudo systemctl disable --now ModemManager, or our udev rule with ID_MM_DEVICE_IGNORE",
        )


def _buses(facts: Facts) -> Iterator[Finding]:
    for bus in facts.buses:
        what = f"bus i2c-{bus.number}"
        if not bus.allowed:
            yield Finding(
                what,
                Verdict.FAULT,
                "this user may not open it",
                "sudo usermod -a -G i2c $USER, then log in again",
            )
            continue
        models = {address: f" ({model})" for address, _, model in bus.chips}
        answers = ", ".join(f"0x{at:02x}{models.get(at, '')}" for at in bus.addresses)
        answers = answers or "nothing answers"
        if bus.addresses and bus.speed_hz is not None and bus.speed_hz < LEAST_I2C_HZ:
            yield Finding(
                what,
                Verdict.WARNING,
                f"{bus.speed_hz / 1000:.0f} kHz; {answers}",
                "put dtparam=i2c_arm=on,i2c_arm_baudrate=400000 into /boot/firmware/config.txt "
                "and restart",
            )
        else:
            yield from _not_configured(bus, facts.nodes)
            speed = "" if bus.speed_hz is None else f"{bus.speed_hz / 1000:.0f} kHz; "
            yield Finding(what, Verdict.OK, speed + answers)


def _not_configured(bus: BusFact, nodes: tuple[NodeFact, ...]) -> Iterator[Finding]:
    ports = {node.port.lower() for node in nodes}
    for address, driver, model in bus.chips:
        port = f"i2c-{bus.number}:0x{address:02x}"
        if port not in ports and f"i2c-{bus.number}" not in ports:
            yield Finding(
                f"chip {port}",
                Verdict.WARNING,
                f"{model}, not configured",
                f'to use it: port = "{port}", driver = "{driver}" under [nodes.NAME]',
            )


def _self_tests(facts: Facts) -> Iterator[Finding]:
    for bus in facts.buses:
        for address, faults in bus.tested:
            what = f"self-test i2c-{bus.number}:0x{address:02x}"
            if faults:
                advice = "lay it still and test again; if it stays so, replace the board"
                yield Finding(what, Verdict.FAULT, "; ".join(faults), advice)
            else:
                yield Finding(what, Verdict.OK, "accelerometer and gyroscope move as they should")


RULES: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    _power,
    _heat,
    _disk,
    _privacy,
    _wall_clock,
    _certificates,
    _ports,
    _buses,
    _self_tests,
    node_findings,
)
