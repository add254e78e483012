"""What cannot be known of a host as long as its Docker does not run."""

from collections.abc import Iterator

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.facts import Facts, Needs
from runnerkit.want import Want

STOPPED = Kind(
    "docker-stopped",
    Level.NOTE,
    "images and containers are not known until Docker runs",
    "bootstrap starts it, and goes on from there",
)
KINDS = (STOPPED,)


def needs(want: Want) -> Needs:
    return Needs()


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    """The note, where Docker is there and stopped."""
    if have.dockerd and not have.docker_runs:
        yield STOPPED.found()
