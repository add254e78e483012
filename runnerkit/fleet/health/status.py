"""How every host is: what runs there, what does not, and what bootstrap would change."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from msgspec import structs

from runnerkit import converge
from runnerkit.checks.engine import engine_runs
from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.checks.gitlab import acceptance
from runnerkit.checks.host import disk
from runnerkit.checks.network import chosen_mirrors
from runnerkit.checks.runner import managers
from runnerkit.errors import KitError
from runnerkit.facts import Facts, Job
from runnerkit.files import config_toml
from runnerkit.fleet.bootstrap import findings, wants
from runnerkit.fleet.clearing import ghosts
from runnerkit.fleet.host import Host
from runnerkit.fleet.run import Fleet, Outcome
from runnerkit.images.content import content
from runnerkit.plan import Change
from runnerkit.settings.model import Manager
from runnerkit.steps import job_images
from runnerkit.want import Want

LIMIT = 30.0  # seconds that a host is waited for
MINORS = 12  # of a major version of gitlab-runner
UNTOLD = Kind("unknown", Level.ERROR, "{what}", "{fix}")  # what could not be asked
R = TypeVar("R")


@dataclass(frozen=True)
class RunnerState:
    """A runner of a host: whether its manager is accepted, and what GitLab says where it is asked."""

    name: str
    accepted: bool
    online: str = ""
    expires: str = ""


@dataclass(frozen=True)
class HostStatus:
    """A host at one moment.

    `engine` is its version, "stopped", or "" where there is none. `behind` is how many minor versions
    the manager is behind the newest that the kit knows (None: its version is not known), `started`
    when the manager was, as Docker writes it. `images` are the contents of job images by name,
    `stale` why some are not as they are defined. `changes` are what bootstrap would do; None where
    that cannot be told. `cache` is whether it runs one for the site.
    """

    engine: str = ""
    store: str = ""
    manager: str = ""
    behind: int | None = None
    started: str = ""
    runners: tuple[RunnerState, ...] = ()
    jobs: tuple[Job, ...] = ()
    images: tuple[tuple[str, str], ...] = ()
    stale: tuple[tuple[str, str], ...] = ()
    free_kb: int = 0
    free_inodes: int | None = None
    changes: tuple[Change, ...] | None = None
    findings: tuple[Finding, ...] = ()
    presence: ghosts.Presence | None = None
    cache: bool = False


class Alone:
    """A host that is looked at without asking GitLab, whose trouble is then no host's."""

    def __init__(self, host: Host) -> None:
        self.look, self.obstacles = host.look, host.obstacles

    def server(self, want: Want, have: Facts) -> Facts:
        return have

    def mirrors(self, want: Want, have: Facts) -> Facts:
        return have


def status(fleet: Fleet) -> tuple[list[Outcome[HostStatus]], tuple[Finding, ...]]:
    """Look at every host, and ask GitLab where it can be; a slow one is not waited for.

    Returns:
        What became of the hosts, and what is to be noted of none of them.
    """

    def work(host: Host, wanted: Want) -> HostStatus:
        asking = (*converge.STEPS, *converge.CHECKS)
        return _of(host, wanted, converge.look(Alone(host), wanted, asking))

    known, token = wants(fleet, empty=True)
    outcomes = fleet.each(known, work, token, limit=LIMIT)
    return outcomes, ghosts.findings(fleet, outcomes, token)


def _of(host: Host, want: Want, alone: Facts) -> HostStatus:
    found: list[Finding] = []

    def part(ask: Callable[[], R], otherwise: R) -> R:
        """What can be told; where it cannot, why is a finding, and the rest is told all the same."""
        try:
            return ask()
        except KitError as error:
            found.append(UNTOLD.found(what=error.what, fix=error.fix))
            return otherwise

    have = part(lambda: with_gitlab(host, want, alone), alone)
    pending = part(lambda: _pending(want, have), None)
    known = part(lambda: host.renewed(want, have), have)
    found += part(lambda: findings(want, known), ())
    found += disk.findings(want, have)
    asked = part(lambda: host.mirror_side.suspected(want, alone), alone)
    found += chosen_mirrors.findings(want, asked)
    if not have.dockerd:
        found.append(replace(engine_runs.ABSENT.found(), level=Level.NOTE))
    runners: tuple[RunnerState, ...] = part(lambda: tuple(_runners(want, known)), ())
    container = have.containers.get(want.manager.container, {})
    version, behind = _version(want, str(container.get("Config", {}).get("Image", "")))
    stale = ((job.name, job_images.why(job, have)) for job in want.images)
    images = ((job.name, have.images.get(job.reference)) for job in want.images)
    return HostStatus(
        engine=str(have.info.get("ServerVersion") or ("stopped" if have.dockerd else "")),
        store=have.store if have.docker_runs else "",
        manager=version,
        behind=behind,
        started=str(container["State"].get("StartedAt", "")) if managers.runs(want, have) else "",
        runners=runners,
        jobs=have.work,
        images=tuple((name, content(image)) for name, image in images if image),
        stale=tuple((name, why) for name, why in stale if why),
        free_kb=have.free_kb,
        free_inodes=have.free_inodes,
        changes=pending,
        findings=tuple(dict.fromkeys(found)),
        presence=part(lambda: ghosts.presence(want, have), None),
        cache=want.cache is not None,
    )


def with_gitlab(host: Host, want: Want, alone: Facts) -> Facts:
    """With GitLab's side of the runners, and how it sees this host's manager of each.

    The latter is asked first: GitLab 18 takes the question whose a token is for a sign of the manager's
    life (its lib/api/ci/runner.rb, ``verify``).
    """
    seen = {number: host.manager_status(want, alone, number) for number in _ids(want, alone)}
    have = host.server(want, alone)
    server = {
        key: replace(known, manager=seen.get(known.id, known.manager))
        for key, known in have.server.items()
    }
    return replace(have, server=server)


def _ids(want: Want, have: Facts) -> Iterator[int]:
    """What the host says that its runners' ids are, to ask by: GitLab says whose each is."""
    entries = config_toml.parsed(want, have).get("runners", [])
    indexes = (config_toml.entry_index(want, have, runner) for runner in want.runners)
    found = (entries[index].get("id") for index in indexes if index is not None)
    yield from (one for one in found if type(one) is int and one > 0)


def _pending(want: Want, have: Facts) -> tuple[Change, ...] | None:
    return tuple(converge.plan(want, have)) if want.runners else None


def _runners(want: Want, have: Facts) -> Iterator[RunnerState]:
    names = acceptance.accepted(want, have)
    entries = config_toml.parsed(want, have).get("runners", [])
    for runner in want.runners:
        index = config_toml.entry_index(want, have, runner)
        if index is not None:
            name = str(entries[index].get("name", runner.key))
            known = have.server.get(runner.key)
            seen = (known.manager, known.token_expires_at) if known else ()
            yield RunnerState(name, name in names, *seen)


def _version(want: Want, image: str) -> tuple[str, int | None]:
    """The version that an image's tag names, and how many minors it is behind the newest known."""
    manager = structs.replace(want.manager, image=image)
    running, newest = replace(want, manager=manager), replace(want, manager=Manager())
    if not running.release:
        return "", None
    major, minor = (new - old for new, old in zip(newest.numbers, running.numbers, strict=True))
    return running.release, max(0, MINORS * major + minor)
