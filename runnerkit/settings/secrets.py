"""Secrets: where they come from, and a type that never prints them."""

import os
import re
import subprocess
from pathlib import Path

import msgspec

from runnerkit.errors import KitError, text_of

_STEM = (
    "token|secret|passw(?:or)?d|passphrase|pwd|credential|authconfig|secretkeybase"
    "|(?:access|account|secret|private|api|ssh|signing|encryption)key"
)
_ENDS = re.compile(f"(?:{_STEM})s?$")
_HOLDS = re.compile(_STEM)
_WORDS = {"pass", "pw", "auth", "auths", "authorization"}
# How the names of what only has to do with a secret end.
_ABOUT = {
    *("at", "file", "path", "dir", "url", "endpoint", "id", "ids", "name", "names", "username"),
    *("type", "method", "plugin", "plugins", "ttl", "timeout", "expiry", "lifetime", "allowed"),
    *("enabled", "sock", "format", "user", "email"),
}
NEVER = 'a secret is never written here: { env = "NAME" }, { file = "PATH" } or { command = ["…"] }'


def names_secret(key: str) -> bool:
    """Whether what has this name is a secret: DB_PASSWORD, SecretKey, splunk-token."""
    words = _words(key)
    return bool(words) and (
        words[-1] in _WORDS or words == ["key"] or bool(_ENDS.search("".join(words)))
    )


def may_name_secret(key: str) -> bool:
    """The same, also where only a part of the name says so: what is shown rather masks too much."""
    held = _HOLDS.search("".join(_words(key)))
    return bool(held and not tells_about(key)) or names_secret(key)


def tells_about(key: str) -> bool:
    """Whether what has this name only has to do with a secret: KEY_PATH, username."""
    words = _words(key)
    return bool(words) and words[-1] in _ABOUT


def _words(key: str) -> list[str]:
    """A name's words without case, a number at its end left out."""
    found = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", key)
    while found and found[-1].isdigit():
        found.pop()
    return [word.lower() for word in found]


class Secret:
    """A token or password. Shows as ``***`` everywhere; only `reveal` gives it away."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a secret is kept; exactly one of the three. Never the secret itself."""

    env: str = ""
    file: str = ""
    command: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if sum(map(bool, (self.env, self.file, self.command))) != 1:
            raise ValueError('give exactly one of env = "NAME", file = "PATH", command = ["…"]')
        if (self.env and not self.env.isidentifier()) or "\0" in "".join(self.command):
            raise ValueError(NEVER)  # and not shown: it may be the secret itself

    def read(self) -> Secret | None:
        """The secret, or None where the environment variable is not set.

        Raises:
            KitError: the file cannot be read, or the command failed.
        """
        if self.env:
            value = os.environ.get(self.env, "")
        elif self.file:
            value = text_of(
                Path(self.file).expanduser(), "this file should hold a secret of the settings"
            )
        else:
            value = _output(self.command)
        return Secret(value.strip()) if value.strip() else None

    def __str__(self) -> str:
        return self.env or self.file or " ".join(self.command)


def _output(command: tuple[str, ...]) -> str:
    try:
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    except OSError as error:
        raise KitError(
            f"the secret's command cannot be run: {command[0]}: {error.strerror}",
            "correct command = […] in the settings, or install the program",
        ) from None
    except subprocess.CalledProcessError as error:
        raise KitError(
            f"the secret's command {command[0]} ended with {error.returncode}",
            "what it said stands above; run it by hand to see more",
        ) from None
    except UnicodeDecodeError:
        raise KitError(
            f"what the secret's command {command[0]} printed is no text",
            "let it print the secret alone",
        ) from None
