"""The host's distribution and its processor are among those that Docker and gitlab-runner serve."""

from collections.abc import Iterator

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.facts import Facts, Needs, distributions
from runnerkit.want import Want

# The images of gitlab-runner and of its helper: its docs, executors/docker.md, and its Makefiles.
PROCESSORS = ("x86_64", "aarch64", "armv7l", "ppc64le", "s390x", "riscv64")
DISTRIBUTION = Kind(
    "distribution-unsupported",
    Level.ERROR,
    "the kit knows no Docker for {distribution}",
    "{fix}",
)
SOURCE = Kind(
    "docker-source-unfit",
    Level.ERROR,
    '[docker] source = "{source}" cannot work on {distribution}',
    'set [docker] source = "{other}"',
)
PROCESSOR = Kind(
    "architecture-unsupported",
    Level.ERROR,
    "gitlab-runner's images are not made for the host's processor ({architecture})",
    "choose a machine of one of: " + ", ".join(PROCESSORS),
)
KINDS = (DISTRIBUTION, SOURCE, PROCESSOR)


def needs(want: Want) -> Needs:
    return Needs()


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    """What only another machine, or another source, would mend; a Docker that is there needs none."""
    if have.architecture not in PROCESSORS:
        yield PROCESSOR.found(architecture=have.architecture)
    if have.dockerd or have.docker_runs or have.podman:
        return
    known, name = distributions.of(have.os, have.ostree), distributions.name(have.os)
    sources = known.sources(have.os)
    if not sources:
        yield DISTRIBUTION.found(distribution=name, fix=known.by_hand)
    elif want.docker.source not in (*sources, "present"):
        yield SOURCE.found(source=want.docker.source, distribution=name, other=sources[0])
