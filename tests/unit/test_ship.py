"""What shipping an image reckons, and the tunnel on this machine alone."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from runnerkit.engine import registry
from runnerkit.engine.ship import Moved
from runnerkit.engine.space import lacking
from runnerkit.errors import KitError
from runnerkit.fleet.ship import _or_elsewhere
from runnerkit.machine import forward, local, tunnel
from runnerkit.machine.machine import Machine
from runnerkit.settings.targets import Target

HERE = Machine(local.context())
DATA = b"layer" * 1_000_000


@pytest.mark.parametrize(
    ("known", "bytes_"),
    [
        ([], 131), ([["base"]], 31), ([["base", "packages"], ["base"]], 1),
        ([["base", "packages", "code", "more"]], 0), ([["packages", "code"]], 131),
        ([["base", "other", "code"]], 31), ([[]], 131),
    ],
)  # fmt: skip
def test_only_layers_upon_the_same_layers_are_shared(known: list[list[str]], bytes_: int) -> None:
    assert lacking(["base", "packages", "code"], [0, 1, 0, 30, 0, 100], known) == bytes_


def test_a_layer_without_a_size_makes_the_image_no_smaller() -> None:
    assert lacking(["base", "empty", "code"], [1, 0, 100], [["base"]]) == 101


def test_how_it_went_is_one_short_line() -> None:
    assert str(Moved()) == "there already"
    assert str(Moved(5_240_000, "registry")) == "moved 5.2 MB"
    output = str(Moved(163_000_000, "save and load", "sshd refuses"))
    assert output == "moved 163.0 MB by save and load (sshd refuses)"


@pytest.mark.parametrize(
    ("what", "address", "named"),
    [
        ("cannot pull debian:12: no route (no registry mirror is set)", "local", True),
        ("no Docker engine answers on the host", "local", True),
        ("web does not build: E: Unable to locate package x", "local", False),
        ("cannot pull debian:12: no route (no registry mirror is set)", "root@ci1", False),
    ],
)
def test_a_host_may_build_what_this_machine_cannot(what: str, address: str, named: bool) -> None:
    with pytest.raises(KitError) as caught, _or_elsewhere(Target("x", address)):
        raise KitError(what, "mend it")
    assert caught.value.what == what
    assert "mend it" in caught.value.fix
    assert ("--from NAME" in caught.value.fix) is named


@contextlib.contextmanager
def serving(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server on loopback that answers one connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def one() -> None:
            with contextlib.suppress(OSError), server.accept()[0] as connection:
                answer(connection)

        thread = threading.Thread(target=one)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def read(connection: socket.socket) -> bytes:
    """All that comes, until the other side ends."""
    output = b""
    while data := connection.recv(1 << 16):
        output += data
    return output


def echo(connection: socket.socket) -> None:
    connection.sendall(read(connection))


@contextlib.contextmanager
def through(port: int) -> Iterator[tuple[tunnel.Door, socket.socket]]:
    """A connection through a tunnel, and no thread left of it."""
    before = set(threading.enumerate())
    with tunnel.offered(HERE, lambda: forward.dial(HERE, port)) as door:
        connection = socket.create_connection(("127.0.0.1", door.port))
        connection.settimeout(10)
        with connection:
            yield door, connection
    assert set(threading.enumerate()) <= before


def test_bytes_go_both_ways_and_are_counted() -> None:
    with serving(echo) as port, through(port) as (door, connection):
        connection.sendall(DATA)
        connection.shutdown(socket.SHUT_WR)
        assert read(connection) == DATA
        assert door.moved == 2 * len(DATA)


def test_what_is_open_ends_with_the_tunnel() -> None:
    with serving(lambda connection: connection.sendall(read(connection)[:0])) as port:
        before = set(threading.enumerate())
        with tunnel.offered(HERE, lambda: forward.dial(HERE, port)) as door:
            connection = socket.create_connection(("127.0.0.1", door.port))
            connection.settimeout(10)
            connection.sendall(b"half")
            while door.moved < 4:
                pass
        assert set(threading.enumerate()) <= before
        with connection:
            assert connection.recv(1) == b""


def test_a_side_that_dies_ends_the_other() -> None:
    def reset(connection: socket.socket) -> None:
        connection.recv(1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with serving(reset) as port, through(port) as (_, connection):
        connection.sendall(DATA[:10])
        assert connection.recv(1) == b""


def test_a_neighbour_who_knocks_without_end_gets_a_bounded_number_of_connections() -> None:
    before = set(threading.enumerate())
    with (
        socket.create_server(("127.0.0.1", 0), backlog=200) as server,
        tunnel.offered(HERE, lambda: forward.dial(HERE, server.getsockname()[1])) as door,
        contextlib.ExitStack() as held,
    ):
        near = [
            held.enter_context(socket.create_connection(("127.0.0.1", door.port)))
            for _ in range(tunnel.AT_ONCE + 20)
        ]
        for refused in near[tunnel.AT_ONCE :]:
            refused.settimeout(10)
            assert refused.recv(1) == b""
    assert set(threading.enumerate()) <= before


def test_why_nobody_answers_is_known() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with through(port) as (door, connection):
        assert connection.recv(1) == b""
        assert "refused" in door.failure


def test_a_line_without_end_is_not_read_for_ever() -> None:
    class Endless:
        def recv(self, size: int) -> bytes:
            self.read = getattr(self, "read", 0) + size
            assert self.read < 10 * registry.LONGEST
            return b"x" * size

    assert registry._line(Endless()) == "x" * registry.LONGEST  # type: ignore[arg-type]
