"""What two machines from an image showed."""

from collections.abc import Iterable
from typing import Protocol

from runnerkit.report.page import Page
from runnerkit.report.tables import table

NONE = "-"  # a machine of an autoscaler is no manager


class Clone(Protocol):
    """A machine: seconds until it did something, and what it is known by."""

    name: str
    times: dict[str, float]
    identities: dict[str, str]


def tested(clones: Iterable[Clone]) -> Page:
    """When each machine was there, and that they are not the same."""
    machines = list(clones)
    rows = [
        (
            clone.name,
            *(_seconds(clone.times.get(what)) for what in ("ssh", "docker", "online")),
            clone.identities.get("system id", NONE),
            clone.identities["machine id"][:12],
        )
        for clone in machines
    ]
    heads = ("machine", "SSH", "Docker", "online", "system id", "machine id")
    data = [{"name": one.name, "seconds": one.times, **one.identities} for one in machines]
    return Page(table(heads, rows), {"machines": data})


def _seconds(time: float | None) -> str:
    return NONE if time is None else f"{time:.0f} s"
