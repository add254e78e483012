"""The channels through a jump host, which many hosts share: the end of one must not end all.

Paramiko sends a channel's data outside of the channel's lock, so that it can come after the close.
sshd then ends the whole connection: "data packet referred to nonexistent channel".
"""

import contextlib
import threading
from typing import Any, ClassVar

import paramiko
from paramiko.common import MSG_CHANNEL_CLOSE

GONE = (EOFError, OSError, paramiko.SSHException)  # the connection itself, which others tell of


class Lead:
    """A channel as the socket of another connection: nothing is sent of it once its close is.

    That connection sets a timeout of 0.1 s, so that no send holds the lock for long.
    """

    def __init__(self, channel: paramiko.Channel) -> None:
        self._channel = channel

    def send(self, data: bytes) -> int:
        with _sending(self._channel):
            return self._channel.send(data)

    def close(self) -> None:
        with contextlib.suppress(*GONE), _sending(self._channel):
            self._channel.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)


def _close(channel: paramiko.Channel, message: paramiko.Message) -> None:
    """Answer sshd's close when what is being sent has been, without holding up the other channels."""

    sending = _sending(channel)

    def answer() -> None:
        try:
            with contextlib.suppress(*GONE):
                paramiko.Channel._handle_close(channel, message)  # type: ignore[attr-defined]
        finally:
            sending.release()

    def wait() -> None:
        sending.acquire()
        answer()

    if sending.acquire(blocking=False):
        answer()
    else:
        threading.Thread(target=wait, daemon=True).start()


class Transport(paramiko.Transport):
    """One whose channels are `Lead`s."""

    _channel_handler_table: ClassVar = {
        **paramiko.Transport._channel_handler_table,  # type: ignore[attr-defined]
        MSG_CHANNEL_CLOSE: _close,
    }


def _sending(channel: paramiko.Channel) -> threading.Lock:
    lock: threading.Lock = vars(channel).setdefault("sending", threading.Lock())
    return lock
