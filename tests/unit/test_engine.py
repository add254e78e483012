"""What is said when the Docker engine, or the connection to it, goes away."""

import base64
import contextlib
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator

import docker
import pytest

from runnerkit.engine import build, buildkit, client, failure, transfer
from runnerkit.errors import KitError
from runnerkit.images.definition import JobImage
from runnerkit.machine.local import context
from runnerkit.machine.machine import Machine
from runnerkit.machine.streams import Pipe
from runnerkit.plan import Build, Pull

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
DETAIL = {"status": "Downloading", "id": "abc", "progressDetail": {"current": 5, "total": 10}}
EVENTS: list[object] = [{"stream": "Step 1/2 : FROM scratch"}, DETAIL, DETAIL]


def whole(answer: object) -> bytes:
    body = json.dumps(answer).encode()
    return HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def streamed(*events: object) -> bytes:
    lines = [json.dumps(event).encode() + b"\r\n" for event in events]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(line), line) for line in lines)
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


class Cut(Machine):
    """A machine whose engine gives one answer to whatever takes long, and breaks off then."""

    def __init__(self, answer: bytes) -> None:
        super().__init__(context())
        self.answer = answer
        self.failure: KitError | None = None

    def open(self, command: str) -> Pipe:
        if self.failure:
            raise self.failure
        ours, theirs = socket.socketpair()
        threading.Thread(target=self._serve, args=(theirs,), daemon=True).start()
        return ours

    def _serve(self, pipe: socket.socket) -> None:
        with pipe, pipe.makefile("rb") as requests, contextlib.suppress(OSError):
            while calls := requests.readline():
                while requests.readline() != b"\r\n":
                    pass
                if calls.startswith(b"POST"):
                    pipe.sendall(self.answer)
                    return
                pipe.sendall(whole({"ApiVersion": "1.41", "RegistryConfig": {}}))


@contextlib.contextmanager
def connected(answer: bytes) -> Iterator[tuple[Cut, docker.APIClient]]:
    machine = Cut(answer)
    api = client.connect(machine)
    yield machine, api
    api.close()


def _pull(_: Machine, api: docker.APIClient) -> None:
    change = Pull("pull debian:12", "debian:12", ("debian:12",))
    transfer.pull(api, change, lambda _: None)


def _push(_: Machine, api: docker.APIClient) -> None:
    transfer.push(api, "here:5000/web:1", {"username": "u", "password": "p"}, lambda _: None)


def _build(machine: Machine, api: docker.APIClient) -> None:
    change = Build("build web", JobImage("web", "FROM scratch"), buildkit=False)
    build.build(api, machine, change, lambda _: None)


def _load(_: Machine, api: docker.APIClient) -> None:
    list(api.load_image(iter([b"layer"])))  # type: ignore[no-untyped-call]


WORK: list[Callable[[Machine, docker.APIClient], None]] = [_pull, _push, _build, _load]


@pytest.mark.parametrize("work", WORK)
def test_an_answer_cut_off_anywhere_is_told_in_words(
    work: Callable[[Machine, docker.APIClient], None],
) -> None:
    answer = streamed(*EVENTS)
    with connected(answer) as door, failure.translated("this"):
        work(*door)
    for end in range(answer.index(b"\r\n0\r\n\r\n") + 2):
        with (
            connected(answer[:end]) as door,
            pytest.raises(KitError) as caught,
            failure.translated("this"),
        ):
            work(*door)
        assert caught.value.what == "this: the connection to the Docker engine broke"
        assert caught.value.fix == "run again: it goes on from there"


@pytest.mark.parametrize("work", [_push, _build, _load])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_hostile_engine_leads_nobody_out_of_the_tunnel(
    work: Callable[[Machine, docker.APIClient], None], status: int, scheme: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.setblocking(False)
        location = f"{scheme}://127.0.0.1:{elsewhere.getsockname()[1]}/secrets"
        head = f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
        with (
            connected(head.encode()) as door,
            pytest.raises(KitError, match="redirects elsewhere"),
            failure.translated("this"),
        ):
            work(*door)
        with pytest.raises(BlockingIOError):
            elsewhere.accept()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 101 UPGRA", "build web: the connection to the Docker engine broke"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "the Docker engine gives no session for secrets"),
    ],
)
def test_a_session_that_does_not_come_about_says_why(answer: bytes, words: str) -> None:
    with (
        pytest.raises(KitError, match=words),
        failure.translated("build web"),
        buildkit.session(Cut(answer), "1.41", {}),
    ):
        pass


def test_a_session_s_answer_without_end_is_not_read_for_ever() -> None:
    with (
        pytest.raises(KitError, match="gives no session"),
        buildkit.session(Cut(b"HTTP/1.1 101 UPGRADED\r\n" + b"x" * (1 << 17)), "1.41", {}),
    ):
        pass


def test_a_number_of_a_trace_that_has_no_end_is_none() -> None:
    with pytest.raises(ValueError, match="no end"):
        list(buildkit.trace(base64.b64encode(b"\xff" * 100 + b"\x01").decode()))


def test_a_line_of_a_build_that_never_ends_does_not_grow_for_ever() -> None:
    log = build._Log(lambda _: None)
    for _ in range(10):
        log._buildkit(buildkit.Status("step", text=b"x" * build.LINE))
    assert sum(map(len, log._rests.values())) == build.LINE


def test_a_host_that_cannot_be_reached_any_more_is_told_with_what_was_under_way() -> None:
    with connected(b"") as (machine, api):
        machine.failure = KitError("root@ci1:22: the connection broke", "run again")
        with pytest.raises(KitError) as caught, failure.translated("pull debian:12"):
            _pull(machine, api)
    assert caught.value.what == "pull debian:12: root@ci1:22: the connection broke"
    assert caught.value.fix == "run again"


def test_an_engine_that_falls_silent_has_not_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PATIENCE", 0.05)
    ours, theirs = socket.socketpair()
    with connected(b"") as (machine, api), theirs, pytest.raises(KitError) as caught:
        monkeypatch.setattr(machine, "open", lambda _: ours)
        with failure.translated("push web"):
            _push(machine, api)
    assert "push web: the Docker engine has said nothing for" in caught.value.what


REASONS = {
    "no such image": "check the name",
    "write /var/lib/docker/tmp/x: no space left on device": "make room on the host",
    "error creating temporary lease: connection refused: unavailable": "run again",
    "received unexpected HTTP status: 503 Service Unavailable": "the registry itself fails",
    "toomanyrequests: You have reached your pull rate limit": "registry_mirrors",
    'Get "https://r:5000/v2/": http: server gave HTTP response to HTTPS client': "insecure-registries",
    "tls: failed to verify certificate: x509: certificate signed by unknown authority": "certs.d",
    "x509: certificate has expired or is not yet valid: current time 2026-01-01T00:00:00Z is before "
    "2026-02-01T00:00:00Z": "clock of the host is behind",
    "no matching manifest for linux/arm64/v8 in the manifest list entries": "architecture",
    "write /var/lib/docker/tmp/x: read-only file system": "mount that file system",
}


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("work", [_pull, _push])
def test_what_to_do_follows_from_what_the_engine_says(
    work: Callable[[Machine, docker.APIClient], None], reason: str
) -> None:
    with (
        connected(streamed({"error": reason})) as door,
        pytest.raises(KitError, match=re.escape(reason)) as caught,
    ):
        work(*door)
    assert REASONS[reason] in caught.value.fix


@pytest.mark.parametrize("work", [_pull, _push])
def test_an_engine_s_reason_shows_no_login(
    work: Callable[[Machine, docker.APIClient], None],
) -> None:
    reason = 'Get "https://ci:S3cretWord@r.example/v2/": 401, token=S3cretWord'
    with connected(streamed({"error": reason})) as door, pytest.raises(KitError) as caught:
        work(*door)
    assert "r.example" in caught.value.what
    assert "S3cretWord" not in str(caught.value)


def test_what_the_engine_refuses_is_told_in_its_words() -> None:
    refusal = b"HTTP/1.1 500 Oops\r\nContent-Length: 20\r\n\r\n" + b'{"message":"no such"}'[:20]
    with (
        connected(refusal) as (_, api),
        pytest.raises(KitError) as caught,
        failure.translated("tag it"),
    ):
        api.tag("web:1", "web", "2")
    assert "tag it: the Docker engine refuses: " in caught.value.what
