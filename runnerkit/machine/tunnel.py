"""TCP over the very same SSH connection: to a port of a host's loopback, and from one.

Fabric's own forward reads 1000 bytes at a time, which is five times slower, and counts none.
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

from runnerkit.errors import KitError
from runnerkit.machine.failure import translated
from runnerkit.machine.forward import LOOPBACK, NoForwarding
from runnerkit.machine.machine import Machine
from runnerkit.machine.streams import Pipe, end

CHUNK = 1 << 18
AT_ONCE = 50  # connections through one door: an engine makes a few, a neighbour any number


class Door:
    """A port of a host's loopback, each connection to which is answered by one of ours.

    `moved` counts the bytes that went through, either way; `failure` is why a connection could
    not be answered.
    """

    def __init__(self, connect: Callable[[], Pipe]) -> None:
        self.port, self.moved, self.failure = 0, 0, ""
        self._connect = connect
        self._lock = threading.Lock()
        self._open: set[Pipe] | None = set()
        self._threads: list[threading.Thread] = []

    def answer(self, near: Pipe) -> None:
        """Connect what has come in with what `connect` gives, or end it; returns at once."""
        with self._lock:
            self._threads = [one for one in self._threads if one.is_alive()]
            work = self._serve if len(self._threads) < AT_ONCE else end
            thread = threading.Thread(target=work, args=(near,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def close(self) -> None:
        """End all connections; no thread of theirs is left."""
        with self._lock:
            left, self._open = self._open or set(), None
        for pipe in left:
            end(pipe)
        for thread in self._threads:
            thread.join()

    def _serve(self, near: Pipe) -> None:
        with self._kept(near):
            try:
                far = self._connect()
            except (KitError, ConnectionRefusedError) as error:  # the other side sees an end
                self.failure = str(getattr(error, "what", error))
                return
            except Exception:  # in SSH's own words
                self.failure = "the connection broke"
                return
            with self._kept(far):
                back = threading.Thread(target=self._copy, args=(far, near), daemon=True)
                back.start()
                self._copy(near, far)
                back.join()

    def _copy(self, source: Pipe, sink: Pipe) -> None:
        try:
            while data := source.recv(CHUNK):
                sink.sendall(data)
                with self._lock:
                    self.moved += len(data)
            sink.shutdown(socket.SHUT_WR)
        except (OSError, EOFError):  # one side has died: the other must not wait for it
            end(source)
            end(sink)

    @contextlib.contextmanager
    def _kept(self, pipe: Pipe) -> Iterator[None]:
        """Let `close` end it as long as it is in use."""
        with self._lock:
            if self._open is not None:
                self._open.add(pipe)
            else:
                end(pipe)
        try:
            yield
        finally:
            end(pipe)
            with self._lock:
                (self._open or set()).discard(pipe)


@contextlib.contextmanager
def offered(machine: Machine, connect: Callable[[], Pipe]) -> Iterator[Door]:
    """A port of the host's loopback, each connection to which is answered by `connect()`.

    A host has one such door at a time.

    Raises:
        NoForwarding: sshd does not forward.
    """
    door = Door(connect)
    with _over_ssh(machine, door) if machine.transport else _here(door):
        try:
            yield door
        finally:
            door.close()


@contextlib.contextmanager
def _over_ssh(machine: Machine, door: Door) -> Iterator[None]:
    import paramiko

    from runnerkit.machine.ssh.channel import Lead

    transport = machine.transport
    assert transport
    with translated(machine.where()):
        try:
            door.port = transport.request_port_forward(
                LOOPBACK, 0, lambda channel, *_: door.answer(Lead(channel))
            )
        except paramiko.SSHException:
            if transport.is_active():
                raise NoForwarding(machine) from None
            raise
    try:
        yield
    finally:
        with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
            transport.cancel_port_forward(LOOPBACK, door.port)


@contextlib.contextmanager
def _here(door: Door) -> Iterator[None]:
    with socket.create_server((LOOPBACK, 0)) as server:
        door.port = server.getsockname()[1]

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    door.answer(server.accept()[0])

        listening = threading.Thread(target=accept, daemon=True)
        listening.start()
        try:
            yield
        finally:
            server.shutdown(socket.SHUT_RDWR)  # this, not close, wakes accept
            listening.join()
