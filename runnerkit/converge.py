"""Look, plan, apply: the loop whose exit is the verification."""

from collections.abc import Callable
from itertools import chain
from typing import Protocol

from runnerkit import facts
from runnerkit.errors import NotConverged
from runnerkit.facts import Facts, Needs
from runnerkit.plan import Change
from runnerkit.steps import config, daemon_json, docker_engine, images, manager, registration
from runnerkit.want import Want

# In the order of the recipe, but that files are written before what reads them is started.
STEPS = (daemon_json, docker_engine, images, config, registration, manager)


class Reader(Protocol):
    """What can be asked of a host and of GitLab: enough for a plan, and not able to write."""

    def look(self, script: str) -> str: ...

    def server(self, want: Want, have: Facts) -> Facts: ...


class Writer(Reader, Protocol):
    """A reader that can also change things, while it alone holds the host's lock."""

    def lock(self) -> None: ...

    def check(self, want: Want, pending: list[Change]) -> None: ...

    def write(self, want: Want, change: Change) -> None: ...


def look(host: Reader, want: Want) -> Facts:
    """All that the steps must know: one round trip, and GitLab's API where a token is given."""
    needs = [step.needs(want) for step in STEPS]
    both = Needs(
        tuple(dict.fromkeys(chain.from_iterable(need.files for need in needs))),
        tuple(dict.fromkeys(chain.from_iterable(need.images for need in needs))),
    )
    told = host.look(facts.script(both, want.manager.container))
    return host.server(want, facts.parse(told))


def plan(want: Want, have: Facts) -> list[Change]:
    """What is left to do. Pure."""
    return [change for step in STEPS for change in step.changes(want, have)]


def apply(
    host: Writer, want: Want, progress: Callable[[Change, int, int], None]
) -> tuple[list[Change], Facts]:
    """Look, plan, write until nothing is left; a change that returns is an error.

    Args:
        host: the host.
        want: what it should be.
        progress: told each change before it is made, its number and how many are known of.

    Returns:
        What was done, and the facts at the end.

    Raises:
        NotConverged: the host does not show a change that was made.
        KitError: a change failed; those before it stay, and the next run goes on from there.
    """
    done: list[Change] = []
    have = look(host, want)
    if pending := plan(want, have):
        host.check(want, pending)
        host.lock()
        have = look(host, want)
        pending = plan(want, have)
    while pending:
        if again := [change.title for change in pending if change in done]:
            raise NotConverged(again)
        for number, change in enumerate(pending, 1):
            progress(change, number, len(pending))
            host.write(want, change)
            done.append(change)
        have = look(host, want)
        pending = plan(want, have)
    return done, have
