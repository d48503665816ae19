"""What the doctor says of a machine, and what it sees of virtual nodes."""

import json
import socket
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from edge.cli.hardware import nodes_app
from edge.config import parse_config
from edge.errors import UserError
from edge.hardware.doctor import diagnose, verdict_of
from edge.hardware.facts import BusFact, CertificateFact, Facts, NodeFact, PortFact, Verdict
from edge.hardware.look import bus_fact, look
from edge.hardware.nodes import assign, blink, find_nodes
from edge.hardware.viewer import show_nodes
from sensors import Segment
from sensors.virtual.chips import Icm20948Chip, Lsm6dsChip, Mpu6050Chip, VirtualBus
from sensors.virtual.faults import Drop
from sensors.virtual.node import VirtualNode, VirtualNodes
from sensors.ximu3 import MessageReader

WELL = Facts(
    machine="Raspberry Pi 4",
    ports=(PortFact("/dev/ttyACM0", "Pico", allowed=True),),
    buses=(BusFact(1, allowed=True, speed_hz=400_000, addresses=(0x6A,)),),
    folder="/var/lib/evenstride",
    free_bytes=50_000_000_000,
    throttled=0,
    temperature_c=50.0,
    clock_synchronised=True,
)
NODE = NodeFact(
    "foot",
    "/dev/ttyACM0",
    "node",
    is_open=True,
    reason="",
    chip="LSM6DSOX",
    segment="left_foot",
    stored_segment="left_foot",
    received=600,
    rate_hz=200.0,
    acc_mps2=9.80,
    gyr_sd_rad_s=0.002,
    gyr_mean_rad_s=0.01,
    time_sd_s=1e-4,
)
LOST = replace(NODE, is_open=False, received=0)

SICK = {
    "low voltage": (replace(WELL, throttled=0x1), "fault", "supply made for this Pi"),
    "low voltage once": (replace(WELL, throttled=0x10000), "warning", "another supply or cable"),
    "hot": (replace(WELL, temperature_c=82.0), "warning", "air"),
    "certificate lapses": (
        replace(WELL, certificates=(CertificateFact("edge.crt", 12.0),)),
        "warning",
        "provision edge",
    ),
    "certificate lapsed": (
        replace(WELL, certificates=(CertificateFact("edge.crt", -1.0),)),
        "fault",
        "provision edge",
    ),
    "no certificate": (
        replace(WELL, certificates=(CertificateFact("edge.crt", None),)),
        "warning",
        "openssl",
    ),
    "disk full": (replace(WELL, free_bytes=10**9), "fault", "old recordings"),
    "folder closed": (replace(WELL, folder_writable=False), "fault", "install -d"),
    "clock unset": (replace(WELL, clock_synchronised=False), "warning", "battery clock"),
    "port closed": (
        replace(WELL, ports=(PortFact("/dev/ttyACM0", "x", False),)),
        "fault",
        "dialout",
    ),
    "latency": (
        replace(WELL, ports=(PortFact("/dev/ttyUSB0", "FTDI", True, 16),)),
        "warning",
        "devices/ttyUSB0/latency_timer",
    ),
    "modem manager": (replace(WELL, modem_manager=True), "warning", "disable --now ModemManager"),
    "bus closed": (replace(WELL, buses=(BusFact(1, False),)), "fault", "-G i2c"),
    "bus slow": (
        replace(WELL, buses=(BusFact(1, True, 100_000, (0x6A,)),)),
        "warning",
        "i2c_arm_baudrate=400000",
    ),
    "chip unused": (
        replace(WELL, buses=(BusFact(1, True, 400_000, (0x6A,), ((0x6A, "lsm6ds", "LSM6DSOX"),)),)),
        "warning",
        'port = "i2c-1:0x6a", driver = "lsm6ds"',
    ),
    "self-test failed": (
        replace(WELL, buses=(BusFact(1, True, 400_000, (0x6A,), (), ((0x6A, ("x: 0 mg",)),)),)),
        "fault",
        "replace the board",
    ),
    "node in use": (
        replace(WELL, nodes=(replace(LOST, reason="Could not exclusively lock port"),)),
        "fault",
        "stop",
    ),
    "node unplugged": (
        replace(WELL, nodes=(replace(LOST, reason="No such file or directory"),)),
        "fault",
        "plug it in",
    ),
    "node mute": (replace(WELL, nodes=(replace(NODE, received=0),)), "fault", "firmware"),
    "node swapped": (
        replace(WELL, nodes=(replace(NODE, stored_segment="right_foot"),)),
        "fault",
        "swap them back",
    ),
    "range too narrow": (
        replace(WELL, nodes=(replace(NODE, acc_range_g=7.99, gyr_range_deg_s=2000.0),)),
        "fault",
        "widen it",
    ),
    "losses": (replace(WELL, nodes=(replace(NODE, lost=7),)), "warning", "cable"),
    "clock vague": (replace(WELL, nodes=(replace(NODE, time_sd_s=2e-3),)), "warning", "latency"),
    "moved": (replace(WELL, nodes=(replace(NODE, gyr_sd_rad_s=1.0),)), "warning", "lay it down"),
    "half gravity": (replace(WELL, nodes=(replace(NODE, acc_mps2=4.9),)), "fault", "range"),
    "gyroscope broken": (
        replace(WELL, nodes=(replace(NODE, gyr_mean_rad_s=0.5),)),
        "fault",
        "replace",
    ),
}


def resting(time_s):
    return np.zeros((len(time_s), 3)), np.tile([0.0, 0.0, 9.80665], (len(time_s), 1)), None


@pytest.mark.parametrize("case", SICK)
def test_every_fault_is_told_with_what_to_do(case):
    facts, verdict, advice = SICK[case]
    findings = diagnose(facts)
    assert verdict_of(findings) == verdict
    bad = [finding for finding in findings if finding.verdict != Verdict.OK]
    assert len(bad) == 1
    assert advice in bad[0].advice


def test_a_machine_that_is_well_has_nothing_to_do():
    findings = diagnose(replace(WELL, nodes=(NODE,)))
    assert verdict_of(findings) == "ok"
    assert not any(finding.advice for finding in findings)
    assert len(findings) == 6


def test_a_machine_that_tells_nothing_is_not_blamed():
    assert diagnose(Facts()) == []


@pytest.mark.parametrize(("encrypted", "verdict"), [(True, "ok"), (False, "warning")])
def test_says_whether_recordings_lie_on_an_encrypted_device(encrypted, verdict):
    [finding] = [
        found
        for found in diagnose(replace(WELL, folder_encrypted=encrypted))
        if found.what == "privacy"
    ]
    assert finding.verdict == verdict


def test_chips_on_a_bus_are_recognised_without_being_disturbed():
    bus = VirtualBus(
        {
            0x68: Icm20948Chip(resting, lambda: 0),
            0x69: Mpu6050Chip(resting, lambda: 0),
            0x6B: Lsm6dsChip(resting, lambda: 0),
            0x50: Lsm6dsChip(resting, lambda: 0),
        }
    )
    before = {address: bytes(chip.registers) for address, chip in bus.devices.items()}
    fact = bus_fact(1, bus, 400_000)
    assert fact.addresses == (0x50, 0x68, 0x69, 0x6B)
    assert fact.chips == (
        (0x68, "icm20948", "ICM-20948"),
        (0x69, "mpu6050", "MPU-6050"),
        (0x6B, "lsm6ds", "LSM6DSOX"),
    )
    assert before == {address: bytes(chip.registers) for address, chip in bus.devices.items()}


def test_chips_test_themselves_when_asked_to():
    bus = VirtualBus(
        {
            0x6A: Lsm6dsChip(resting, time.monotonic_ns),
            0x6B: Lsm6dsChip(resting, time.monotonic_ns, stuck=True),
        }
    )
    (sound, stuck) = bus_fact(1, bus, 400_000, self_tests=True).tested
    assert sound == (0x6A, ())
    assert stuck[0] == 0x6B
    assert len(stuck[1]) == 6


def test_the_doctor_reads_configured_nodes(tmp_path):
    healthy = VirtualNode("left", resting, segment="left_foot")
    lossy = VirtualNode("right", resting, segment="right_foot", faults=[Drop(0.15)])
    with VirtualNodes([healthy, lossy]):
        config = parse_config(
            {
                "folders": {"state": str(tmp_path)},
                "nodes": {
                    "left": {"port": healthy.port, "segment": "left_foot"},
                    "right": {"port": lossy.port, "segment": "right_foot"},
                    "gone": {"port": str(tmp_path / "none")},
                },
            }
        )
        facts = look(config, look_s=2.5)
    findings = diagnose(facts)
    lossy = [finding.what for finding in findings if "samples lost" in finding.seen]
    assert lossy == ["node right"]
    # On a busy machine a clock may be found vague, but nothing of a healthy node is a fault.
    faults = [
        finding.what
        for finding in findings
        if finding.verdict == "fault" and finding.what.startswith("node")
    ]
    assert faults == ["node gone"]
    assert facts.nodes[0].acc_mps2 == pytest.approx(9.807, abs=0.01)
    assert facts.nodes[0].rate_hz == pytest.approx(200, abs=2)


def test_nodes_are_found_blink_and_keep_their_segment(tmp_path):
    virtual = VirtualNode("n1", resting)
    with VirtualNodes([virtual]):
        assert assign(virtual.port, Segment.PELVIS).segment == "pelvis"
        blink(virtual.port)
        found = find_nodes([virtual.port, str(tmp_path / "none")], wait_s=1.0)
        listing = CliRunner().invoke(nodes_app, ["--json", "--port", virtual.port])
    assert virtual.firmware.blinks == 1
    assert found[0].hello.segment == "pelvis"
    assert found[1].hello is None
    assert "none" in found[1].reason
    assert json.loads(listing.stdout)[0]["segment"] == "pelvis"


def test_nodes_are_shown_to_a_viewer_on_the_network(monkeypatch):
    stop = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as viewer:
        viewer.bind(("127.0.0.1", 0))
        viewer.settimeout(3)
        monkeypatch.setattr("sensors.ximu3_beacon.FIRST_SEND_PORT", viewer.getsockname()[1])
        virtual = VirtualNode("pelvis", resting)
        with VirtualNodes([virtual]):
            config = parse_config({"nodes": {"pelvis": {"port": virtual.port}}})
            hosts = {"viewer": "127.0.0.1", "address": "127.0.0.1"}
            showing = threading.Thread(target=show_nodes, args=(config, stop), kwargs=hosts)
            showing.start()
            drawn = MessageReader().feed(viewer.recv(65536))
            stop.set()
            showing.join()
    assert drawn[0].arguments[5] == pytest.approx(1.0, abs=0.01)


def test_a_port_without_a_node_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("edge.hardware.nodes.ANSWER_S", 0.2)
    with pytest.raises(UserError, match="none: no node answered"):
        blink(str(tmp_path / "none"))
