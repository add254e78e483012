"""What ``--host`` names: this machine, an address, an alias of ssh's, names and globs of the settings."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from runnerkit.errors import KitError, nearest
from runnerkit.settings.model import Settings
from runnerkit.settings.secrets import Secret


@dataclass(frozen=True)
class Target:
    """A host to work on; `name` is as it was asked for, `address` what ssh is given."""

    name: str
    address: str
    identity: str = ""
    password: Secret | None = None


def choose(names: str, settings: Settings) -> list[Target]:
    """The hosts of a comma-separated list, each once and in order.

    Raises:
        KitError: nothing was asked for, or a glob or bare name fits nothing.
    """
    words = [word.strip() for word in names.split(",") if word.strip()]
    if not words:
        raise KitError("no host is named", "give --host local, --host user@address, or --host all")
    found: dict[str, Target] = {}
    for word in words:
        for target in _of(word, settings):
            found.setdefault(target.name, target)
    return list(found.values())


def one(name: str, settings: Settings) -> Target:
    """The only host of a list.

    Raises:
        KitError: there are more, or none.
    """
    found = choose(name, settings)
    if len(found) > 1:
        names = ", ".join(target.name for target in found)
        raise KitError(f"{name} names more than one host: {names}", "name one")
    return found[0]


def _of(word: str, settings: Settings) -> list[Target]:
    names = [name for name in settings.hosts if word == "all" or fnmatchcase(name, word)]
    if names:
        return [_named(name, settings) for name in names]
    if word == "local":
        return [Target("local", "local")]
    if word == "all" or set(word) & set("*?["):
        raise KitError(
            f"--host {word} fits no [hosts] of the settings",
            "name one that is there; without a runnerkit.toml, ./inv init writes one",
        )
    if "@" not in word and "." not in word and (near := nearest(word, settings.hosts)):
        raise KitError(f"--host {word}: not in [hosts]{near}", "correct it, or add it there")
    return [Target(word, word)]


def _named(name: str, settings: Settings) -> Target:
    host = settings.hosts[name]
    password = host.sudo_password.read() if host.sudo_password else None
    return Target(name, host.address, host.identity, password)
