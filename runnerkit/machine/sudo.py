"""sudo: what it refuses, in words, and its password, asked for once."""

import getpass
import os
import re
import sys
import termios
import threading
from typing import Any

from runnerkit.errors import KitError
from runnerkit.machine import terminal
from runnerkit.settings.secrets import Secret

_asking = threading.RLock()
_answers: dict[str, Secret] = {}  # by the user who logs in
_shown: list[Any] = []  # how the terminal was before it was asked on


# In the words of sudo, and of sudo-rs: a pattern, what is wrong, what to do. That it wants a password
# it says also of who would not be let in with one; it goes on with what it can read of its settings.
WANTED = "password is required|interactive authentication is required"
REFUSALS = (
    (
        "incorrect password|Sorry, try again|no password was provided|Authentication failed"
        "|incorrect authentication",
        "sudo refuses the password",
        "type it again, or set RUNNERKIT_SUDO_PASSWORD to the right one; where sudo asks for a second "
        "factor too, log in as a user of whom it does not",
    ),
    (
        "not in the sudoers|not allowed|may not run sudo",
        "sudo is refused to this user",
        "log in as another user, or give this one sudo on the host",
    ),
    (
        "must have a tty|no tty present and no askpass",
        "sudo on the host wants a terminal",
        "take it out there: Defaults:USER !requiretty in /etc/sudoers.d (visudo); or log in as root",
    ),
    (
        "(?i)account .*expired|password is expired|account validation|account management",
        "sudo on the host says that this user's account or password has expired",
        "renew it there (chage -l USER shows it), or log in as another user",
    ),
    (
        "setuid bit|effective uid is not 0|no new privileges",
        "sudo on the host cannot become root",
        "mend it there: chown root /usr/bin/sudo, chmod 4755, no nosuid in its mount options; or log "
        "in as root",
    ),
    (
        "sudo: not found|sudo: command not found",
        "there is no sudo on the host, and the user is not root",
        "log in as root, or install sudo",
    ),
    (
        WANTED,
        "sudo on the host wants a password",
        "run in a terminal to be asked for it, or set RUNNERKIT_SUDO_PASSWORD",
    ),
    (
        "syntax error|no valid sudoers|error initializing|unable to open /etc/sudoers",
        "sudo's own settings on the host are broken",
        "mend them there: visudo -c names the line; or log in as root",
    ),
)


class NeedsPassword(KitError):
    """sudo wants a password that we do not have."""


def refusal(stderr: str, where: str, has_password: bool) -> KitError | None:
    """What sudo refuses, in words; None where it is not sudo that failed."""
    output = "\n".join(
        re.findall(r"(?m)^(?:sudo:.*|.*sudoers.*|Sorry.*)|sudo: .*not found", stderr)
    )
    for pattern, what, fix in REFUSALS:
        if re.search(pattern, output):
            kind = NeedsPassword if pattern == WANTED and not has_password else KitError
            return kind(f"{where}: {what}", fix)
    return None


def ask(user: str, where: str) -> Secret:
    """sudo's password of a user, asked once for all hosts: one that wants it does not get another's.

    RUNNERKIT_SUDO_PASSWORD is everybody's.

    Args:
        user: who logs in.
        where: the host that wants it.
    """
    with _asking:
        if user not in _answers:
            value = os.environ.get("RUNNERKIT_SUDO_PASSWORD", "")
            value = value or question(
                f"sudo password of {user}, for {where} and {user}'s other hosts: "
            )
            if not value:
                raise KitError(
                    f"{where}: sudo on the host wants a password, and none is given",
                    "run in a terminal to be asked for it, or set RUNNERKIT_SUDO_PASSWORD",
                )
            _answers[user] = Secret(value)
        return _answers[user]


def question(text: str) -> str:
    """What a person types, unseen, one question at a time; "" where there is no terminal."""
    if not os.isatty(0):
        return ""
    with _asking:
        _shown.append(termios.tcgetattr(0))
        try:
            with terminal.quiet():
                return getpass.getpass(text)
        finally:
            _shown.clear()


def interrupted(error: KitError) -> None:
    """End the program where a person is being asked: nothing else ends the wait for the answer."""
    if _shown:
        termios.tcsetattr(0, termios.TCSADRAIN, _shown[0])
        print(f"\n{error}", file=sys.stderr, flush=True)
        os._exit(error.code or 1)
