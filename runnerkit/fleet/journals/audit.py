"""Who changed what, on many hosts."""

from dataclasses import replace
from datetime import UTC, datetime

from runnerkit import resolve
from runnerkit.actions import audit
from runnerkit.actions.audit import Trail
from runnerkit.fleet.host import Host
from runnerkit.fleet.journals import logs
from runnerkit.fleet.run import Fleet, Outcome
from runnerkit.settings import durations
from runnerkit.want import Want

LIMIT = 30.0  # seconds that a host is waited for


def read(fleet: Fleet, since: str) -> list[Outcome[Trail]]:
    """The audit trail of each host.

    Args:
        fleet: the hosts.
        since: how long ago by the host's clock, or a date by ours; "" for all.

    Raises:
        KitError: `since` is no time.
    """
    moment = logs.moment(since.strip())

    def work(host: Host, _: Want) -> Trail:
        trail = audit.parse(host.look(audit.SCRIPT))
        least = _least(moment, trail.now)
        return replace(trail, entries=tuple(one for one in trail.entries if one.at >= least))

    wanted = resolve.of_images(fleet.settings, "")  # nothing of the settings matters here
    return fleet.each({target.name: wanted for target in fleet.targets}, work, limit=LIMIT)


def _least(moment: str, now: int) -> str:
    """The earliest time that is wanted, as the trail writes it."""
    seconds = durations.parsed(moment.removesuffix("s"), durations.SECONDS)
    if not moment or seconds is None:
        return moment
    return datetime.fromtimestamp(max(now - seconds, 0), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
