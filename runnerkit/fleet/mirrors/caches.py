"""Hosts that run a cache come before those that ask it, which are given its certificate."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import TypeVar

from runnerkit.files.site_cache import certificate
from runnerkit.fleet.host import Host
from runnerkit.fleet.run import RESUMED, SPARED, Fleet, Outcome
from runnerkit.settings.secrets import Secret
from runnerkit.settings.targets import choose
from runnerkit.want import Want

LIMIT = 30.0  # seconds that the host of a cache is waited for
LONGEST = 10_000  # bytes of a certificate
PEM = re.compile(r"-----BEGIN CERTIFICATE-----\n[\w+/=\n]+-----END CERTIFICATE-----\n?\Z")
R = TypeVar("R")


def first(
    fleet: Fleet, wants: Mapping[str, Want], work: Callable[[Host, Want], R], token: Secret | None
) -> list[Outcome[R]]:
    """Do one work on every host, on those of the caches before the others.

    Args:
        fleet: the hosts.
        wants: what each should be, by its name.
        work: what is done on a host.
        token: GitLab's API token, where there is one.
    """
    if not any(want.caches for want in wants.values()):
        return fleet.each(wants, work, token)
    running = [one for one in fleet.targets if wants[one.name].cache]
    outcomes = {one.host: one for one in fleet.only(*running).each(wants, work, token)}
    others = [one for one in fleet.targets if one not in running]
    failed = next((one.host for one in outcomes.values() if one.error), "")
    if failed and fleet.pace.stop_on_failure:
        why = SPARED.format(failed)
        outcomes |= {one.name: Outcome(one.name, error=why, fix=RESUMED) for one in others}
    elif others:
        known = certificates(fleet, [wants[one.name] for one in others])
        given = {name: _given(want, known) for name, want in wants.items()}
        outcomes |= {one.host: one for one in fleet.only(*others).each(given, work, token)}
    return [outcomes[one.name] for one in fleet.targets]


def certificates(fleet: Fleet, wants: Collection[Want]) -> dict[str, str]:
    """What the caches answer with that these hosts ask, by address; read over SSH, on their own hosts.

    One whose host does not answer, or has none yet, is not among them.
    """
    hosts = {cache.host: cache for want in wants for cache in want.caches}
    targets = choose(",".join(hosts), fleet.settings)

    def read(host: Host, _: Want) -> str:
        ip = hosts[host.name].address.rpartition(":")[0].strip("[]")
        found = host.look(f"head -c {LONGEST} '{certificate(ip)}' 2>/dev/null; :").strip()
        return f"{found}\n" if PEM.match(found) else ""

    empty = dict.fromkeys(hosts, next(iter(wants)))
    outcomes = fleet.only(*targets).each(empty, read, limit=LIMIT)
    return {hosts[one.host].address: one.result for one in outcomes if one.result}


def _given(want: Want, known: Mapping[str, str]) -> Want:
    caches = (replace(one, certificate=known.get(one.address, "")) for one in want.caches)
    return replace(want, caches=tuple(caches))
