"""The page as it is served: a real process, a real store, a real control socket."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest

from edge.config import load_config, parse_config
from edge.errors import UserError
from edge.operation.provision import Site
from edge.web.pairing import COOKIE, MOST_WRONG
from edge.web.service import run_web
from edge.web.views.day import DayView
from edge.web.views.now import NowView
from edge.web.views.outcomes import OutcomesView
from tests.mosquitto import free_port, wait_for_port
from tests.web_bench import answering, fill_store, five_nodes

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "edge" / "web" / "static"


class Tablet(http.client.HTTPSConnection):
    """A browser that finds pi-7.local on this machine, and trusts the site's authority only."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._create_connection = lambda address, *rest: socket.create_connection(
            ("127.0.0.1", address[1]), *rest
        )


class Served:
    """`evenstride web` in a process of its own."""

    def __init__(self, folder, *, tls=None):
        self.folder = folder
        self.port = free_port()
        self._tls = ssl.create_default_context(cafile=tls.with_name("ca.crt")) if tls else None
        where = (
            f'host = "0.0.0.0"\nnames = ["pi-7.local"]\ncert_file = "{tls}.crt"\n'
            f'key_file = "{tls}.key"\n'
            if tls
            else ""
        )
        self.config = folder / "evenstride.toml"
        self.config.write_text(
            f'[folders]\nstate = "{folder}"\nruntime = "{folder}"\n'
            f"[web]\nport = {self.port}\n{where}"
        )

    def __enter__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "edge", "web", "--config", self.config],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT,
        )  # fmt: skip
        wait_for_port(self.port)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.said = self.process.communicate(timeout=20)[0]

    def link(self):
        if self._tls:
            return Tablet("pi-7.local", self.port, timeout=10, context=self._tls)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def ask(self, path, method="GET", body=None, **headers):
        """Status, headers, body of one request."""
        with contextlib.closing(self.link()) as link:
            link.request(method, path, body, headers)
            answer = link.getresponse()
            return answer.status, answer.headers, answer.read()

    def view(self, path, model):
        status, _, body = self.ask(path)
        assert status == 200
        return model.model_validate_json(body)

    def stream(self, **headers):
        link = self.link()
        link.request("GET", "/api/live", headers=headers)
        return link.getresponse()

    def open_files(self):
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def memory_mb(self):
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class ServedHere(Served):
    """The same service in a thread of this process: it starts at once."""

    def __enter__(self):
        lines, self.stop = [], threading.Event()
        self.said_lines = lines
        run = (load_config(self.config), self.stop, lines.append)
        self.thread = threading.Thread(target=run_web, args=run)
        self.thread.start()
        wait_for_port(self.port)
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join(10)
        assert not self.thread.is_alive()
        self.said = "\n".join(self.said_lines)


def events(stream, n):
    """The first n events of a stream: name, id, data."""
    found, parts = [], {}
    while len(found) < n:
        line = stream.readline().decode().rstrip("\n")
        if line:
            name, _, value = line.partition(": ")
            parts[name] = value
        elif "data" in parts:
            found.append((parts["event"], parts.get("id"), json.loads(parts["data"])))
            parts = {}
    return found


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    folder = tmp_path_factory.mktemp("web")
    return folder, fill_store(folder, hours=2.5)


@pytest.fixture(scope="module")
def page(session):
    with Served(session[0]) as served:
        yield served
        # At a stop open streams end by themselves; else uvicorn says that it cancelled them.
        stream = served.stream()
        events(stream, 1)
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(30) == 0
        stream.close()
    assert "Traceback" not in served.said
    assert "Cancel" not in served.said


@pytest.fixture
def acquire(session):
    with answering(session[0], five_nodes(), session[1]):
        time.sleep(1.1)  # what was seen a second ago may be shown
        yield


def test_the_page_and_all_its_parts_come_from_this_machine(page):
    status, headers, body = page.ask("/")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    text = body.decode()
    parts = re.findall(r'(?:src|href)="([^"#]+)"', text)
    assert len(parts) >= 5
    modules = re.findall(r'from "\./([\w.]+)"', (STATIC / "main.js").read_text())
    for part in [*parts, *(f"/static/{name}" for name in modules)]:
        assert part.startswith("/static/")
        assert page.ask(part)[0] == 200
    # Nothing that the policy would forbid: no script, style or handler inside the text.
    assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", text)


def test_no_file_of_ours_reaches_elsewhere():
    for path in STATIC.glob("*.*"):
        found = re.findall(r"https?://[\w./]+", path.read_text())
        assert set(found) <= {"http://www.w3.org/2000/svg"}, path


def test_every_answer_tells_the_browser_to_load_nothing_else(page):
    for path in ("/", "/static/main.js", "/api/now", "/nowhere"):
        headers = page.ask(path)[1]
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["server"] is None


def test_other_names_are_refused(page):
    assert page.ask("/", Host="rebound.example:8750")[0] == 421
    assert page.ask("/", Host=f"localhost:{page.port}")[0] == 200


def test_the_views_are_those_of_the_store(page, acquire, session):
    now = page.view("/api/now", NowView)
    assert [found.state for found in now.sensors] == ["measures"] * 5
    assert (now.session, now.edge) == (session[1], "home/edge-1")
    assert now.alarms[0].text.startswith("node left-foot is silent")
    assert {line.name: line.text for line in now.machine}["Recording"].startswith("for 2 h 30")
    day = page.view("/api/day", DayView)
    assert day.session == session[1]
    assert (len(day.hours), len(day.days)) == (2, 1)
    assert day.n_walks > 15
    assert day.sessions[0].runs
    assert page.view("/api/day?session=none", DayView).hours == ()
    outcomes = page.view("/api/results", OutcomesView)
    assert "right leg" in outcomes.leg_lengths[0].sentence
    assert outcomes.comparisons[0].effects


def test_the_stream_brings_strides_once(page, acquire):
    stream = page.stream()
    (name, _, now), (kind, last, strides), (again, _, _) = events(stream, 3)
    stream.close()
    assert (name, kind, again) == ("now", "strides", "now")
    assert now["headline"] == "All five sensors measure."
    assert len(strides) == 20
    assert strides[-1]["id"] == last
    # A browser that comes back has these strides already.
    back = page.stream(**{"Last-Event-ID": last})
    assert [event[0] for event in events(back, 2)] == ["now", "now"]
    back.close()


def test_acquire_may_go_and_come(page, session):
    stream = page.stream()
    until(stream, None)
    with answering(session[0], five_nodes(), session[1]):
        until(stream, session[1])
    until(stream, None)
    stream.close()


def until(stream, session):
    """Read on until that session is shown."""
    for _ in range(6):
        ((name, _, data),) = events(stream, 1)
        if name == "now" and data["session"] == session:
            return
    raise AssertionError(f"session {session} was not shown")


def test_nothing_can_be_changed_through_the_page(page, session):
    before = (session[0] / "store.sqlite").read_bytes()
    for path in ("/", "/api/now", "/api/day", "/api/results", "/api/live", "/static/main.js"):
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            assert page.ask(path, method)[0] == 405
    assert page.ask("/static/../page.py")[0] == 404
    assert page.ask("/static/%2e%2e/page.py")[0] == 404
    assert (session[0] / "store.sqlite").read_bytes() == before


def test_a_browser_that_does_not_read_holds_up_nobody(page, acquire):
    lazy = socket.socket()
    lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    lazy.connect(("127.0.0.1", page.port))
    lazy.sendall(b"GET /api/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
    half = socket.create_connection(("127.0.0.1", page.port))
    half.sendall(b"GET /api/no")  # and one that never ends its request
    began_s = time.monotonic()
    for _ in range(3):
        page.view("/api/now", NowView)
    assert time.monotonic() - began_s < 3.0
    lazy.close()
    half.close()


def test_browsers_that_vanish_leave_nothing_behind(page, acquire):
    before, memory_mb = page.open_files(), page.memory_mb()
    for _ in range(3):
        streams = [page.stream() for _ in range(15)]
        for stream in streams:
            events(stream, 1)
            stream.close()
    until_s = time.monotonic() + 10.0
    while page.open_files() > before:
        assert time.monotonic() < until_s
        time.sleep(0.1)
    assert page.memory_mb() < memory_mb + 5.0
    assert page.memory_mb() < 100.0


def test_too_many_connections_are_turned_away_and_the_rest_go_on(page):
    idle = [socket.create_connection(("127.0.0.1", page.port)) for _ in range(70)]
    time.sleep(0.3)
    assert page.ask("/")[0] == 503
    for link in idle:
        link.close()
    time.sleep(0.3)
    assert page.ask("/")[0] == 200


@pytest.fixture
def systemd(tmp_path, monkeypatch):
    """What systemd would hear, until a word comes."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
        link.bind(str(tmp_path / "notify"))
        link.settimeout(5.0)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "600000")
        yield lambda word: any(link.recv(100).decode() == word for _ in range(100))


def test_a_store_that_is_missing_or_damaged_is_said_and_systemd_hears_how_it_goes(
    tmp_path, systemd
):
    with ServedHere(tmp_path) as served:
        assert systemd("READY=1")
        assert served.view("/api/now", NowView).walking.state == "waiting"
        assert served.view("/api/day", DayView).session is None
        (tmp_path / "store.sqlite").write_bytes(b"SQLite format 3\0" + bytes(5000))
        assert systemd("WATCHDOG=1")
        time.sleep(1.1)
        machine = served.view("/api/now", NowView).machine
        assert machine[0].name == "Store"
        assert served.ask("/api/day")[0] == 503
    assert systemd("STOPPING=1")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """What the bundle of an edge brings: without its endings, beside the authority's."""
    site = Site(tmp_path_factory.mktemp("site") / "lab", "lab", ["localhost"])
    site.create()
    site.add_edge("pi-7")
    return site.folder / "pi-7.web"


def paired(served, code):
    """Cookie of a tablet that typed a code, or the place that it is sent to instead."""
    form = urlencode({"code": code})
    kind = "application/x-www-form-urlencoded"
    status, headers, _ = served.ask("/pair", "POST", form, **{"Content-Type": kind})
    assert status == 303
    return headers["set-cookie"] or headers["location"]


def test_from_another_machine_nothing_is_shown_without_pairing(tmp_path, certificate):
    code_file = tmp_path / "pairing-code"
    with ServedHere(tmp_path, tls=certificate) as served:
        assert served.ask("/")[:1] == (303,)
        assert served.ask("/")[1]["location"] == "/pair"
        for path in ("/api/now", "/api/day", "/api/results", "/api/live"):
            assert served.ask(path)[0] == 401
        assert served.ask("/pair")[0] == 200
        assert served.ask("/pair", "POST", "code=" + "1" * 5000)[0] == 413
        assert paired(served, "12") == "/pair#wrong"
        assert code_file.stat().st_mode & 0o777 == 0o600
        code = code_file.read_text().strip()
        cookie = paired(served, f"{code[:4]} {code[4:]}")
        for flag in (f"{COOKIE}=", "HttpOnly", "Secure", "SameSite=strict", "Path=/"):
            assert flag in cookie
        cookie = cookie.partition(";")[0]
        assert served.ask("/api/now", Cookie=cookie)[0] == 200
        assert served.ask("/api/now", Cookie=cookie[:-1] + "x")[0] == 401
        assert code_file.read_text().strip() != code
        for _ in range(MOST_WRONG - 1):
            paired(served, "00000000x")
        assert paired(served, code_file.read_text().strip()) == "/pair#wait"
        with socket.create_connection(("127.0.0.1", served.port)) as plain:
            plain.settimeout(5)
            plain.sendall(b"GET /api/now HTTP/1.1\r\nHost: localhost\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                assert not plain.recv(100).startswith(b"HTTP")
    assert not code_file.exists()
    assert code not in served.said


@pytest.mark.parametrize(
    ("web", "words"),
    [
        ({}, "Address already in use.*name another under"),
        ({"host": "192.0.2.1", "cert_file": "a", "key_file": "b"}, "192.0.2.1"),
        ({"cert_file": "/no.crt", "key_file": "/no.key"}, "expected a certificate"),
    ],
)
def test_what_cannot_be_served_is_one_sentence(tmp_path, web, words):
    folders = {"state": tmp_path, "runtime": tmp_path}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = {"port": free_port()} if web else {"port": taken.getsockname()[1]}
        config = parse_config({"folders": folders, "web": {**web, **port}})
        with pytest.raises(UserError, match=words):
            run_web(config, threading.Event(), lambda _: None)
