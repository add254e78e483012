"""One run of a verb that changes hosts: which, whose, and with which settings."""

import contextlib
import getpass
import hashlib
import os
import socket
import subprocess
from dataclasses import dataclass
from functools import cache
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

    def known(self) -> dict[str, str]:
        """What a host's audit trail is told; the commit, where the settings are in a clone of git's."""
        file = {"settings": self.file.name, "digest": self.digest} if self.file else {}
        commit = {"commit": found} if self.file and (found := _commit(self.file.parent)) else {}
        return {"operator": self.operator, "verb": self.verb, **file, **commit}

    def data(self) -> dict[str, object]:
        """The same for programs."""
        settings = {"file": str(self.file), "digest": self.digest or None} if self.file else None
        return {"verb": self.verb, "operator": self.operator, "settings": settings}


@cache
def _commit(folder: Path) -> str:
    """What is checked out there; "" where that cannot be told."""
    command = ["git", "-C", str(folder), "rev-parse", "--verify", "--quiet", "HEAD"]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        output = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
        return output.stdout.strip()
    return ""


def of(verb: str, file: Path | None) -> Operation:
    """The operation that begins now.

    Args:
        verb: as it is typed.
        file: the settings; None for a run without.
    """
    if file is None or not file.is_file():  # a pipe is read once
        return Operation(verb, file)
    return Operation(verb, file, f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}")
