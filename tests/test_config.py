"""The configuration: what it accepts, and what it says to a person who mistyped."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.config import Config, load_config
from edge.errors import UserError
from edge.papers.configuration import configuration_page
from sensors.drivers.chip import Setup

WHOLE = """
site = "clinic-a"
edge = "pi-7"
[broker]
host = "mqtt.example.org"
tls = true
cert_file = "/etc/evenstride/pi-7.crt"
key_file = "/etc/evenstride/pi-7.key"
[nodes.left-foot]
port = "/dev/serial/by-id/usb-node-1"
segment = "left_foot"
"""

CHIP = '[nodes.x]\nport = "i2c-1"\ndriver = "lsm6ds"\n'
LEG = CHIP + 'segment = "left_foot"\n'
FAULTS = [
    ('site = "Clinic A"', "site = 'Clinic A': expected 1 to 32 of a-z, 0-9 and -"),
    ('rate_hz = "fast"', "rate_hz = 'fast': expected a valid number"),
    ("rate_hz = nan", "rate_hz = nan: expected a finite number"),
    ("[broker]\nport = 99999", "broker.port = 99999: expected less than or equal to 65535"),
    ("[broker]\nprot = 1883", "broker.prot is not a key; did you mean port?"),
    ("broker = 3", "broker = 3: expected a table"),
    ('[broker]\nhost = "10.0.0.2"', "plain text to '10.0.0.2'"),
    ('[broker]\ncert_file = "a"', "cert_file and key_file together"),
    ("zzz = 1", "zzz is not a key: expected one of site, edge, rate_hz"),
    ('[nodes.x]\nsegment = "foot"', "nodes.x.port is missing: expected /dev/serial/by-id"),
    ('[nodes.x]\nport = "p"\nsegment = "foot"', "nodes.x.segment = 'foot': expected 'left_foot'"),
    ('[nodes.x]\nport = "p"\nsegmnt = "a"', "nodes.x.segmnt is not a key; did you mean segment?"),
    ('[nodes."A b"]\nport = "p"', "expected 1 to 32 of a-z, 0-9 and -"),
    ('[web]\nhost = "0.0.0.0"', "opens the page to other machines: expected cert_file and"),
    ('[web]\ncert_file = "a"', "web: expected cert_file and key_file together"),
    ("[web]\nprot = 1", "web.prot is not a key; did you mean port?"),
    ('[time]\nspeed = 2\n[nodes.x]\nport = "/dev/ttyUSB0"', "time.speed = 2 with real nodes"),
    ("site = ", "not valid TOML"),
    (CHIP + "acc_range_g = 24", "nodes.x.acc_range_g = 24: expected one of 2, 4, 8, 16, or less"),
    (CHIP + "gyr_range_deg_s = 4000", "expected one of 250, 500, 1000, 2000, or less"),
    (CHIP + "rate_hz = 900", "nodes.x.rate_hz = 900: expected one of 104, 208, 416, 833, or less"),
    ("rate_hz = 1000\n" + CHIP, "nodes.x.rate_hz = 1000: expected one of 104, 208, 416, 833"),
    (CHIP + "rate_hz = 0", "nodes.x.rate_hz = 0: expected greater than 0"),
    (LEG + "acc_range_g = 8", "nodes.x: acc_range_g = 8 on left_foot: expected 16 or more"),
    (LEG + "gyr_range_deg_s = 500", "gyr_range_deg_s = 500 on left_foot: expected 2000 or more"),
    ('[nodes.x]\nport = "p"\nrate_hz = 100', "nodes.x.rate_hz: a 'node' is not set from here"),
]


@pytest.fixture
def written(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "evenstride.toml"
        path.write_text(text)
        return path

    return write


def test_an_empty_file_is_a_working_configuration(written):
    config = load_config(written(""))
    assert config == Config()
    assert config.broker.address == ("localhost", 1883)


def test_reads_every_table(written):
    config = load_config(written(WHOLE))
    assert config.broker.address == ("mqtt.example.org", 8883)
    assert config.nodes["left-foot"].segment == "left_foot"


def test_a_chip_is_asked_for_the_ranges_of_a_foot_and_the_rate_of_the_grid(written):
    plain = load_config(written(LEG)).nodes["x"]
    assert plain.setup(200.0) == Setup(200.0, 16.0, 2000.0)
    pelvis = CHIP + 'segment = "pelvis"\nrate_hz = 100\nacc_range_g = 8\ngyr_range_deg_s = 500'
    assert load_config(written(pelvis)).nodes["x"].setup(200.0) == Setup(100.0, 8.0, 500.0)


@pytest.mark.parametrize(
    ("web", "url"),
    [
        ("", "http://127.0.0.1:8750/"),
        ('host = "::1"\nport = 9', "http://[::1]:9/"),
        (
            'host = "0.0.0.0"\nnames = ["pi-7.clinic"]\ncert_file = "a"\nkey_file = "b"',
            "https://pi-7.clinic:8750/",
        ),
    ],
)
def test_tells_the_address_of_the_page(written, web, url):
    assert load_config(written(f"[web]\n{web}")).web.url == url


@pytest.mark.parametrize(("text", "said"), FAULTS)
def test_names_the_key_its_value_and_what_was_expected(written, text, said):
    path = written(text)
    with pytest.raises(UserError) as caught:
        load_config(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_says_every_fault_at_once(written):
    with pytest.raises(UserError) as caught:
        load_config(written('site = "A"\nrate_hz = 1'))
    assert len(str(caught.value).splitlines()) == 2


def test_names_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(UserError, match="No such file"):
        load_config(tmp_path / "none.toml")


def test_one_segment_has_one_node(written):
    node = '[nodes.{}]\nport = "p"\nsegment = "pelvis"\n'
    with pytest.raises(UserError, match="segment 'pelvis' has two nodes"):
        load_config(written(node.format("a") + node.format("b")))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_plain_text_stays_on_this_machine(written, host):
    assert load_config(written(f'[broker]\nhost = "{host}"')).broker.is_local


def test_plain_text_to_another_machine_must_be_written_down(written):
    text = '[broker]\nhost = "10.0.0.2"\ninsecure = true'
    assert not load_config(written(text)).broker.is_local


def test_the_page_of_all_keys_is_that_of_the_models():
    page = Path(__file__).resolve().parent.parent / "docs" / "configuration.md"
    assert page.read_text() == configuration_page(), "run: make contract"


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_any_bytes_give_a_configuration_or_a_sentence(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("fuzz") / "evenstride.toml"
    path.write_bytes(data)
    try:
        load_config(path)
    except UserError as error:
        assert str(path) in str(error)  # noqa: PT017
