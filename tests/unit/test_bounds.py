"""Hostile servers and hosts: no answer fills the memory, and none takes longer than its length."""

import gzip
import pkgutil
import re
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module

import docker
import pytest

import runnerkit
from runnerkit.engine import build, client, failure, transfer
from runnerkit.errors import KitError
from runnerkit.images import dockerfile, ignore, reference
from runnerkit.images.definition import JobImage
from runnerkit.machine import sudo
from runnerkit.machine.local import context
from runnerkit.machine.machine import Machine
from runnerkit.machine.streams import AfterMark, Pipe
from runnerkit.plan import Build, Hint, Pull, hint
from runnerkit.printable import printable
from runnerkit.redact import mask
from tests.unit.growth import linear
from tests.unit.test_engine import whole

CHUNKED = b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
BIT = b" " * (1 << 16)
BOMB = gzip.compress(b" " * (1 << 26))


class Channel:
    """What an SSH channel is beside a socket: no file of it reads what is there already."""

    def __init__(self, pipe: socket.socket) -> None:
        self.sendall, self.recv = pipe.sendall, pipe.recv
        self.shutdown, self.close, self.settimeout = pipe.shutdown, pipe.close, pipe.settimeout


class Endless(Machine):
    """A machine whose engine answers what it is asked for with a head, and a piece for ever."""

    def __init__(self, head: bytes, piece: bytes) -> None:
        super().__init__(context())
        self.head, self.piece = head, piece

    def open(self, command: str) -> Pipe:
        ours, theirs = socket.socketpair()
        threading.Thread(target=self._serve, args=(theirs,), daemon=True).start()
        return AfterMark(Channel(ours), b"")

    def _serve(self, pipe: socket.socket) -> None:
        with pipe, pipe.makefile("rb") as requests, suppress(OSError):
            while b"/version" in requests.readline():
                while requests.readline() != b"\r\n":
                    pass
                pipe.sendall(whole({"ApiVersion": "1.41"}))
            pipe.sendall(self.head)
            while True:
                pipe.sendall(self.piece)


def _inspect(_: Machine, api: docker.APIClient) -> None:
    client.find(api, "debian")


def _pull(_: Machine, api: docker.APIClient) -> None:
    transfer.pull(api, Pull("pull", "debian:12", ("debian:12",)), lambda _: None)


def _build(machine: Machine, api: docker.APIClient) -> None:
    change = Build("build web", JobImage("web", "FROM scratch"), buildkit=False)
    build.build(api, machine, change, lambda _: None)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


ENDS = {
    "chunks": (b"\r\n", chunk(BIT)),
    "one chunk of a gigabyte": (b"\r\n40000000\r\n", BIT),
    "a bomb": (b"Content-Encoding: gzip\r\n\r\n", chunk(BOMB)),
}


@pytest.mark.parametrize("work", [_inspect, _pull, _build])
@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("end", ENDS)
def test_an_engine_that_answers_without_end_fills_no_memory(
    work: Callable[[Machine, docker.APIClient], None], status: int, end: str
) -> None:
    head, piece = ENDS[end]
    machine = Endless(CHUNKED % status + head, piece)
    api = client.connect(machine)
    tracemalloc.start()
    try:
        with pytest.raises(KitError, match="answers without end"), failure.translated("this"):
            work(machine, api)
        assert tracemalloc.get_traced_memory()[1] < 6 * client.LARGEST
    finally:
        tracemalloc.stop()
        api.close()


def test_an_engine_that_drips_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PATIENCE", 0.2)
    machine = Endless(CHUNKED % 200 + b"\r\n", chunk(b" "))
    api = client.connect(machine)
    with pytest.raises(KitError, match="answers without end"), failure.translated("this"):
        client.find(api, "debian")


@pytest.mark.parametrize("event", [b"5", b"[]", b'"x"', b"\xff", b"[" * 9000])
@pytest.mark.parametrize("work", [_pull, _build])
def test_an_event_of_another_shape_is_an_error_in_words(
    work: Callable[[Machine, docker.APIClient], None], event: bytes
) -> None:
    machine = Endless(CHUNKED % 200 + b"\r\n", chunk(event + b"\n"))
    api = client.connect(machine)
    with pytest.raises(KitError, match="this: "), failure.translated("this"):
        work(machine, api)


def patterns() -> Iterator[str]:
    """All by which causes are looked for in what others print."""
    for module in pkgutil.walk_packages(runnerkit.__path__, "runnerkit."):
        if not module.name.startswith("runnerkit.kit") and not module.name.endswith("__main__"):
            for name, values in vars(import_module(module.name)).items():
                if name.endswith(("HINTS", "CAUSES")):
                    yield from (one.pattern for one in values if isinstance(one, Hint))
    yield from (pattern for pattern, _, _ in sudo.REFUSALS)


def words(pattern: str) -> set[str]:
    """What its beginnings may be."""
    bare = re.sub(r"\\.|\(\?\w+\)|[\[\](){}|?*+^$]", "\n", pattern)
    return {f"{word}{end}" for word in bare.split("\n") if word for end in ("", " ")}


@pytest.mark.parametrize("pattern", sorted(set(filter(None, patterns()))))
def test_a_cause_is_found_in_time_that_grows_as_the_output_does(pattern: str) -> None:
    def search(text: str) -> None:
        hint(text, (Hint(pattern, "x"),))
        sudo.refusal(text, "host", has_password=False)

    for word in words(pattern):
        assert linear(search, word, 50_000), word


READERS: dict[str, Callable[[str], object]] = {
    "mask": mask,
    "printable": printable,
    "a reference": reference.parse,
    "an ignored path": lambda text: ignore.parse(text, ".dockerignore").matches("a" * 40, ()),
    "a Dockerfile": lambda text: dockerfile.bases(f"FROM a\nRUN {text}\n", {}),
    "its words": lambda text: dockerfile.bases(f'ARG V="{text}"\nFROM ${{V%%{text}}}b\n', {}),
}
PIECES = (
    "a",
    " ",
    "*",
    "**/",
    "\\",
    "\\*",
    "[",
    "[a-",
    "{",
    "$",
    "${",
    '"',
    "'",
    "/",
    ":",
    "@",
    "#",
    "<<a",
)


@pytest.mark.parametrize("reader", READERS)
def test_what_others_write_is_read_in_time_that_grows_as_it_does(reader: str) -> None:
    def read(text: str) -> None:
        with suppress(KitError, ValueError):
            READERS[reader](text)

    for piece in PIECES:
        assert linear(read, piece, 10_000), piece
