"""Docker's packages on a host, as its package manager has them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

ORDER = ("docker.io", "docker-ce", "moby-engine", "containerd", "containerd.io")


@dataclass(frozen=True)
class EnginePackages:
    """`owner` is the package that dockerd is of ("" where it is of none), `manager` the program that the
    kit drives (apt, dnf), `installed` the versions of all of Docker's packages, `held` those whose
    version stays, `offered` the owner's versions that the package sources have, the best first."""

    manager: str = ""
    owner: str = ""
    installed: Mapping[str, str] = field(default_factory=dict)
    held: frozenset[str] = frozenset()
    offered: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """The engine's, as its package has it."""
        return self.installed.get(self.owner, "")

    @property
    def daemons(self) -> tuple[str, ...]:
        """The packages whose upgrade starts daemons anew."""
        return tuple(name for name in ORDER if name in self.installed)

    @property
    def together(self) -> tuple[str, ...]:
        """The packages that are made together with the engine's, and have its version."""
        return tuple(name for name, one in self.installed.items() if one == self.version)


def parse(text: str) -> EnginePackages:
    """What `templates/engine-packages.sh` printed."""
    lines = [line.split() for line in text.splitlines()]
    words = {line[0]: line[1] for line in lines if len(line) == 2}
    return EnginePackages(
        manager=words.get("manager", ""),
        owner=words.get("owner", ""),
        installed={line[1]: line[2] for line in lines if len(line) == 3 and line[0] == "installed"},
        held=frozenset(line[1] for line in lines if line[0] == "held"),
        offered=tuple(dict.fromkeys(line[1] for line in lines if line[0] == "offered")),
    )


def release(version: str) -> tuple[int, ...]:
    """The engine's own version in that of its package: 5:28.5.1-1~debian.12~bookworm is 28.5.1."""
    found = re.search(r"(?:^\d+:)?(\d+(?:\.\d+)*)", version)
    return tuple(int(number) for number in found[1].split(".")) if found else ()
