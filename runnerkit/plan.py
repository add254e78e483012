"""A change as data: it names itself in the imperative, carries its diff, and says what it must reach."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from runnerkit.bundle.contents import BundledImage
from runnerkit.bundle.reading import Bundle
from runnerkit.images.definition import JobImage
from runnerkit.images.reference import bare
from runnerkit.printable import clipped

Value = str | int | bool | list[str] | None  # of a runner at GitLab


@dataclass(frozen=True)
class Hint:
    """What to do when a change fails and its output holds `pattern`."""

    pattern: str
    fix: str


# What lies with the host's system, whatever was to be done there.
CAUSES = (
    Hint(
        "(?i)not valid yet|certificate is not yet valid|not yet activated|not yet valid certificate"
        "|not live until|current time .* is before",
        "the clock of the host is behind: set it (timedatectl set-ntp true, or date -s), then run again",
    ),
    Hint(
        "(?i)certificate has expired(?! or)|expired certificate|current time .* is after",
        "the certificate of that site has run out, and is to be renewed there; unless the clock of the "
        "host is ahead: date there tells",
    ),
    Hint(
        "(?i)read-only file ?system",
        "mount that file system so that it can be written to; where it became read-only by itself, "
        "dmesg on the host tells of its disk",
    ),
    Hint("(?i)disk quota exceeded", "raise the quota of root there, or remove files within it"),
    Hint(
        "(?i)no space left on device|not have enough free space",
        "make room on the host: df -h and df -i there show where it is full, ./inv image.prune takes "
        "what jobs left",
    ),
    Hint("(?i)input/output error", "the disk of the host fails: dmesg there tells more"),
)
UNKNOWN = Hint("", "mend on the host what is said above, then run again")


def hint(output: str, hints: Iterable[Hint]) -> Hint:
    """The first that fits an output."""
    every, searched = (*CAUSES, *hints, UNKNOWN), clipped(output)
    return next(one for one in every if re.search(one.pattern, searched))


@dataclass(frozen=True)
class Endpoint:
    """What the host itself must reach for a change; tried before anything is changed."""

    url: str
    name: str
    fix: str


@dataclass(frozen=True)
class Supply:
    """Parts of a bundle, by the names that they get on the host; where `asks` is given, those alone that
    this script prints there, one a line."""

    bundle: Bundle
    parts: Mapping[str, str]
    asks: str = ""


@dataclass(frozen=True)
class Script:
    """A script for the host. Where `token` names a runner, its token is put in as $TOKEN. Where `address`
    is one, a new certificate for it and its key are put in as $CERTIFICATE and $KEY.

    `trial` is a script that changes nothing, and fails where this one is known to. `recorded` is
    whether the host's audit trail tells of it. `supply` is on the host before it runs.
    """

    title: str
    text: str
    diff: str = ""
    token: str = ""
    trial: str = ""
    hints: tuple[Hint, ...] = ()
    reaches: tuple[Endpoint, ...] = ()
    recorded: bool = True
    address: str = ""
    supply: Supply | None = None


@dataclass(frozen=True)
class Pull:
    """The first of `sources` that can be pulled, known as `image` thereafter.

    `near` asks whether a job image was meant, should none be found; `logins` are the registries that
    may be given this machine's login.
    """

    title: str
    image: str
    sources: tuple[str, ...]
    platform: str = ""
    near: str = ""
    logins: tuple[str, ...] = ()
    diff: str = ""
    reaches: tuple[Endpoint, ...] = ()


@dataclass(frozen=True)
class Build:
    """A job image built on the host, by BuildKit or the classic builder; `proxies` are its variables
    meanwhile, of which nothing stays in it."""

    title: str
    image: JobImage
    buildkit: bool = True
    no_cache: bool = False
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    diff: str = ""
    reaches: tuple[Endpoint, ...] = ()


@dataclass(frozen=True)
class Load:
    """An image of a bundle put onto the host, under all its names."""

    title: str
    image: BundledImage
    bundle: Bundle
    diff: str = ""
    reaches: tuple[Endpoint, ...] = ()


@dataclass(frozen=True)
class ServerCall:
    """A call to GitLab, from this machine; it is about the runner of that key."""

    title: str
    action: Literal["create", "update", "reset", "delete"]
    runner: str
    id: int = 0
    data: Mapping[str, Value] = field(default_factory=dict)
    diff: str = ""
    reaches: tuple[Endpoint, ...] = ()


Change = Script | Pull | Build | Load | ServerCall


def proxy(address: str) -> Endpoint:
    """The proxy of the settings."""
    fix = "correct [network] proxy, or open the way there in the firewall"
    return Endpoint(address, "proxy", fix)


def mirrors(urls: Iterable[str]) -> tuple[Endpoint, ...]:
    """The registry mirrors that a pull goes through."""
    fix = "correct --mirror or [docker] registry_mirrors"
    return tuple(Endpoint(url, "registry mirror", fix) for url in urls)


def batches(changes: Iterable[Change]) -> Iterator[list[Change]]:
    """The changes in their order, those together that can be made at the same time."""
    batch: list[Change] = []
    for change in changes:
        if not all(_together(one, change) for one in batch):
            yield batch
            batch = []
        batch.append(change)
    if batch:
        yield batch


def _together(first: Change, second: Change) -> bool:
    if isinstance(first, Build) and isinstance(second, Build):
        return first.image.name not in {bare(one) for one in second.image.bases}
    return isinstance(first, Pull) and isinstance(second, Pull)
