"""sudo's password: from the environment, or asked for once."""

import getpass
import os
import threading

from runnerkit import terminal
from runnerkit.errors import KitError
from runnerkit.secrets import Secret

_asking = threading.Lock()
_answer: list[Secret] = []


def ask() -> Secret:
    """sudo's password, asked once for all hosts."""
    with _asking:
        if not _answer:
            value = os.environ.get("RUNNERKIT_SUDO_PASSWORD", "")
            if not value and os.isatty(0):
                with terminal.quiet():
                    value = getpass.getpass("sudo password on the hosts: ")
            if not value:
                raise KitError(
                    "sudo on the host wants a password, and none is given",
                    "run in a terminal to be asked for it, or set RUNNERKIT_SUDO_PASSWORD",
                )
            _answer.append(Secret(value))
        return _answer[0]
