"""The manager runs, and GitLab sees it as one that takes jobs."""

from collections.abc import Iterator

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.facts import Facts, Needs, pause
from runnerkit.want import Want

STOPPED = Kind(
    "manager-stopped",
    Level.ERROR,
    "the manager does not run: no job is taken",
    "./inv bootstrap --host NAME starts it; docker logs {container} on the host tells why it ended",
)
RESTARTING = Kind(
    "manager-restarting",
    Level.ERROR,
    "the manager ends as soon as it starts: no job is taken",
    "./inv runner.logs --host NAME --errors tells why",
)
OFFLINE = Kind(
    "runner-offline",
    Level.ERROR,
    "GitLab sees runner {name} of this host as {status}",
    "see what the manager says: docker logs {container} on the host",
)
PAUSED = Kind(
    "runner-paused",
    Level.NOTE,
    "runner {name} is paused at GitLab{until}: no host of it takes jobs{why}",
    "./inv runner.resume --host NAME has it take jobs again",
)
KINDS = (STOPPED, RESTARTING, OFFLINE, PAUSED)


def needs(want: Want) -> Needs:
    return Needs(manager=True)


def runs(want: Want, have: Facts) -> bool:
    """Whether the manager's container runs."""
    return have.runs(want.manager.container)


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    """What keeps jobs from being taken."""
    container = want.manager.container
    if have.docker_runs and want.runners and not runs(want, have):
        restarts = have.restarts(container)
        yield RESTARTING.found() if restarts else STOPPED.found(container=container)
    for runner in want.runners:
        if (known := have.server.get(runner.key)) is None:
            continue
        name = known.description or runner.key
        if known.manager not in ("", "online"):
            yield OFFLINE.found(name=name, status=known.manager, container=container)
        if known.paused and not runner.spec.paused:
            noted = pause.read(known.note) or pause.Pause()
            until, why = noted.until and f" until {noted.until}", noted.text and f" ({noted.text})"
            yield PAUSED.found(name=name, until=until, why=why)
