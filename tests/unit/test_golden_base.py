"""A base disk that is fetched: whole, and what its publisher says, or not at all."""

import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runnerkit.errors import KitError
from runnerkit.golden import base

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
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Own, f"http://127.0.0.1:{server.server_port}/images/{NAME}"
        server.shutdown()


def fetched(url: str, folder: Path) -> tuple[bytes, str]:
    output: list[str] = []
    base._fetch(url, folder / "new", output.append)
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
def test_one_of_which_nothing_is_said_is_taken_and_told(
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
