"""What jobs left on a host, of runners that go: containers of those that died, and their caches."""

from collections.abc import Iterator

from runnerkit.facts import Facts
from runnerkit.files import share
from runnerkit.plan import Script
from runnerkit.printable import counted
from runnerkit.templates import render


def jobs(have: Facts, part: share.Share) -> list[str]:
    """The containers of jobs of these runners."""
    return [one.name for one in have.belongings.containers if part.has(one.runner)]


def volumes(have: Facts, part: share.Share) -> list[str]:
    """The caches of these runners, but those that somebody else's container has."""
    ours = {*jobs(have, part)}
    used = {
        volume
        for one in have.belongings.containers
        if one.name not in ours
        for volume in one.volumes
    }
    return [
        one.name
        for one in have.belongings.volumes
        if part.has(one.runner or share.short(one.name)) and one.name not in used
    ]


def changes(have: Facts, part: share.Share) -> Iterator[Script]:
    """Both go, as they are once the jobs have ended; where the manager stays, only caches that no job has."""
    containers = 0 if part.rest else len(jobs(have, part))
    caches = len(volumes(have, part))
    if containers or caches:
        left = ", ".join(
            counted(number, noun)
            for number, noun in ((containers, "container"), (caches, "cache"))
            if number
        )
        text = render(
            "remove-leavings.sh.j2", tokens=part.marks, least=share.SHORT, containers=not part.rest
        )
        yield Script(f"remove what its jobs left: {left}", text)
