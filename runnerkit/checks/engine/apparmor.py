"""Where the kernel confines by AppArmor, Docker can load the profile of containers."""

from collections.abc import Iterator

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.facts import Facts, Needs
from runnerkit.want import Want

PARSER = Kind(
    "apparmor-parser",
    Level.ERROR,
    "Docker confines containers by AppArmor, and the host has no apparmor_parser: none starts after "
    "the next boot",
    "install the package apparmor on the host, then systemctl restart docker",
)
KINDS = (PARSER,)


def needs(want: Want) -> Needs:
    return Needs()


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    confines = "name=apparmor" in (have.info.get("SecurityOptions") or ())
    if confines and have.probe and not have.probe.apparmor_parser:
        yield PARSER.found()
