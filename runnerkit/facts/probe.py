"""What only doctor asks of a host, and what servers answer on the way from it."""

from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Reply:
    """What came back from an address, asked over the host's route.

    `trouble` is what went wrong: "name", "connection", "certificate", "silence", "nonsense" or, where
    what came is not what its digest names, "forgery"; "" where it answered; `why` says more. `skew` is how many seconds the host's clock is ahead of the
    server's (None: it told no time), `seconds` how long the answer took, `place` where it sends us.
    """

    url: str
    trouble: str = ""
    why: str = ""
    status: int = 0
    kind: str = ""
    skew: int | None = None
    seconds: float = 0.0
    place: str = ""


@dataclass(frozen=True)
class Served:
    """How far a registry serves an image: the `step` at which it does not, with its reply.

    Steps are "door", "token", "manifest" and "blob"; "" where it serves all. `digest` is that of the
    manifest for the host's processor, by its content; `sample` how many bytes of a layer came, in the
    reply's seconds.
    """

    registry: str
    image: str
    step: str
    reply: Reply
    digest: str = ""
    sample: int = 0


@dataclass(frozen=True)
class Probe:
    """What was asked.

    `names` are the addresses of each name that the host was asked for, `containers` the images of
    those that run gitlab-runner, by name. `lint` is what the program says of its config.toml where it
    has such a command and finds fault. `bridge_mtu` is that of Docker's own network, `route_mtu` that
    of the way out. `proxies` are lines of the host's environment, `sources` addresses of its package
    sources, `certificates` those that it or its Docker trusts besides, by file. `forwards` is whether
    its sshd carried our questions, `api` whether GitLab's API answered.
    """

    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    resolves: bool = True
    nameservers: tuple[str, ...] = ()
    containers: Mapping[str, str] = field(default_factory=dict)
    lint: str = ""
    log_bytes: int = 0
    bridge_mtu: int = 0
    route_mtu: int = 0
    apparmor_parser: bool = True
    proxies: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    certificates: Mapping[str, str] = field(default_factory=dict)
    gitlab: Reply | None = None
    packages: tuple[Reply, ...] = ()
    served: tuple[Served, ...] = ()
    forwards: bool = True
    api: bool = False


def parse(text: str) -> Probe:
    """Read what templates/probe.sh prints."""
    lines = [line.partition(" ")[::2] for line in text.splitlines()]
    words = {name: rest.split() for name, rest in lines}

    def every(name: str) -> Iterator[str]:
        return (rest.strip() for key, rest in lines if key == name)

    def number(name: str) -> int:
        found = words.get(name, [])
        return int(found[0]) if found and found[0].isdecimal() else 0

    def rows(name: str) -> list[list[str]]:
        return [row for rest in every(name) if (row := rest.split())]

    files = (rest.rpartition(" ") for rest in every("certificate"))
    return Probe(
        names={name: tuple(addresses) for name, *addresses in rows("name")},
        resolves=words.get("getent") != ["none"],
        nameservers=tuple(words.get("nameservers", ())),
        containers={name: rest[0] for name, *rest in rows("container") if rest},
        lint=_lint(words.get("lint", [])),
        log_bytes=number("log_bytes"),
        bridge_mtu=number("bridge_mtu"),
        route_mtu=number("route_mtu"),
        apparmor_parser=words.get("apparmor_parser") != ["none"],
        proxies=tuple(every("proxy")),
        sources=tuple(every("source")),
        certificates={file: b64decode(data).decode(errors="replace") for file, _, data in files},
    )


def _lint(words: list[str]) -> str:
    """What it finds fault with; "" of a program that has no such command, or gave no answer in time."""
    code, text = (*words, "", "")[:2]
    output = b64decode(text).decode(errors="replace")
    no_word = ("lint not found", "No help topic", "Error response from daemon", "file is valid")
    return "" if code != "1" or any(one in output for one in no_word) else output
