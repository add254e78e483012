"""Look, plan, apply: the loop whose exit is the verification."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from runnerkit.checks.engine import selinux, unknown, upgrades
from runnerkit.checks.finding import Finding
from runnerkit.checks.gitlab import acceptance, expiry, runners
from runnerkit.checks.jobs import cache_poisoning, metadata_address
from runnerkit.checks.network import mirrors
from runnerkit.checks.network import site_cache as site_cache_check
from runnerkit.checks.runner import leftovers, managers, memory, plugins, polling
from runnerkit.errors import KitError, NotConverged
from runnerkit.events import Began, Tell
from runnerkit.facts import Facts, Needs
from runnerkit.facts.look import parse, script
from runnerkit.files import record
from runnerkit.files.memory import PATH
from runnerkit.plan import Change, Script, batches
from runnerkit.steps import (
    cache_trust,
    config_toml,
    daemon_json,
    docker_engine,
    first_boot,
    fleeting,
    image_pulls,
    job_images,
    manager,
    metadata_rule,
    network,
    prune_timer,
    registration,
    site_cache,
)
from runnerkit.want import Want


class Asking(Protocol):
    """What must know something of a host."""

    def needs(self, want: Want) -> Needs: ...


class Step(Asking, Protocol):
    """A module of steps/."""

    def changes(self, want: Want, have: Facts) -> Iterator[Change]: ...


class Check(Asking, Protocol):
    """A module of checks/ that is asked once all is done."""

    def findings(self, want: Want, have: Facts) -> Iterator[Finding]: ...


# In the order of the recipe, but that files are written before what reads them is started.
STEPS: tuple[Step, ...] = (
    *(network, daemon_json, docker_engine, site_cache, cache_trust),
    *(image_pulls, job_images, fleeting),
    *(config_toml, registration, manager, prune_timer, metadata_rule),
)
ENGINE: tuple[Step, ...] = (network, daemon_json, docker_engine)
# What bootstrap proves and notes, in the order in which it is told.
CHECKS: tuple[Check, ...] = (
    *(managers, acceptance, expiry, runners, leftovers, polling, plugins),
    *(metadata_address, selinux, cache_poisoning, upgrades, memory, unknown),
    *(site_cache_check, mirrors),
)
IMAGES: tuple[Step, ...] = (job_images,)
BUNDLED: tuple[Step, ...] = (image_pulls, job_images)
# A machine image: all but what each machine made from it does for itself, at its first boot.
GOLDEN: tuple[Step, ...] = (
    *(network, daemon_json, docker_engine, image_pulls, job_images),
    *(prune_timer, metadata_rule, first_boot),
)


class Reader(Protocol):
    """What can be asked of a host and of GitLab: enough for a plan, and not able to write."""

    def look(self, script: str) -> str: ...

    def server(self, want: Want, have: Facts) -> Facts: ...

    def mirrors(self, want: Want, have: Facts) -> Facts: ...

    def obstacles(self, want: Want, pending: list[Change]) -> list[Finding]: ...


class Writer(Reader, Protocol):
    """A reader that can also change things, while it alone holds the host's lock."""

    tell: Tell

    def script(self, want: Want, change: Script) -> str: ...

    def lock(self) -> None: ...

    def expect(self, pending: list[Change]) -> None: ...

    def write(self, want: Want, batch: list[Change]) -> None: ...


def look(host: Reader, want: Want, asking: Sequence[Asking] = STEPS, patience: int = 0) -> Facts:
    """All that they must know: one round trip, and GitLab's API where a token is given.

    Args:
        host: the host.
        want: what it should be.
        asking: who must know.
        patience: seconds that Docker is waited for, for doctor.
    """
    needs = Needs.of_all([Needs(files=(PATH,)), *(one.needs(want) for one in asking)])
    output = host.look(script(needs, want.manager.container, patience))
    have = host.server(want, parse(output))
    return host.mirrors(want, have) if daemon_json in asking else have


def plan(want: Want, have: Facts, steps: Sequence[Step] = STEPS) -> list[Change]:
    """What is left to do. Pure.

    Where Docker is there and does not run, images and containers are not known: the engine alone
    is planned, and the rest once it runs.
    """
    engine = [step for step in steps if step in ENGINE]
    if engine and have.dockerd and not have.docker_runs:
        steps = engine
    return [change for step in steps for change in step.changes(want, have)]


def apply(
    host: Writer,
    want: Want,
    steps: Sequence[Step] = STEPS,
    checks: Sequence[Check] = (),
    first: Callable[[Facts], list[Change]] = lambda _: [],
) -> Facts:
    """Look, plan, write until nothing is left; a change that returns is an error.

    Args:
        host: the host; its listener is told each change before it is made.
        want: what it should be.
        steps: which of its nouns are looked after.
        checks: what will be asked of the facts at the end.
        first: what is done once whatever the host shows, for example a rebuild that was asked for.

    Returns:
        The facts at the end.

    Raises:
        NotConverged: the host does not show a change that was made.
        KitError: a change failed; those before it stay, and the next run goes on from there.
    """
    done: list[Change] = []
    asking = (*steps, *checks)
    have = look(host, want, asking)
    if pending := first(have) or plan(want, have, steps):
        if found := host.obstacles(want, pending):
            raise KitError("\n  ".join(one.what for one in found), found[0].fix)
        host.lock()
        have = look(host, want, asking)
        pending = first(have) or plan(want, have, steps)
    while pending:
        if again := [change.title for change in pending if change in done]:
            raise NotConverged(again)
        if steps is STEPS:
            _remember(host, want, record.ahead(want, have, pending))
        elif steps is not GOLDEN:
            _remember(host, want, record.brought(want, have, pending))
        host.expect(pending)
        number = 0
        for batch in batches(pending):
            for change in batch:
                host.tell(Began(change.title, number := number + 1, len(pending)))
            host.write(want, batch)
            done += batch
        have = look(host, want, asking)
        pending = plan(want, have, steps)
    if steps is STEPS:
        _remember(host, want, record.settled(want, have))
    return have


def _remember(host: Writer, want: Want, change: Script | None) -> None:
    """What was written is no change of the host's: nobody asked for it, and no plan tells of it."""
    if change:
        host.lock()
        host.script(want, replace(change, recorded=False))
