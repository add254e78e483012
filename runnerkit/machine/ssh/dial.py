"""What leads to a hop that is reached from here: TCP, or the ProxyCommand of ssh's settings."""

import os
import socket
import subprocess
from typing import IO

from runnerkit.machine.ssh.hop import Hop

FAMILIES = {"inet": socket.AF_INET, "inet6": socket.AF_INET6}  # AddressFamily


def tcp(hop: Hop, timeout: float) -> socket.socket:
    """A connection to the first of its addresses that answers, as ssh tries them.

    Args:
        hop: where to.
        timeout: seconds for each address.

    Raises:
        OSError: none answers; why the last one does not.
    """
    family = FAMILIES.get(hop.family, socket.AF_UNSPEC)
    found = socket.getaddrinfo(hop.host, hop.port, family, socket.SOCK_STREAM)
    while True:
        family, kind, protocol, _, address = found.pop(0)
        result = socket.socket(family, kind, protocol)
        try:
            result.settimeout(timeout)
            if hop.source:
                result.bind((hop.source, 0))
            result.connect(address)
        except OSError:
            result.close()
            if not found:
                raise
        else:
            return result


def command(hop: Hop, stderr: IO[bytes]) -> socket.socket:
    """The ProxyCommand's stdin and stdout; it ends with them."""
    ours, theirs = socket.socketpair()
    shell = os.environ.get("SHELL") or "/bin/sh"
    with theirs:
        subprocess.Popen(
            [shell, "-c", f"exec {hop.command}"],
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=stderr,
        )
    return ours
