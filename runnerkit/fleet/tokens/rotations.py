"""Resets of tokens that are on their way, kept on this machine: which runner a void token was.

GitLab tells that of a valid token alone, and a host's own word is not believed. A record has no token.
"""

import hashlib
import json
from contextlib import suppress
from pathlib import Path

from runnerkit.errors import KitError
from runnerkit.place import state
from runnerkit.replacing import replacing
from runnerkit.settings.secrets import Secret


def begin(url: str, former: Secret, number: int) -> None:
    """Note a reset before it is made.

    Raises:
        KitError: it cannot be written.
    """
    file = _folder() / f"{_prefix(url, number)}{_digest(url, former)}"
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with replacing(file) as new:
            new.write_text(json.dumps(number))
    except OSError as error:
        raise KitError(
            f"what is under way cannot be noted in {file.parent}: {error.strerror}",
            "make that folder writable; no token was changed",
        ) from None


def begun(url: str, former: Secret) -> int | None:
    """The runner that had this token, where a reset was cut off."""
    for file in _folder().glob(f"*-{_digest(url, former)}"):
        with suppress(OSError, ValueError):
            number = json.loads(file.read_text())
            return number if type(number) is int and number > 0 else None
    return None


def end(url: str, number: int) -> None:
    """A host has the runner's new token: from there on it is not lost."""
    for file in _folder().glob(f"{_prefix(url, number)}*"):
        with suppress(OSError):
            file.unlink()


def _folder() -> Path:
    return state() / ".runnerkit/rotations"


def _prefix(url: str, number: int) -> str:
    return f"{hashlib.sha256(url.encode()).hexdigest()[:8]}-{number}-"


def _digest(url: str, former: Secret) -> str:
    return hashlib.sha256(f"{url}\0{former.reveal()}".encode()).hexdigest()[:32]
