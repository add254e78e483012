"""What the kit itself asks: by a CA of the settings, and on a host's way through a proxy."""

import base64
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from runnerkit.errors import KitError
from runnerkit.gitlab.server import Server
from runnerkit.machine import local
from runnerkit.machine.machine import Machine
from runnerkit.machine.route import Route, Trouble
from runnerkit.settings.secrets import Secret
from tests.hosts.lying import listening
from tests.hosts.sick import as_json, certificate, server

HOME = "127.0.0.1"


class Proxy(BaseHTTPRequestHandler):
    """CONNECT, and absolute addresses, for who logs in as ci:a/b; it notes both."""

    asked: list[str]

    def do_CONNECT(self) -> None:
        if not self.let_in():
            return
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=5) as there:
            self.send_response(200)
            self.end_headers()
            up = threading.Thread(target=pump, args=(self.connection, there), daemon=True)
            up.start()
            pump(there, self.connection)

    def do_GET(self) -> None:
        if self.let_in():
            self.send_response(401)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def let_in(self) -> bool:
        self.asked.append(self.path)
        known = base64.b64encode(b"ci:a/b").decode()
        if self.headers.get("Proxy-Authorization") == f"Basic {known}":
            return True
        self.send_error(407, "Proxy Authentication Required")
        return False

    def log_message(self, *_: Any) -> None:
        return


def pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(1 << 14):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


@pytest.fixture(params=["http", "https"])
def proxy(
    request: pytest.FixtureRequest, files: tuple[str, str]
) -> Iterator[tuple[str, list[str]]]:
    """Its address, with the login; and what it was asked for."""
    asked: list[str] = []
    handler = type("Noting", (Proxy,), {"asked": asked})
    with listening(HOME, handler, files if request.param == "https" else None) as url:
        yield url.replace("://", "://ci:a%2Fb@"), asked


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Of a certificate, and of its key."""
    return certificate(tmp_path_factory.mktemp("ca"), HOME)


def route(proxy: str, ca: str = "") -> Route:
    return Route(Machine(local.context()), trusted={"": ca}, through=lambda _: proxy)


def test_a_server_is_asked_through_the_proxy_and_by_the_ca(
    files: tuple[str, str], proxy: tuple[str, list[str]]
) -> None:
    with server(HOME, lambda _: as_json(401, {}), files) as url:
        answer = route(proxy[0], Path(files[0]).read_text()).ask(f"{url}/api")
    assert (answer.status, proxy[1]) == (401, [url.removeprefix("https://")])


def test_by_http_it_is_asked_for_the_whole_address(
    files: tuple[str, str], proxy: tuple[str, list[str]]
) -> None:
    assert (
        route(proxy[0], Path(files[0]).read_text()).ask("http://nowhere.invalid/a?b=c").status
        == 401
    )
    assert proxy[1] == ["http://nowhere.invalid/a?b=c"]


def test_a_proxy_that_refuses_is_told_in_its_own_words(
    files: tuple[str, str], proxy: tuple[str, list[str]]
) -> None:
    with pytest.raises(Trouble, match="the proxy answers 407 Proxy Authentication Required"):
        route(proxy[0].replace("a%2Fb", "wrong"), Path(files[0]).read_text()).ask(
            "https://nowhere.invalid/"
        )


def test_a_proxy_whose_certificate_nobody_knows_is_no_proxy(files: tuple[str, str]) -> None:
    with listening(HOME, Proxy, files) as url, pytest.raises(Trouble) as caught:
        route(url).ask("https://nowhere.invalid/")
    assert caught.value.kind == "certificate"


def test_gitlabs_api_is_trusted_by_the_ca_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    files = certificate(tmp_path, HOME)
    token = Secret("glpat-unit00000000000000")
    with server(HOME, lambda _: as_json(200, {"id": 1}), files) as url:
        with pytest.raises(KitError) as caught:
            Server(url, token).check()
        assert "ca_file" in caught.value.fix
        Server(url, token, ca=Path(files[0]).read_text()).check()
