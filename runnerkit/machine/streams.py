"""What Invoke reads from and writes to, and pipes: each without what a login shell says of its own."""

import contextlib
import io
import socket
from collections.abc import Callable
from typing import IO, Any, Protocol

from runnerkit.errors import KitError

CHUNK = 1 << 16
NOISE = 1 << 20  # bytes that a login shell may say before the mark
MOST = 16 << 20  # letters that a script may print; all of them are kept until it ends


class TooMuch(KitError):
    """A script printed more than anything of the kit's does."""

    def __init__(self) -> None:
        super().__init__(
            f"the host printed more than {MOST >> 20} MB in answer to one script",
            "log in there and see what prints so much: a login shell, or sh in its place",
        )


class Pipe(Protocol):
    """What a socket and an SSH channel have in common."""

    def sendall(self, data: bytes, /) -> Any: ...
    def recv(self, size: int, /) -> bytes: ...
    def shutdown(self, how: int, /) -> None: ...
    def close(self) -> None: ...


class AfterMark:
    """A pipe from whose output all up to a mark is thrown away, when it is first read.

    Not before: waiting for the mark would cost a round trip. Everything else is the pipe's own.
    """

    def __init__(self, pipe: Pipe, mark: bytes) -> None:
        self._pipe, self._mark = pipe, mark

    def sendall(self, data: bytes, /) -> None:
        self._pipe.sendall(data)

    def recv(self, size: int, /) -> bytes:
        self._skip()
        return self._pipe.recv(size)

    def makefile(self, *mode: Any, **more: Any) -> Any:
        """As http.client reads an answer; an SSH channel's own file gives nothing before all is there."""
        self._skip()
        if isinstance(self._pipe, socket.socket):
            return self._pipe.makefile(*mode, **more)
        return file(self._pipe)

    def shutdown(self, how: int, /) -> None:
        self._pipe.shutdown(how)

    def close(self) -> None:
        self._pipe.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pipe, name)

    def _skip(self) -> None:
        """Byte by byte, so that none of what follows is taken."""
        end = bytearray()
        for _ in range(NOISE if self._mark else 0):
            if end.endswith(self._mark) or not (byte := self._pipe.recv(1)):
                break
            end += byte
            del end[: -len(self._mark)]
        self._mark = b""


def end(pipe: Pipe) -> None:
    """Close a pipe; a socket alone would stay open to the other side, where somebody waits to read from it."""
    with contextlib.suppress(OSError, EOFError):
        pipe.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError, EOFError):
        pipe.close()


def file(pipe: Pipe) -> io.BufferedReader:
    """What comes from a pipe, as a file."""
    return io.BufferedReader(_Received(pipe), CHUNK)


class _Received(io.RawIOBase):
    def __init__(self, pipe: Pipe) -> None:
        super().__init__()
        self._pipe = pipe

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        data = self._pipe.recv(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class Stdin(io.StringIO):
    """Given to Invoke whole: it would read one character every 10 ms."""

    def read(self, size: int | None = -1, /) -> str:
        return super().read()


class Lines(io.StringIO):
    """Hands on whole lines as they come, from the mark on, and keeps nothing.

    Raises:
        TooMuch: from `write`, when it is enough.
    """

    def __init__(self, line: Callable[[str], None] | None, mark: str) -> None:
        super().__init__()
        self._line, self._mark, self._rest = line, mark, ""
        self._length = 0

    def write(self, text: str, /) -> int:
        self._length += len(text)
        if self._length > MOST:
            raise TooMuch
        if self._line:
            *lines, self._rest = (self._rest + text).replace("\r", "\n").split("\n")
            for whole in filter(str.strip, lines):
                if not self._mark:
                    self._line(whole.strip())
                elif whole.endswith(self._mark):
                    self._mark = ""
        return len(text)


class Unwatched:
    """An Invoke runner without responders, for which it would join all output at each piece of it, and
    with a stdin that is there whole: it would ask for more of it every 10 ms, on each host."""

    write_proc_stdin: Callable[[str], None]
    close_proc_stdin: Callable[[], None]

    def respond(self, buffer_: list[str]) -> None:
        return

    def handle_stdin(self, input_: IO[str], output: IO[str], echo: bool = False) -> None:
        self.write_proc_stdin(input_.read())
        self.close_proc_stdin()
