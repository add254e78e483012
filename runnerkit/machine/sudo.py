"""sudo's password: from the environment, or asked for once."""

import getpass
import os
import sys
import termios
import threading
from typing import Any

from runnerkit.errors import KitError
from runnerkit.machine import terminal
from runnerkit.settings.secrets import Secret

_asking = threading.Lock()
_answer: list[Secret] = []
_shown: list[Any] = []  # how the terminal was before it was asked on


def ask() -> Secret:
    """sudo's password, asked once for all hosts."""
    with _asking:
        if not _answer:
            value = os.environ.get("RUNNERKIT_SUDO_PASSWORD", "")
            if not value and os.isatty(0):
                _shown.append(termios.tcgetattr(0))
                try:
                    with terminal.quiet():
                        value = getpass.getpass("sudo password on the hosts: ")
                finally:
                    _shown.clear()
            if not value:
                raise KitError(
                    "sudo on the host wants a password, and none is given",
                    "run in a terminal to be asked for it, or set RUNNERKIT_SUDO_PASSWORD",
                )
            _answer.append(Secret(value))
        return _answer[0]


def interrupted(error: KitError) -> None:
    """End the program where a person is being asked: nothing else ends the wait for the answer."""
    if _shown:
        termios.tcsetattr(0, termios.TCSADRAIN, _shown[0])
        print(f"\n{error}", file=sys.stderr, flush=True)
        os._exit(error.code or 1)
