"""What ``--host`` names: this machine, an address, an alias of ssh's, names and globs of the settings."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from runnerkit.errors import KitError, nearest
from runnerkit.place import settings_file
from runnerkit.settings.model import Settings
from runnerkit.settings.secrets import Secret


@dataclass(frozen=True)
class Target:
    """A host to work on; `name` is as it was asked for, `address` what ssh is given."""

    name: str
    address: str
    identity: str = ""
    password: Secret | None = None


_IPV6 = re.compile(r"\[[0-9a-fA-F:.%\w]+\]")
Known = Callable[[str], bool]


def choose(names: str, settings: Settings, known: Known = bool) -> list[Target]:
    """The hosts of a comma-separated list, each once and in order.

    Args:
        names: the list.
        settings: where hosts have names.
        known: told a bare word that is none of those; whether it is a host all the same.

    Raises:
        KitError: nothing was asked for, or a glob or bare word fits nothing.
    """
    words = [word.strip() for word in names.split(",") if word.strip()]
    if not words:
        raise KitError("no host is named", "give --host local, --host user@address, or --host all")
    found: dict[str, Target] = {}
    for word in words:
        for target in _of(word, settings, known):
            found.setdefault(target.name, target)
    return list(found.values())


def one(name: str, settings: Settings, known: Known = bool) -> Target:
    """The only host of a list.

    Raises:
        KitError: there are more, or none.
    """
    found = choose(name, settings, known)
    if len(found) > 1:
        names = ", ".join(target.name for target in found)
        raise KitError(f"{name} names more than one host: {names}", "name one")
    return found[0]


def _of(word: str, settings: Settings, known: Known) -> list[Target]:
    names = [name for name in settings.hosts if word == "all" or fnmatchcase(name, word)]
    if names:
        return [_named(name, settings) for name in names]
    if word == "local":
        return [Target("local", "local")]
    if wrong := wrong_port(word):
        raise KitError(f"--host {word}: {wrong}", "write user@address:22")
    if word == "all" or (set(word) & set("*?[") and not _IPV6.search(word)):
        raise KitError(
            f"--host {word} fits no [hosts] of the settings",
            f"name one that is in {_file()}",
        )
    if not set(word) & set("@.:") and not known(word):
        raise KitError(
            f"--host {word}: no host of the settings, no alias of ssh's, and no name that this machine "
            f"can resolve{nearest(word, [*settings.hosts, 'all', 'local'])}",
            f"correct it, or write its name and address into [hosts] of {_file()}",
        )
    return [Target(word, word)]


def _file() -> str:
    none = "a runnerkit.toml: there is none here, and RUNNERKIT_SETTINGS names none; ./inv init writes one"
    return str(settings_file() or none)


def wrong_port(address: str) -> str:
    """What is wrong with the port of `[user@]address[:port]`; "" where nothing is."""
    bare = _IPV6.sub("", address.rpartition("@")[2])
    _, colon, port = bare.partition(":")
    if not colon or ":" in port:  # none, or an IPv6 address without brackets
        return ""
    right = port.isascii() and port.isdigit() and 0 < int(port) < 65536
    return "" if right else f"the port {port} is no number from 1 to 65535"


def _named(name: str, settings: Settings) -> Target:
    host = settings.hosts[name]
    password = host.sudo_password.read() if host.sudo_password else None
    return Target(name, host.address, host.identity, password)
