"""What jobs can do to the host: who may push to a project has as much."""

from collections.abc import Iterator
from typing import Any

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.facts import Facts, Needs
from runnerkit.files import config_toml
from runnerkit.want import Want

SOCKET = Kind(
    "socket-in-jobs",
    Level.NOTE,
    "runner {name} gives jobs Docker's socket: each job is root on the host",
    "keep such a runner to projects that you trust; to build images there is BuildKit without root, or "
    'docker.services_privileged with docker.allowed_privileged_services = ["docker:*-dind-rootless"]',
)
PRIVILEGED = Kind(
    "privileged-untagged",
    Level.NOTE,
    "runner {name} is privileged, and takes jobs without tags: each job is root on the host",
    "set run_untagged = false and a tag of its own, so that only jobs that need it come; or "
    "docker.privileged = false",
)
KINDS = (SOCKET, PRIVILEGED)


def needs(want: Want) -> Needs:
    return Needs(files=(want.config,))


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    entries = config_toml.parsed(want, have).get("runners", [])
    for entry in entries:
        volumes = _docker(entry).get("volumes")
        sources = (
            [str(one).partition(":")[0] for one in volumes] if isinstance(volumes, list) else []
        )
        if any("docker.sock" in one for one in sources):
            yield SOCKET.found(name=entry.get("name", "without a name"))
    for runner in want.runners:
        index = config_toml.entry_index(want, have, runner)
        known = have.server.get(runner.key)
        untagged = known.run_untagged if known else runner.spec.run_untagged
        if index is not None and untagged and _docker(entries[index]).get("privileged") is True:
            yield PRIVILEGED.found(name=entries[index].get("name", runner.key))


def _docker(entry: dict[str, Any]) -> dict[str, Any]:
    """What anybody may have written there."""
    found = entry.get("docker")
    return found if isinstance(found, dict) else {}
