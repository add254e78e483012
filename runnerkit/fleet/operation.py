"""One run of a verb that changes hosts: which, whose, and with which settings."""

import getpass
import hashlib
import os
import socket
from dataclasses import dataclass
from pathlib import Path

from runnerkit.printable import in_one_line


@dataclass(frozen=True)
class Operation:
    """What is run, and by whom; `digest` says what the settings file held."""

    verb: str = ""
    file: Path | None = None
    digest: str = ""

    @property
    def operator(self) -> str:
        """user@machine, as this machine says."""
        try:
            user = getpass.getuser()
        except (KeyError, OSError):  # of a container's own number
            user = str(os.getuid())
        return in_one_line(f"{user}@{socket.gethostname()}")


def of(verb: str, file: Path | None) -> Operation:
    """The operation that begins now.

    Args:
        verb: as it is typed.
        file: the settings; None for a run without.
    """
    if file is None or not file.is_file():  # a pipe is read once
        return Operation(verb, file)
    return Operation(verb, file, f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}")
