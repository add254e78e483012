"""What steps and checks must know of a host."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import chain
from typing import Any


@dataclass(frozen=True)
class Needs:
    """What a step must know of a host beyond the common facts.

    `paths` are asked after, and not read; a * in one stands for any name. `units` are of systemd,
    `chains` of iptables. `manager` asks for the manager's container, its jobs and what it says of its
    runners, for which it asks GitLab; `container` for the first two alone. `names` are of servers, for
    doctor. `belongings` asks whose all else is that Docker has, `packages` for Docker's own. `others` are
    containers beside the manager's.
    """

    files: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    chains: tuple[str, ...] = ()
    manager: bool = False
    names: tuple[str, ...] = ()
    container: bool = False
    belongings: bool = False
    packages: bool = False
    others: tuple[str, ...] = ()

    @classmethod
    def of_all(cls, needs: Sequence["Needs"]) -> "Needs":
        """What several must know, each thing once."""

        def together(values: list[Any]) -> Any:
            if isinstance(values[0], bool):
                return any(values)
            return tuple(dict.fromkeys(chain.from_iterable(values)))

        names = (one.name for one in fields(cls))
        return cls(**{name: together([getattr(need, name) for need in needs]) for name in names})
