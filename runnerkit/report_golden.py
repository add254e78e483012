"""What two machines from an image showed."""

import json as json_module
from collections.abc import Iterable
from typing import Protocol

from runnerkit.report import table

NONE = "-"  # a machine of an autoscaler is no manager


class Clone(Protocol):
    """A machine: seconds until it did something, and what it is known by."""

    name: str
    times: dict[str, float]
    identities: dict[str, str]


def tested(clones: Iterable[Clone], json: bool) -> None:
    """Show when each machine was there, and that they are not the same."""
    if json:
        said = [{"name": c.name, "seconds": c.times, **c.identities} for c in clones]
        print(json_module.dumps(said, indent=2))
        return
    rows = [
        (
            clone.name,
            *(_seconds(clone.times.get(what)) for what in ("ssh", "docker", "online")),
            clone.identities.get("system id", NONE),
            clone.identities["machine id"][:12],
        )
        for clone in clones
    ]
    table(("machine", "SSH", "Docker", "online", "system id", "machine id"), rows)


def _seconds(time: float | None) -> str:
    return NONE if time is None else f"{time:.0f} s"
