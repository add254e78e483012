"""Where containers reach the cloud's metadata address although the settings close it."""

from collections.abc import Iterator

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.facts import Facts, Needs
from runnerkit.files import config_toml
from runnerkit.want import Want

OPEN = Kind(
    "metadata-open",
    Level.NOTE,
    "jobs reach the cloud's metadata address, if there is one: {why}",
    "keep them from it outside of the host, by the cloud's own setting (one hop, or no role)",
)
KINDS = (OPEN,)


def needs(want: Want) -> Needs:
    return Needs(files=(want.config,))


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    if not want.metadata_closed:
        return
    if why := escapes(have):
        yield OPEN.found(why=why)
    others = config_toml.others(want, have)
    for name, docker in (
        *((runner.key, runner.spec.docker) for runner in want.runners),
        *((entry.get("name"), entry.get("docker") or {}) for entry in others),
    ):
        if docker.get("network_mode") == "host":
            yield OPEN.found(why=f"runner {name} has network_mode host")


def escapes(have: Facts) -> str:
    """Why no rule on the host closes it; "" where one does."""
    if not have.systemd:
        return "without systemd nothing sets the rule again when Docker starts"
    if "nftables" in str(have.info.get("FirewallBackend")):
        return "Docker's nftables backend passes DOCKER-USER by"
    return ""
