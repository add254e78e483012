"""The manager runs, and GitLab sees it as one that takes jobs."""

from collections.abc import Iterator, Mapping
from typing import Any

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.facts import Facts, Needs, pause
from runnerkit.files import drained
from runnerkit.want import Want

STOPPED = Kind(
    "manager-stopped",
    Level.ERROR,
    "the manager does not run: no job is taken",
    "./inv bootstrap --host HOST starts it; docker logs {container} on the host tells why it ended",
)
RESTARTING = Kind(
    "manager-restarting",
    Level.ERROR,
    "the manager ends as soon as it starts: no job is taken",
    "./inv runner.logs --host HOST --errors tells why",
)
OFFLINE = Kind(
    "runner-offline",
    Level.ERROR,
    "GitLab sees runner {name} of this host as {status}",
    "see what the manager says: docker logs {container} on the host",
)
DRAINED = Kind(
    "manager-drained",
    Level.NOTE,
    "{state} by {by} since {since}: it takes no jobs",
    "./inv runner.drain --host HOST --resume has it take jobs again",
)
UNDRAINED = Kind(
    "manager-drained-runs",
    Level.NOTE,
    "it takes jobs, and yet {by} drained it, since {since}: somebody has started the manager",
    "./inv runner.drain --host HOST drains it again, and with --resume it is as any other",
)
PAUSED = Kind(
    "runner-paused",
    Level.NOTE,
    "runner {name} is paused at GitLab{until}: no host of it takes jobs{why}",
    "./inv runner.resume --host HOST has it take jobs again",
)
KINDS = (STOPPED, RESTARTING, DRAINED, UNDRAINED, OFFLINE, PAUSED)


def needs(want: Want) -> Needs:
    return Needs(files=(drained.PATH,), manager=True)


def runs(want: Want, have: Facts) -> bool:
    """Whether the manager's container runs."""
    return have.runs(want.manager.container)


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    """What keeps jobs from being taken."""
    container, mark = want.manager.container, drained.parsed(have)
    if mark:
        yield _drained(mark, runs(want, have), have.containers.get(container, {}))
    elif have.docker_runs and want.runners and not runs(want, have):
        restarts = have.restarts(container)
        yield RESTARTING.found() if restarts else STOPPED.found(container=container)
    for runner in want.runners:
        if (known := have.server.get(runner.key)) is None:
            continue
        name = known.description or runner.key
        if known.manager not in ("", "online") and not mark:
            yield OFFLINE.found(name=name, status=known.manager, container=container)
        if known.paused and not runner.spec.paused:
            noted = pause.read(known.note) or pause.Pause()
            until, why = noted.until and f" until {noted.until}", noted.text and f" ({noted.text})"
            yield PAUSED.found(name=name, until=until, why=why)


def _drained(mark: drained.Drained, runs: bool, container: Mapping[str, Any]) -> Finding:
    if runs and mark.process and not mark.ends(container):
        return UNDRAINED.found(by=mark.by, since=mark.since)
    state = "being drained" if runs else "drained"
    return DRAINED.found(state=state, by=mark.by, since=mark.since)
