"""Certificates, access list and broker configuration of a site, and a bundle for each edge.

A certificate authority for trials: its key lies in the site's folder, so keep that folder off the
edges and off the broker. A hospital with an authority of its own uses that and takes from here
only what the certificates must say: the common name is the edge's name.
"""

from __future__ import annotations

import os
import re
import subprocess
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

from edge.config import NAME
from edge.errors import UserError
from edge.files import write_whole
from edge.papers.contract import OPERATOR, READER, access_list

from .audit import Audit
from .provision_texts import BROKER, EDGE, SETTINGS, WEB

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

AUTHORITY_DAYS = 3650
BROKER_DAYS = 365
# Short: a lost edge is locked out by itself, also where nobody carries the revocation list over.
CLIENT_DAYS = 90
# Names that the access list gives rights of their own: no edge may carry them.
ACCOUNTS = (READER, OPERATOR)
RESERVED = (*ACCOUNTS, "broker", "ca")


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its key."""

    certificate: Path
    key: Path


class Site:
    """The folder from which a site's edges and broker are provisioned.

    Parameters
    ----------
    folder : Path
        Holds the authority's key: for its owner alone.
    name : str
        Of the site, as in topics.
    hosts : sequence of str
        Names and addresses under which edges reach the broker; the first is written into bundles.
    port : int
        Of the broker.
    """

    def __init__(self, folder: Path, name: str, hosts: Sequence[str], port: int = 8883) -> None:
        _check_name(name, "site")
        if not hosts:
            raise UserError("--host: expected a name or address under which edges reach the broker")
        self.folder = folder
        self.name = name
        self.host = hosts[0]
        self.port = port
        self._hosts = hosts

    def create(self) -> None:
        """Make the authority, the broker's certificate and configuration.

        Raises
        ------
        UserError
            If the folder holds an authority already: its edges would all be locked out.
        """
        if (self.folder / "ca.key").exists():
            raise UserError(f"{self.folder}: holds a site already; expected a new folder")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        issued = self.folder / "issued"
        issued.mkdir()
        (issued / "index.txt").touch()
        for counter in ("serial", "crlnumber"):
            (issued / counter).write_text("1000\n")
        hosts = ",".join(f"{_kind(host)}:{host}" for host in self._hosts)
        settings = SETTINGS.format(folder=self.folder.resolve(), hosts=hosts)
        write_whole(self.folder / "openssl.cnf", settings)
        self._make_authority()
        self._issue("broker", "broker", BROKER_DAYS)
        write_whole(self.folder / "evenstride.acl", access_list(self.name))
        write_whole(self.folder / "mosquitto.conf", BROKER.format(port=self.port))
        self._pack_broker()
        self._note("site", self.name)

    def add_edge(self, edge: str, days: int = CLIENT_DAYS) -> Path:
        """Issue an edge's certificate and pack what it needs; returns the bundle.

        Raises
        ------
        UserError
            For a name that is none, or that the access list gives rights of its own.
        """
        _check_name(edge, "edge")
        if edge in RESERVED:
            raise UserError(f"edge {edge!r}: a name with rights of its own; expected another")
        issued = self._issue(edge, "client", days)
        web = self._issue_web(edge, days)
        settings = self.folder / f"{edge}.toml"
        write_whole(
            settings, EDGE.format(site=self.name, edge=edge, host=self.host, port=self.port)
        )
        bundle = self.folder / f"{edge}.tar"
        # Where they belong, so that `tar -x -C /` puts them there; the key where systemd looks.
        parts = {
            "etc/evenstride/ca.crt": (self.folder / "ca.crt", 0o644),
            "etc/evenstride/edge.crt": (issued.certificate, 0o644),
            "etc/evenstride/evenstride.toml": (settings, 0o644),
            "etc/credstore/evenstride.mqtt.key": (issued.key, 0o600),
            "etc/evenstride/web.crt": (web.certificate, 0o644),
            "etc/credstore/evenstride.web.key": (web.key, 0o600),
        }
        _pack(bundle, parts)
        self._note("edge", edge)
        return bundle

    def add_account(self, role: str, days: int = CLIENT_DAYS) -> Issued:
        """Issue the certificate of a reader or an operator."""
        if role not in ACCOUNTS:
            raise UserError(f"role {role!r}: expected one of {', '.join(ACCOUNTS)}")
        self._note("account", role)
        return self._issue(role, "client", days)

    def revoke(self, name: str) -> None:
        """Lock a certificate out; the broker learns it from its new bundle.

        Raises
        ------
        UserError
            If none was issued under that name.
        """
        certificate = self.folder / f"{name}.crt"
        if not certificate.exists():
            raise UserError(f"{certificate}: no certificate was issued under that name")
        self._ca("-revoke", str(certificate))
        self._pack_broker()
        self._note("revoke", name)

    def _pack_broker(self) -> None:
        """List what is locked out, and pack what the broker needs: never the authority's key."""
        self._ca("-gencrl", "-out", str(self.folder / "ca.crl"))
        place = "etc/mosquitto/evenstride"
        parts = {
            f"{place}/{name}": (self.folder / name, 0o640)
            for name in ("ca.crt", "ca.crl", "broker.crt", "broker.key", "evenstride.acl")
        }
        parts["etc/mosquitto/conf.d/evenstride.conf"] = (self.folder / "mosquitto.conf", 0o644)
        _pack(self.folder / "broker.tar", parts, group="mosquitto")

    def _make_authority(self) -> None:
        with _private():
            _openssl(
                *("req", "-x509", *_new_key(self.folder / "ca.key")),
                *("-subj", f"/CN=Evenstride {self.name}", "-days", str(AUTHORITY_DAYS)),
                *("-addext", "basicConstraints=critical,CA:TRUE,pathlen:0"),
                *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
                *("-out", str(self.folder / "ca.crt")),
            )

    def _issue_web(self, edge: str, days: int) -> Issued:
        """Certificate of an edge's page: no edge's name holds a dot, so it is nobody's account."""
        extensions = self.folder / f"{edge}.web.cnf"
        write_whole(extensions, WEB.format(edge=edge))
        issued = self._issue(f"{edge}.web", "web", days, "-extfile", str(extensions))
        extensions.unlink()
        return issued

    def _issue(self, name: str, kind: str, days: int, *more: str) -> Issued:
        made = Issued(self.folder / f"{name}.crt", self.folder / f"{name}.key")
        request = self.folder / f"{name}.csr"
        with _private():
            _openssl("req", "-new", *_new_key(made.key), "-subj", f"/CN={name}", "-out", request)
            self._ca(
                *("-batch", "-notext", *more, "-extensions", kind, *_validity(days)),
                *("-in", str(request), "-out", str(made.certificate)),
            )
        request.unlink()
        return made

    def _ca(self, *arguments: str) -> None:
        _openssl("ca", "-config", str(self.folder / "openssl.cnf"), *arguments)

    def _note(self, what: str, name: str) -> None:
        Audit(self.folder / "audit.jsonl").note("provision", what=what, name=name)


def open_site(folder: Path) -> Site:
    """Take up a site that was created before.

    Raises
    ------
    UserError
        If the folder holds none.
    """
    try:
        acl = (folder / "evenstride.acl").read_text(encoding="utf-8")
        conf = (folder / "mosquitto.conf").read_text(encoding="utf-8")
        settings = (folder / "openssl.cnf").read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{folder}: holds no site: {error.strerror}") from None
    site = re.search(r"evenstride/v1/([a-z0-9-]+)/", acl)
    port = re.search(r"^listener (\d+)", conf, re.MULTILINE)
    hosts = re.findall(r"(?:DNS|IP):([^,\s]+)", settings)
    if site is None or port is None or not hosts:
        raise UserError(f"{folder}: its files were altered: expected those that provision made")
    return Site(folder, site[1], hosts, int(port[1]))


def _pack(bundle: Path, parts: dict[str, tuple[Path, int]], group: str = "root") -> None:
    """Files under the paths and rights they get by `tar -x -C /` as root."""
    bundle.unlink(missing_ok=True)
    bundle.touch(mode=0o600)
    with tarfile.open(bundle, "w") as tar:
        for name, (path, mode) in parts.items():
            entry = tarfile.TarInfo(name)
            entry.mode, entry.size = mode, path.stat().st_size
            entry.uname, entry.gname = "root", group
            with path.open("rb") as file:
                tar.addfile(entry, file)


def _check_name(name: str, what: str) -> None:
    if not re.fullmatch(NAME, name):
        raise UserError(f"{what} {name!r}: expected 1 to 32 of a-z, 0-9 and -")


def _kind(host: str) -> str:
    try:
        ip_address(host)
    except ValueError:
        if not re.fullmatch(r"[A-Za-z0-9.-]{1,253}", host):
            raise UserError(f"--host {host!r}: expected a host's name or address") from None
        return "DNS"
    return "IP"


def _validity(days: int) -> tuple[str, ...]:
    # From an hour ago: an edge without a clock chip may lag behind.
    end = datetime.now(UTC) + timedelta(days=days)
    start = min(datetime.now(UTC), end) - timedelta(hours=1)
    return ("-startdate", f"{start:%Y%m%d%H%M%SZ}", "-enddate", f"{end:%Y%m%d%H%M%SZ}")


def _new_key(path: Path) -> tuple[str, ...]:
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
    return (*curve, "-nodes", "-keyout", str(path))


@contextmanager
def _private() -> Iterator[None]:
    """Files made inside are for their owner alone from their first byte on."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def _openssl(*arguments: object) -> None:
    try:
        subprocess.run(
            ["openssl", *map(str, arguments)], check=True, capture_output=True, text=True
        )
    except FileNotFoundError:
        raise UserError("openssl is missing: sudo apt-get install openssl") from None
    except subprocess.CalledProcessError as error:
        last = error.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise UserError(f"openssl {arguments[0]} failed: {last[0]}") from None
