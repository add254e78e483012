"""Whether a bare word is the name of a host, asked before anything is done."""

import socket

from runnerkit.machine.hop import Reader


def known(word: str) -> bool:
    """Whether ssh's own settings lead somewhere by it, or it resolves here."""
    hop = Reader().hop(word)
    if hop.host != word or hop.via or hop.command:  # resolved there
        return True
    try:
        return bool(socket.getaddrinfo(word, None))
    except (OSError, UnicodeError):
        return False
