"""What a hostile GitLab answers is neither run nor followed, and has an end."""

import json
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, cast

import pytest

from runnerkit.errors import KitError
from runnerkit.fleet.host import Host
from runnerkit.gitlab import server as gitlab
from runnerkit.gitlab import session
from runnerkit.gitlab.runner_token import check_token
from runnerkit.gitlab.server import Server
from runnerkit.gitlab.session import LARGEST
from runnerkit.plan import Script, ServerCall
from runnerkit.settings import tokens
from runnerkit.settings.secrets import Secret
from tests.unit.build import want

API_TOKEN = "glpat-sentinel0000000000"
RUNNER_TOKEN = "glrt-sentinel00000000000"


@dataclass
class Site:
    """A server of the test's own; `seen` has what of each request could hold a token."""

    answer: Callable[[str, str], tuple[int, dict[str, str], bytes]] = lambda *_: (200, {}, b"{}")
    seen: list[str] = field(default_factory=list)
    url: str = ""


@contextmanager
def served(site: Site) -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            site.seen.append(f"{self.command} {self.path}\n{self.headers}\n{body}")
            status, headers, answer = site.answer(self.command, self.path)
            self.send_response(status)
            for key, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(answer)),
                **headers,
            }.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(answer)

        do_POST = do_PUT = do_DELETE = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        site.url = f"http://127.0.0.1:{server.server_port}"
        yield site
        server.shutdown()


def answers(**data: Any) -> Callable[[str, str], tuple[int, dict[str, str], bytes]]:
    return lambda *_: (200, {}, json.dumps(data).encode())


class LocalShell:
    """A host's shell, on this machine and without root."""

    def run(self, script: str, line: object = None) -> str:
        return subprocess.run(
            ["sh", "-c", script], capture_output=True, text=True, check=False
        ).stdout


QUOTES = ["'", '"', "`", "$(touch {0})", "'; touch {0}; '", "\n", "\r", "\x00", "\x7f", "\x85",
          "\u2028", "\u2029", "\u2019", " ", "\\", "é", "٣", ""]  # fmt: skip


@pytest.mark.parametrize("call", ["create", "reset"])
@pytest.mark.parametrize("quote", QUOTES)
def test_a_token_that_gitlab_makes_is_no_script(call: str, quote: str, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    text = quote.format(ran) if quote == "" else f"glrt-abcdefgh{quote.format(ran)}"
    wanted = want(token=None, gitlab={"api_token": {"env": "X"}})
    with served(Site(answers(token=text))) as site:
        wanted = want(token=None, gitlab={"api_token": {"env": "X"}, "url": site.url})
        host = Host(cast(Any, LocalShell()), Secret(API_TOKEN), lambda _: None)
        action = cast(Any, call)
        with pytest.raises(KitError, match="has a space, a quote or a line break"):
            host.write(wanted, [ServerCall("x", action, "web", 1)])
        with pytest.raises(KitError, match="no token"):
            host.script(wanted, Script("register", ":", token="web"))
    assert not ran.exists()


@pytest.mark.parametrize("checked", [True, False])
def test_whatever_a_token_holds_and_wherever_it_is_from_it_is_one_word(
    checked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checked where it is used too; and were the check passed by, it would still be quoted."""
    ran = tmp_path / "ran"
    host = Host(cast(Any, LocalShell()), None, lambda _: None)
    wanted, script = want(token=f"a'; touch {ran}; '"), Script("register", ":", token="web")
    if checked:
        with pytest.raises(KitError, match="has a space, a quote"):
            host.script(wanted, script)
    else:
        monkeypatch.setattr(tokens, "required", lambda token, _: token)
        host.script(wanted, script)
    assert not ran.exists()


REDIRECTS = (301, 302, 303, 307, 308)
CALLS: dict[str, Callable[[Server], object]] = {
    "check": lambda server: server.check(),
    "get": lambda server: server.get(1),
    "whose": lambda server: server.whose(Secret(RUNNER_TOKEN), "s_000000000000"),
    "find": lambda server: server.find(want(token=None).runners[0], "ci1", "note"),
    "create": lambda server: server.create({"runner_type": "instance_type"}),
    "reset": lambda server: server.reset(1),
    "update": lambda server: server.update(1, {"paused": True}),
}


@pytest.mark.parametrize("status", REDIRECTS)
@pytest.mark.parametrize("call", CALLS)
def test_no_redirect_takes_a_token_elsewhere(status: int, call: str) -> None:
    with served(Site()) as other, served(Site()) as site:
        site.answer = lambda *_: (status, {"Location": f"{other.url}/api/v4/x"}, b"")
        with pytest.raises(KitError, match="sends us elsewhere"):
            CALLS[call](Server(site.url, Secret(API_TOKEN)))
    assert other.seen == []


@pytest.mark.parametrize("status", REDIRECTS)
def test_a_runner_s_token_is_not_checked_elsewhere_either(status: int) -> None:
    with served(Site()) as other, served(Site()) as site:
        site.answer = lambda *_: (status, {"Location": other.url}, b"")
        check_token(site.url, Secret(RUNNER_TOKEN), "")
    assert other.seen == []


@pytest.mark.parametrize(
    "location",
    ["//{0}/x", "HTTP://{0}", "https://{1}/", "http://{1}@{0}/", "http:\\\\{0}", "http://{0}#{1}"],
)
def test_however_the_other_server_is_written(location: str) -> None:
    with served(Site()) as other, served(Site()) as site:
        there, here = (one.url.removeprefix("http://") for one in (other, site))
        site.answer = lambda *_: (302, {"Location": location.format(there, here)}, b"")
        with pytest.raises(KitError):
            Server(site.url, Secret(API_TOKEN)).get(1)
    assert other.seen == []


def test_a_redirect_within_the_server_is_followed() -> None:
    with served(Site()) as site:
        site.answer = lambda _, path: (
            (200, {}, b'{"id": 7}') if path == "/moved" else (302, {"Location": "/moved"}, b"")
        )
        found = Server(site.url, Secret(API_TOKEN)).get(1)
        assert found and found.id == 7


def test_the_next_page_is_the_same_server_s_and_pages_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gitlab, "PAGES", 3)
    page = json.dumps([{"id": n + 1} for n in range(gitlab.PAGE)]).encode()
    with served(Site()) as other, served(Site()) as site:
        site.answer = lambda *_: (200, {"Link": f'<{other.url}/x>; rel="next"'}, page)
        with pytest.raises(KitError, match="more than 300 runners"):
            CALLS["find"](Server(site.url, Secret(API_TOKEN)))
        assert len(site.seen) == 3
    assert other.seen == []


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"null", b'{"id": "1/../2"}', b'{"id": -1}',
                                  b'{"id": true}', b'{"id": 1, "tag_list": [{}]}', b"{", b""])  # fmt: skip
@pytest.mark.parametrize("call", ["get", "whose", "create", "find"])
def test_an_answer_of_another_shape_is_an_error_in_words(body: bytes, call: str) -> None:
    with served(Site(lambda *_: (200, {}, body))) as site:
        if call == "find" and body == b"[]":
            assert CALLS[call](Server(site.url, Secret(API_TOKEN))) is None
            return
        with pytest.raises(KitError, match="does not answer as GitLab does"):
            CALLS[call](Server(site.url, Secret(API_TOKEN)))


@pytest.mark.parametrize(
    ("header", "text", "longest"),
    [("Retry-After", "7", 7), ("Retry-After", "1000000000", 4), ("Retry-After", "-5", 4), ("Retry-After", "0000000099999", 4),
     ("Retry-After", "soon", 4), ("Retry-After", "", 4), ("RateLimit-Reset", "99999999999", 4)],
)  # fmt: skip
def test_gitlab_does_not_say_how_long_the_kit_sleeps(
    header: str, text: str, longest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("gitlab.utils.time.sleep", slept.append)
    with served(Site(lambda *_: (429, {header: text}, b"{}"))) as site:
        monkeypatch.setattr("time.time", lambda: 0.0)
        with pytest.raises(KitError, match="429"):
            Server(site.url, Secret(API_TOKEN)).get(1)
    assert slept and all(0 <= one <= longest for one in slept)


def test_an_answer_has_an_end() -> None:
    """A bomb of gzip: small as it comes, and without end unpacked."""
    import gzip

    bomb = gzip.compress(b" " * (LARGEST * 4))
    with (
        served(Site(lambda *_: (200, {"Content-Encoding": "gzip"}, bomb))) as site,
        pytest.raises(KitError, match="answers without end"),
    ):
        Server(site.url, Secret(API_TOKEN)).get(1)


def test_an_answer_that_drips_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has come counts, not only what fills a buffer."""

    def drip(client: socket.socket) -> None:
        with client:
            client.recv(65536)
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n ")
            client.recv(1)  # until it is closed

    monkeypatch.setattr(session, "LONGEST", -1)  # over with the first piece
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=lambda: drip(server.accept()[0]), daemon=True)
        thread.start()
        with pytest.raises(KitError, match="answers without end"):
            check_token(f"http://127.0.0.1:{server.getsockname()[1]}", Secret(RUNNER_TOKEN), "web")
        thread.join(10)
