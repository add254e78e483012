"""Whether a bare word is the name of a host, asked before anything is done."""

import shutil
import socket

from runnerkit.machine.ssh import settings

NOBODY = "runnerkit-asks-for-nobody"  # what ssh's settings say of all names alike


def known(word: str) -> bool:
    """Whether ssh's own settings say something of it alone, or it resolves here."""
    if shutil.which("ssh"):
        mine, other = (settings.answer((name,)) for name in (word, NOBODY))
        alike = {key: [one.replace(NOBODY, word) for one in other[key]] for key in other}
        alike["hostname"] = [word.lower()]  # as ssh has it of what names no other
        if {**mine, "controlpath": []} != {**alike, "controlpath": []}:
            return True
        if {"proxyjump", "proxycommand"} & {*mine}:  # resolved there
            return True
    try:
        return bool(socket.getaddrinfo(word, None))
    except (OSError, UnicodeError):
        return False
