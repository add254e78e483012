"""The host's sshd carries the kit's questions to servers, which are asked on the host's own way."""

from collections.abc import Iterator

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.facts import Facts, Needs
from runnerkit.want import Want

REFUSES = Kind(
    "forwarding-refused",
    Level.NOTE,
    "sshd on the host forwards no TCP: what GitLab and registries answer it is not known",
    "set AllowTcpForwarding yes in its sshd_config, at least while you look",
)
KINDS = (REFUSES,)


def needs(want: Want) -> Needs:
    return Needs()


def known(want: Want, have: Facts) -> bool:
    """Whether it carried them."""
    return bool(have.probe and have.probe.forwards)


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    if not known(want, have):
        yield REFUSES.found()
