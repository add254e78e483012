"""A manager that takes no more jobs and ends after those that it has; and that takes jobs again.

gitlab-runner's commands/multi.go: SIGQUIT lets jobs end without limit, SIGTERM fails them and tells GitLab.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from runnerkit.checks.engine import engine_runs
from runnerkit.errors import KitError
from runnerkit.facts import Facts, Job, Needs
from runnerkit.facts.look import job_containers, jobs_in
from runnerkit.files import config_toml, drained
from runnerkit.images.content import instant
from runnerkit.plan import Change, Hint, Script
from runnerkit.printable import counted
from runnerkit.settings import durations
from runnerkit.templates import render
from runnerkit.want import Want

SHUTDOWN = 30  # seconds that the program gives jobs it must end, unless its shutdown_timeout says otherwise
LEAVING = 15  # seconds more, for what it has to tell
FIRST = 5  # jobs that are named
HINTS = (
    Hint(
        "address already in use|port is already allocated",
        "another program of the host has the port of its metrics: end that one, then --resume again",
    ),
    Hint("", "docker logs of the manager on the host tells more"),
)


@dataclass(frozen=True)
class Drain:
    """The manager is to take no more jobs; `by` is who wants it so."""

    by: str

    def needs(self, want: Want) -> Needs:
        return _needs(want)

    def changes(self, want: Want, have: Facts) -> Iterator[Change]:
        now, mark = _container(want, have), drained.parsed(have)
        busy = now["State"].get("Running") and not (mark and mark.ends(now))
        if mark and not busy and _policy(now) == "no":
            return
        name = want.manager.container
        after = f", and end after {named(have.work, have.now)}" if have.work else ""
        text = render(
            "take-no-work.sh.j2",
            name=name,
            by=json.dumps(mark.by if mark else self.by),
            since=json.dumps(mark.since) if mark else "",
        )
        yield Script(f"have {name} take no more jobs{after}", text, hints=HINTS)


@dataclass(frozen=True)
class Undrain:
    """The manager is to take jobs again, when those that it still has end at the latest."""

    def needs(self, want: Want) -> Needs:
        return _needs(want)

    def changes(self, want: Want, have: Facts) -> Iterator[Change]:
        name, mark = want.manager.container, drained.parsed(have)
        if mark and have.docker_runs and name not in have.containers:
            yield Script("take the mark of the drain away", render("take-work.sh.j2", name=""))
            return
        now = _container(want, have)
        if mark or not now["State"].get("Running") or _policy(now) == "no":
            text = render("take-work.sh.j2", name=name)
            yield Script(f"have {name} take jobs again", text, hints=HINTS)


@dataclass(frozen=True)
class EndJobs:
    """The manager is to end now, and its jobs with it."""

    def needs(self, want: Want) -> Needs:
        return _needs(want)

    def changes(self, want: Want, have: Facts) -> Iterator[Change]:
        if not _container(want, have)["State"].get("Running"):
            return
        given = config_toml.parsed(want, have).get("shutdown_timeout")
        seconds = given if isinstance(given, int) and 0 < given < 3600 else SHUTDOWN
        text = render(
            "end-jobs.sh.j2",
            name=want.manager.container,
            patience=seconds + LEAVING,
            jobs=have.work,
        )
        yield Script(f"end {want.manager.container} and {named(have.work, have.now)}", text)


@dataclass(frozen=True)
class Watched:
    """How a drain stands: whether the manager runs (None: Docker does not tell), its jobs, the host's
    clock in seconds since 1970, whether somebody has resumed the host, and the manager's exit code."""

    running: bool | None
    work: tuple[Job, ...] = ()
    now: int = 0
    resumed: bool = False
    exited: int = 0


def watch(want: Want, patience: int) -> str:
    """The script that waits for the manager to end for so many seconds, and tells how it stands."""
    return render("watch-drain.sh.j2", name=want.manager.container, patience=patience)


def watched(output: str) -> Watched:
    """What the script told."""
    lines = [line for line in output.splitlines() if ": " in line and line[:1] != "["]
    facts = dict(line.split(": ", 1) for line in lines)
    running = {"true": True, "false": False}.get(facts.get("running", ""))
    work = jobs_in(job_containers(output))
    exited = int(facts.get("exited", 0)) if running is False else 0
    return Watched(running, work, int(facts["now"]), "resumed" in facts, exited)


def named(work: tuple[Job, ...], now: int) -> str:
    """Jobs as people are told of them, the oldest first.

    Args:
        work: the jobs.
        now: the host's clock, in seconds since 1970.
    """
    if not work:
        return "no job"
    count = counted(len(work), "job")
    words = [
        f"{job.project}#{job.id} for {durations.spoken(now - instant(job.since))}"
        for job in work[:FIRST]
    ]
    return f"{count}: {', '.join([*words, *['…'] * (len(work) > FIRST)])}"


def _needs(want: Want) -> Needs:
    return Needs(
        files=(drained.PATH, want.config), paths=engine_runs.needs(want).paths, container=True
    )


def _policy(now: Mapping[str, Any]) -> str:
    return (now["HostConfig"].get("RestartPolicy") or {}).get("Name") or "no"


def _container(want: Want, have: Facts) -> Mapping[str, Any]:
    """The manager's.

    Raises:
        KitError: there is none, or no Docker that would tell.
    """
    if not have.docker_runs:
        for found in engine_runs.findings(want, have):
            raise found.error()
    name = want.manager.container
    if (now := have.containers.get(name)) is None:
        raise KitError(
            f"there is no manager on the host: no container {name}",
            "./inv bootstrap --host HOST runs it; or name yours in [manager] container",
        )
    return now
