"""Who is let in, and which names the page answers to."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import UserError
from edge.web.guard import Guard
from edge.web.pairing import LASTS_S, MOST_WRONG, WINDOW_S, Pairing, load_key, write_secret

KEY = b"k" * 32


class Clock:
    now_s = 1_000_000.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def codes():
    return []


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pairing(codes, clock):
    return Pairing(KEY, codes.append, clock, clock)


def test_a_code_lets_in_one_tablet(pairing, codes):
    assert pairing.take(f"{codes[0][:4]} {codes[0][4:]}") == "paired"
    assert len(codes) == 2
    assert pairing.take(codes[0]) == "wrong"
    assert pairing.take(codes[1]) == "paired"


def test_guessing_is_slow(pairing, codes, clock):
    assert [pairing.take("00000000x") for _ in range(MOST_WRONG)] == ["wrong"] * MOST_WRONG
    assert pairing.take(codes[0]) == "wait"
    clock.now_s += WINDOW_S
    assert pairing.take(codes[0]) == "paired"


def test_a_cookie_holds_for_its_time(pairing, clock):
    cookie = pairing.cookie()
    assert pairing.is_paired(cookie)
    clock.now_s += LASTS_S - 1
    assert pairing.is_paired(cookie)
    clock.now_s += 2
    assert not pairing.is_paired(cookie)


def test_another_key_unpairs(pairing, clock):
    assert not Pairing(b"other" * 8, lambda _: None, clock, clock).is_paired(pairing.cookie())


@given(st.text(max_size=100))
def test_no_other_text_is_a_cookie_or_a_code(text):
    pairing = Pairing(KEY, lambda _: None)
    assert not pairing.is_paired(text)
    assert pairing.take(text) == "wrong"


def test_a_longer_life_cannot_be_written_into_a_cookie(pairing):
    until, rest = pairing.cookie().split(".", 1)
    assert not pairing.is_paired(f"{int(until) + 1}.{rest}")


def test_the_key_stays_the_same_and_is_for_the_owner_alone(tmp_path):
    path = tmp_path / "new" / "pairing.key"
    key = load_key(path)
    assert load_key(path) == key
    assert len(key) == 32
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_damaged_key_and_a_folder_that_is_none_are_one_sentence(tmp_path):
    (tmp_path / "file").write_text("no key")
    with pytest.raises(UserError, match="delete it to pair anew"):
        load_key(tmp_path / "file")
    with pytest.raises(UserError, match="cannot be written"):
        write_secret(tmp_path / "file" / "code", "1")


def status_of(host: bytes, path="/", pairing=None) -> int:
    """What the guard answers to a request that bears a name."""
    heard = []

    async def page(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message):
        heard.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "headers": [(b"host", host)],
             "query_string": b"", "scheme": "http", "server": ("h", 1)}  # fmt: skip
    asyncio.run(Guard(page, {"Pi-7.local"}, pairing)(scope, None, send))
    return heard[0]["status"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        (b"pi-7.local:8750", 200),
        (b"PI-7.LOCAL", 200),
        (b"192.168.4.1:8750", 200),
        (b"[fe80::1]:8750", 200),
        (b"[::1]", 200),
        (b"evil.example", 421),
        (b"pi-7.local.evil.example", 421),
        (b"192.168.4.1.evil.example", 421),
        (b"", 421),
        (b"192.168.4.1:80/static/", 421),
        (b"192.168.4.1:80@x", 421),
        (b"[", 421),
    ],
)
def test_only_names_of_this_machine_and_addresses_are_answered(host, status):
    assert status_of(host) == status


@given(st.sampled_from([b"pi-7.local", b"127.0.0.1:80", b"[::1]"]), st.binary(max_size=20))
def test_no_name_opens_a_view_to_a_tablet_that_is_not_paired(host, more):
    pairing = Pairing(KEY, lambda _: None)
    assert status_of(host, "/api/now", pairing) == 401
    assert status_of(host + more, "/api/now", pairing) in {401, 421}
    assert status_of(host + b"/static/", "/api/now", pairing) == 421
    assert status_of(host, "/", pairing) == 303


@given(st.binary(max_size=60))
def test_any_bytes_as_a_name_are_answered_or_refused(host):
    assert status_of(host) in {200, 421}
