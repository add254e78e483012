"""Whether a bare word is the name of a host, asked before anything is done."""

import socket

from runnerkit.machine import ssh_config


def known(word: str) -> bool:
    """Whether ssh's own settings have it as an alias, or it resolves here."""
    settings = ssh_config.read()
    found = settings.lookup(word)
    if word in settings.get_hostnames() or found["hostname"] != word:
        return True
    if {"proxyjump", "proxycommand"} & {*found}:  # resolved there
        return True
    try:
        return bool(socket.getaddrinfo(word, None))
    except (OSError, UnicodeError):
        return False
