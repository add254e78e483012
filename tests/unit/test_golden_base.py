"""A base disk that is fetched: whole, and what its publisher says, or not at all."""

import hashlib
import http.server
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runnerkit.errors import KitError
from runnerkit.golden import base, fetch
from runnerkit.settings.model import Golden

IMAGE = b"disk" * 500
NAME = "debian-12-generic-amd64.qcow2"
RIGHT, WRONG = hashlib.sha512(IMAGE).hexdigest(), "0" * 128


class Site(http.server.BaseHTTPRequestHandler):
    """A distribution's; `short` leaves out the end of an image, `files` lie beside it."""

    files: dict[str, str]
    short = 0
    chunked = False

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        body = IMAGE if name == NAME else self.files.get(name, "").encode()
        self.send_response(200 if body else 404)
        if self.chunked and body:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"7d0\r\n" + body[:100])
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) - self.short] if name == NAME else body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[tuple[type[Site], str]]:
    class Own(Site):
        files: dict[str, str] = {}  # noqa: RUF012

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Own) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield Own, f"http://127.0.0.1:{server.server_port}/images/{NAME}"
        server.shutdown()


def fetched(url: str, folder: Path, checksum: str = "none") -> tuple[bytes, str]:
    output: list[str] = []
    golden = Golden(base=url, base_checksum=checksum)
    fetch.fetch(golden, folder / "new", output.append)
    return (folder / "new").read_bytes(), output[-1]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SHA512SUMS", f"{WRONG}  other.qcow2\n{RIGHT}  {NAME}\n"),
        ("SHA256SUMS", f"{hashlib.sha256(IMAGE).hexdigest()} *{NAME}\n"),
        (f"{NAME}.sha256", hashlib.sha256(IMAGE).hexdigest().upper()),
    ],
)
def test_an_image_is_what_its_publisher_says(
    tmp_path: Path, site: tuple[type[Site], str], name: str, text: str
) -> None:
    site[0].files = {name: text}
    data, output = fetched(site[1], tmp_path)
    assert data == IMAGE
    assert output.startswith("base disk: it is what http")
    assert output.endswith(f"/images/{name} says")


@pytest.mark.parametrize("files", [{}, {"SHA512SUMS": f"{WRONG}  other.qcow2\n"}])
def test_one_of_which_nothing_is_said_is_taken_where_the_settings_say_none(
    tmp_path: Path, site: tuple[type[Site], str], files: dict[str, str]
) -> None:
    site[0].files = files
    assert fetched(site[1], tmp_path) == (
        IMAGE,
        "base disk: nothing beside it says whether it is whole",
    )


def test_another_image_than_was_published_is_refused(
    tmp_path: Path, site: tuple[type[Site], str]
) -> None:
    site[0].files = {"SHA512SUMS": f"{WRONG}  {NAME}\n"}
    with pytest.raises(KitError, match=r"is not what .*SHA512SUMS says"):
        fetched(site[1], tmp_path)


@pytest.mark.parametrize("chunked", [False, True])
def test_one_that_ends_early_is_refused(
    tmp_path: Path, site: tuple[type[Site], str], chunked: bool
) -> None:
    site[0].short, site[0].chunked = 1000, chunked
    with pytest.raises(KitError, match=r"fetch http.*(1000 bytes too early|IncompleteRead)"):
        fetched(site[1], tmp_path)


def test_the_settings_checksum_counts_whatever_lies_beside_it(
    tmp_path: Path, site: tuple[type[Site], str]
) -> None:
    site[0].files = {"SHA512SUMS": f"{WRONG}  {NAME}\n"}
    assert fetched(site[1], tmp_path, f"sha512:{RIGHT}")[0] == IMAGE
    site[0].files = {"SHA512SUMS": f"{RIGHT}  {NAME}\n"}
    with pytest.raises(KitError, match="is not what \\[golden\\] base_checksum says"):
        fetched(site[1], tmp_path, f"sha512:{WRONG}")


@pytest.mark.parametrize("scheme", ["http", "HTTP"])
def test_http_is_refused_before_anything_is_fetched(
    tmp_path: Path, site: tuple[type[Site], str], scheme: str
) -> None:
    site[0].files = {"SHA512SUMS": f"{RIGHT}  {NAME}\n"}
    with pytest.raises(KitError, match="anybody between") as caught:
        fetched(site[1].replace("http", scheme, 1), tmp_path, "")
    assert "base_checksum" in caught.value.fix
    assert not (tmp_path / "new").exists()


def test_one_that_is_larger_than_the_disk_ends(
    tmp_path: Path, site: tuple[type[Site], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KitError, match="larger than"):
        fetch._download(site[1], tmp_path / "new", len(IMAGE) - 1)


@pytest.fixture
def secure(
    site: tuple[type[Site], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The same site by https, with a certificate that this machine trusts."""
    pem = tmp_path / "site.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "2", "-keyout", str(pem),
         "-out", str(tmp_path / "ca.pem"), "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "ca.pem", pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), site[0]) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"https://localhost:{server.server_port}/images/{NAME}"
        server.shutdown()


def test_by_https_what_lies_beside_it_is_enough(
    tmp_path: Path, site: tuple[type[Site], str], secure: str
) -> None:
    site[0].files = {"SHA512SUMS": f"{RIGHT}  {NAME}\n"}
    assert fetched(secure, tmp_path, "")[0] == IMAGE


@pytest.mark.parametrize("files", [{}, {"SHA512SUMS": f"{RIGHT}  other.qcow2\n{RIGHT}  x\n"}])
def test_by_https_too_none_must_be_said(
    tmp_path: Path, site: tuple[type[Site], str], secure: str, files: dict[str, str]
) -> None:
    site[0].files = files
    with pytest.raises(KitError, match="nothing beside it says") as caught:
        fetched(secure, tmp_path, "")
    assert '"none"' in caught.value.fix


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_https_leads_to_nothing_less(
    tmp_path: Path, site: tuple[type[Site], str], secure: str, code: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    site[0].files = {"SHA512SUMS": f"{RIGHT}  {NAME}\n"}
    plain, there = site[1], site[0].do_GET

    def moved(self: Site) -> None:
        if isinstance(self.connection, ssl.SSLSocket) and self.path.endswith(NAME):
            self.send_response(code)
            self.send_header("Location", plain)
            self.end_headers()
        else:
            there(self)

    monkeypatch.setattr(site[0], "do_GET", moved)
    with pytest.raises(KitError, match="leads away from https"):
        fetched(secure, tmp_path, "")


def header(version: int = 3, backing: int = 0, features: int = 0) -> bytes:
    return base.HEADER.pack(base.MAGIC, version, backing, features).ljust(512, b"\0")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (header(backing=104), "backing file"),
        (header(version=2, backing=72), "backing file"),
        (header(features=0b100), "data file"),
        (header(features=0b101), "data file"),
        (b'# Disk DescriptorFile\nRW 1 FLAT "/etc/shadow" 0\n', "not a qcow2 image"),
        (b"", "not a qcow2 image"),
    ],
)
def test_a_disk_that_is_partly_elsewhere_is_refused(
    tmp_path: Path, data: bytes, words: str
) -> None:
    """qemu-img is not even asked: it would open the other file."""
    (disk := tmp_path / "disk.qcow2").write_bytes(data)
    with pytest.raises(KitError, match=words):
        base.alone(disk)
