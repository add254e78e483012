"""The manager's container comes back after a reboot, fills no disk, and shows its insides to nobody."""

from collections.abc import Iterator
from typing import Any

from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.container import STOP
from runnerkit.facts import Facts, Needs
from runnerkit.files import config_toml, drained
from runnerkit.want import Want

LARGE = 500  # MB of a log that has no bound
LOOPBACK = ("127.", "localhost", "[::1]", "::1")
STAYS = Kind(
    "manager-not-restarted",
    Level.ERROR,
    "the manager does not start again after a reboot, or after Docker's: its restart policy is {policy}",
    "docker update --restart always {container} on the host; bootstrap replaces it",
)
LOG = Kind(
    "manager-log-large",
    Level.NOTE,
    "the manager's log takes {megabytes} MB on the host, and has no bound",
    'set [docker] daemon.log-opts = {{ max-size = "50m", max-file = "3" }}; it holds for the next '
    "container",
)
LISTENS = Kind(
    "manager-listens",
    Level.ERROR,
    "the manager's metrics and profiler answer on {address} without a login, for all who reach the host",
    'set [manager] metrics = "127.0.0.1:9252" in the place of listen_address; bootstrap then publishes it '
    "there alone",
)
SLOW = Kind(
    "manager-stops-slowly",
    Level.NOTE,
    "Docker gives the manager {seconds} s to stop: if Docker crashes while jobs run, it serves again only after them",
    "set [docker] daemon.live-restore = true; or ./inv runner.upgrade, which makes a container that has {usual} s",
)
KINDS = (STAYS, LOG, LISTENS, SLOW)


def needs(want: Want) -> Needs:
    return Needs(files=(want.config, drained.PATH), manager=True)


def findings(want: Want, have: Facts) -> Iterator[Finding]:
    if not (container := have.containers.get(want.manager.container)):
        return
    host = container.get("HostConfig") or {}
    policy = (host.get("RestartPolicy") or {}).get("Name") or "no"
    if policy not in ("always", "unless-stopped") and not drained.parsed(have):
        yield STAYS.found(policy=policy, container=want.manager.container)
    seconds = (container.get("Config") or {}).get("StopTimeout") or 0
    if seconds > STOP and not have.info.get("LiveRestoreEnabled"):
        yield SLOW.found(seconds=seconds, usual=STOP)
    options = (host.get("LogConfig") or {}).get("Config") or {}
    megabytes = (have.probe.log_bytes if have.probe else 0) >> 20
    if megabytes > LARGE and "max-size" not in options:
        yield LOG.found(megabytes=megabytes)
    address = str(config_toml.parsed(want, have).get("listen_address") or "")
    metrics = want.manager.metrics
    wanted = metrics and not metrics.startswith(LOOPBACK)  # the settings say so
    if address and not wanted and not address.startswith(LOOPBACK) and _outside(host, address):
        yield LISTENS.found(address=address)


def _outside(host: dict[str, Any], address: str) -> bool:
    """Whether others than the host reach that address of the container."""
    if host.get("NetworkMode") == "host":
        return True
    places = (host.get("PortBindings") or {}).get(f"{address.rpartition(':')[2]}/tcp") or ()
    return any(not str(one.get("HostIp") or "").startswith(LOOPBACK) for one in places)
