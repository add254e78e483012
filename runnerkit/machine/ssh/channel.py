"""The channels of an SSH connection, which many share: the end of one must not end all.

Paramiko sends what belongs to a channel outside of the channel's lock, so that it can come after the
close. sshd then ends the whole connection: "ieof packet referred to nonexistent channel".
"""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any, ClassVar

import paramiko
from paramiko.common import MSG_CHANNEL_CLOSE

GONE = (EOFError, OSError, paramiko.SSHException)  # the connection itself, which others tell of


class Lead:
    """A channel, as the socket of another connection or as a pipe: nothing is sent of it once its close
    is.

    A socket has a timeout of 0.1 s, and a pipe waits before it sends: no send holds the lock for long.
    """

    def __init__(self, channel: paramiko.Channel) -> None:
        self._channel = channel

    def send(self, data: bytes) -> int:
        with _sending(self._channel):
            return self._channel.send(data)

    def sendall(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            self._await()
            if not (count := self.send(left)):  # type: ignore[arg-type]
                raise OSError("the channel is closed")
            left = left[count:]

    def shutdown(self, how: int) -> None:
        with _sending(self._channel):
            self._channel.shutdown(how)

    def close(self) -> None:
        with contextlib.suppress(*GONE), _sending(self._channel):
            self._channel.close()

    def _await(self) -> None:
        """Until the other side takes more."""
        channel: Any = self._channel
        with channel.out_buffer_cv:
            while not (channel.out_window_size or channel.closed or channel.eof_sent):
                if not channel.out_buffer_cv.wait(channel.gettimeout()):
                    raise TimeoutError

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)


def _close(channel: paramiko.Channel, message: paramiko.Message) -> None:
    """Answer sshd's close, or leave that to who is sending: the other channels are not held up."""
    vars(channel)["ended"] = message
    _answer(channel)


def _answer(channel: paramiko.Channel) -> None:
    """Answer the close that came meanwhile, unless somebody sends, who does it then."""
    sending = _lock(channel)
    if "ended" in vars(channel) and sending.acquire(blocking=False):
        try:
            if message := vars(channel).pop("ended", None):
                with contextlib.suppress(*GONE):
                    paramiko.Channel._handle_close(channel, message)  # type: ignore[attr-defined]
        finally:
            sending.release()


class Transport(paramiko.Transport):
    """One whose channels are `Lead`s."""

    _channel_handler_table: ClassVar = {
        **paramiko.Transport._channel_handler_table,  # type: ignore[attr-defined]
        MSG_CHANNEL_CLOSE: _close,
    }


@contextlib.contextmanager
def _sending(channel: paramiko.Channel) -> Iterator[None]:
    try:
        with _lock(channel):
            yield
    finally:
        _answer(channel)


def _lock(channel: paramiko.Channel) -> threading.Lock:
    lock: threading.Lock = vars(channel).setdefault("sending", threading.Lock())
    return lock
