"""Docker's networks send no larger packets than the way out of the host takes."""

from collections.abc import Iterator

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.facts import Facts, Needs
from runnerkit.want import Want

LARGER = Kind(
    "mtu-larger",
    Level.ERROR,
    "Docker's packets are of up to {bridge} bytes, and the host's way out takes {route}: in jobs, "
    "downloads and TLS hang where a firewall swallows the word of it",
    "set [docker] daemon.mtu = {route}; a runner with FF_NETWORK_PER_BUILD also docker.network_mtu",
)
KINDS = (LARGER,)


def needs(want: Want) -> Needs:
    return Needs()


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    if (probe := have.probe) and 0 < probe.route_mtu < probe.bridge_mtu:
        yield LARGER.found(bridge=probe.bridge_mtu, route=probe.route_mtu)
