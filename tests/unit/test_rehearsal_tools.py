"""What the tools of an image really say, as a rehearsal reads it: each alone, by each shell that is here."""

import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from runnerkit.facts.attempt import verdict
from runnerkit.place import TEMPLATES
from tests.unit.test_rehearsal import CASE, ran

TOOLS = {
    "curl": "curl",
    "wget": "wget",
    "bash": "bash",
    "python3": "python3",
    "nc": "nc",
    "busybox": "wget",
}
SHELLS = [one for one in ("bash", "dash") if shutil.which(one)]
HELPERS = ("tail", "tr")
# The functions alone: nothing is asked but what a test asks.
FUNCTIONS = (TEMPLATES / "rehearsal.sh").read_text().rpartition("\nrehearsal <")[0]


class Refusing(BaseHTTPRequestHandler):
    """GitLab's answer to somebody whom it does not know is an answer."""

    def do_GET(self) -> None:
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture
def closed() -> Iterator[int]:
    with socket.socket() as bound:  # taken, and nobody listens
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[int]:
    """A server whose certificate nobody has signed."""
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    make = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    subprocess.run([*make.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = HTTPServer(("127.0.0.1", 0), Refusing)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def reach(folder: Path, tool: str, shell: str, port: int, scheme: str = "http", **more: str) -> str:
    """What it means that the tool, the only one there, says of an address."""
    names = {name: shutil.which(name) for name in HELPERS}
    if tool:
        names[TOOLS[tool]] = sys.executable if tool == "python3" else shutil.which(tool)
    for name, program in names.items():
        if program is None:
            pytest.skip(f"no {tool or name} here")
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(program)
    text = f"{FUNCTIONS}\nreach gitlab 127.0.0.1 {port} {scheme}://127.0.0.1:{port}/\n"
    done = subprocess.run(
        [shell], executable=shutil.which(shell), input=text, text=True, env={"PATH": str(folder), **more},
        capture_output=True, timeout=30, check=False,
    )  # fmt: skip
    return verdict(ran(CASE, done.stdout).attempts["gitlab"])


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_tells_an_address_that_answers_from_one_that_does_not(
    tmp_path: Path, tool: str, shell: str, port: int, closed: int
) -> None:
    assert reach(tmp_path, tool, shell, port) == "reached"
    assert reach(tmp_path, tool, shell, closed) == "unreached"


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl here")
@pytest.mark.parametrize("tool", ["curl", "wget", "python3"])
def test_a_certificate_that_the_image_does_not_trust_is_told(
    tmp_path: Path, tool: str, secure: int
) -> None:
    assert reach(tmp_path, tool, SHELLS[0], secure, "https") == "untrusted"


@pytest.mark.parametrize("shell", SHELLS)
def test_without_any_tool_nothing_is_claimed(tmp_path: Path, shell: str, port: int) -> None:
    assert reach(tmp_path, "", shell, port) == ""


@pytest.mark.parametrize(
    ("tool", "meaning"), [("bash", ""), ("curl", "unreached"), ("python3", "unreached")]
)
def test_a_proxy_is_asked_or_nothing_is_claimed(
    tmp_path: Path, tool: str, meaning: str, port: int, closed: int
) -> None:
    proxy = f"http://127.0.0.1:{closed}"
    assert reach(tmp_path, tool, SHELLS[0], port, http_proxy=proxy) == meaning
