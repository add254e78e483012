"""A Docker Engine is there, and answers."""

import re
from collections.abc import Iterator

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.facts import Facts, Needs
from runnerkit.want import Want

SNAP = "/snap/bin/docker"
MISSING = re.compile(r"\bdocker: (command )?not found")  # what shells say
LOG = "journalctl -u docker on the host, or /var/log/docker.log, tells why"
ABSENT = Kind(
    "engine-absent",
    Level.ERROR,
    "there is no Docker Engine on the host",
    "./inv bootstrap --host HOST installs it",
)
PODMAN = Kind(
    "engine-podman",
    Level.ERROR,
    "the command docker is Podman's on the host: it is no Docker Engine",
    "remove podman-docker there; ./inv bootstrap --host HOST then installs Docker",
)
SNAPPED = Kind(
    "engine-snap",
    Level.ERROR,
    "the host's Docker is a snap, which may mount only folders below /home: the manager gets an empty "
    "config.toml",
    "snap remove docker there; ./inv bootstrap --host HOST then installs the distribution's",
)
STOPPED = Kind(
    "engine-stopped",
    Level.ERROR,
    "Docker is on the host, and does not run",
    f"./inv bootstrap --host HOST starts it; {LOG}",
)
SILENT = Kind(
    "engine-silent",
    Level.ERROR,
    "Docker runs on the host, and does not answer",
    f"{LOG}; where nothing does, systemctl restart docker ends the jobs and starts it anew",
)
KINDS = (ABSENT, PODMAN, SNAPPED, STOPPED, SILENT)


def needs(want: Want) -> Needs:
    return Needs(paths=(SNAP,))


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    if have.docker_runs:
        if SNAP in have.paths and str(have.info.get("DockerRootDir")).startswith("/var/snap/"):
            yield SNAPPED.found()
    elif have.podman:
        yield PODMAN.found()
    elif have.started:
        yield SILENT.found()
    elif have.dockerd:
        yield STOPPED.found()
    else:
        yield ABSENT.found()
