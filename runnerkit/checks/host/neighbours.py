"""No other gitlab-runner works beside the manager: it would take jobs, or clean up after its own ways."""

from collections.abc import Iterator

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.facts import Facts, Needs
from runnerkit.want import Want

UNIT = "gitlab-runner.service"
CLEANER = "/usr/share/gitlab-runner/clear-docker-cache"  # of the packages
SERVICE = Kind(
    "runner-service",
    Level.ERROR,
    "a second gitlab-runner runs on the host, as a service, beside the container {container}",
    "systemctl disable --now gitlab-runner there, once its runners are not needed (gitlab-runner list "
    "shows them)",
)
CONTAINER = Kind(
    "runner-container",
    Level.NOTE,
    "other containers run gitlab-runner beside {container}: {names}",
    "name the one that you mean by [manager] container; docker stop the other there, where it is a "
    "leftover",
)
PACKAGE = Kind(
    "runner-package",
    Level.NOTE,
    "the package gitlab-runner is on the host: its upgrades clear Docker's images, with 19.2 all that no "
    "container uses, job images too",
    "remove it there where the container does the work; else hold it: apt-mark hold gitlab-runner",
)
KINDS = (SERVICE, CONTAINER, PACKAGE)


def needs(want: Want) -> Needs:
    return Needs(paths=(CLEANER,), units=(UNIT,))


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    name = want.manager.container
    if have.units.get(UNIT) == "active":
        yield SERVICE.found(container=name)
    others = sorted({*(have.probe.containers if have.probe else ())} - {name})
    if others:
        yield CONTAINER.found(container=name, names=", ".join(others))
    if CLEANER in have.paths:
        yield PACKAGE.found()
