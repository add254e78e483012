"""Hosts made into runner hosts, and what that would change."""

from dataclasses import dataclass, replace
from pathlib import Path

from runnerkit import converge, resolve
from runnerkit.checks.finding import Finding, Level
from runnerkit.checks.gitlab import acceptance
from runnerkit.errors import KitError
from runnerkit.facts import Facts
from runnerkit.files import config_toml
from runnerkit.fleet.bundles import verification
from runnerkit.fleet.clearing import ghosts
from runnerkit.fleet.gitlab_side import token_of
from runnerkit.fleet.host import Host
from runnerkit.fleet.mirrors import caches
from runnerkit.fleet.run import Fleet, Outcome, Unfinished
from runnerkit.plan import Change
from runnerkit.settings.docker import AUTO
from runnerkit.settings.model import Settings
from runnerkit.settings.secrets import Secret
from runnerkit.want import Want


@dataclass(frozen=True)
class Bootstrapped:
    """The names of the runners that GitLab accepts, what is to be noted, and jobs at once."""

    runners: tuple[str, ...]
    findings: tuple[Finding, ...]
    concurrent: int = 1


@dataclass(frozen=True)
class Planned:
    """What bootstrap would change, what is to be noted, and what would make it fail."""

    changes: tuple[Change, ...]
    findings: tuple[Finding, ...]
    presence: ghosts.Presence | None = None


def bootstrap(
    fleet: Fleet, bundle: str = "", mirrors_anew: bool = False
) -> list[Outcome[Bootstrapped]]:
    """Converge every host, then prove that GitLab accepts its runners.

    Args:
        fleet: the hosts.
        bundle: the file that all comes from which else were fetched; "" for none.
        mirrors_anew: whether registry mirrors are asked though some are chosen.
    """

    def work(host: Host, wanted: Want) -> Bootstrapped:
        have = converge.apply(host, wanted, checks=converge.CHECKS)
        found = findings(wanted, have)
        for finding in found:
            if finding.level is Level.ERROR:
                raise finding.error()
        concurrent = config_toml.parsed(wanted, have).get("concurrent", 1)
        return Bootstrapped(tuple(acceptance.accepted(wanted, have)), found, concurrent)

    known, token = wants(fleet, bundle=bundle, mirrors_anew=mirrors_anew)
    return caches.first(fleet, known, work, token)


def plan(
    fleet: Fleet, bundle: str = "", mirrors_anew: bool = False
) -> tuple[list[Outcome[Planned]], tuple[Finding, ...]]:
    """What bootstrap would change on every host; and what is to be noted of none."""

    def work(host: Host, wanted: Want) -> Planned:
        asking = (*converge.STEPS, *converge.CHECKS) if wanted.runners else converge.CHECKS
        have = converge.look(host, wanted, asking)
        found = findings(wanted, have)
        if not wanted.runners:
            raise Unfinished(resolve.none(), Planned((), found))
        pending = converge.plan(wanted, have)
        proof = (one for one in found if _proven(one, pending))
        noted = (*proof, *host.obstacles(wanted, pending))
        return Planned(tuple(pending), noted, ghosts.presence(wanted, have))

    known, token = wants(fleet, True, bundle, mirrors_anew)
    outcomes = fleet.each(known, work, token)
    return outcomes, ghosts.findings(fleet, outcomes, token)


def _proven(one: Finding, pending: list[Change]) -> bool:
    """Whether a finding holds before the changes are made: what the manager could not reach, it may
    reach after them."""
    return one.level is Level.NOTE or one.code == acceptance.GONE.code or not pending


def findings(wanted: Want, have: Facts) -> tuple[Finding, ...]:
    """All that the checks find on a host."""
    return tuple(one for check in converge.CHECKS for one in check.findings(wanted, have))


def wants(
    fleet: Fleet, empty: bool = False, bundle: str = "", mirrors_anew: bool = False
) -> tuple[dict[str, Want], Secret | None]:
    """What each host should be, by its name, and GitLab's API token where there is one.

    Args:
        fleet: the hosts.
        empty: whether one without a runner is no mistake.
        bundle: the file that all comes from which else were fetched; "" for none.
        mirrors_anew: whether registry mirrors are asked though some are chosen.
    """
    settings, names = fleet.settings, [target.name for target in fleet.targets]
    _one_master({*settings.hosts, *names}, settings)
    found = {name: resolve.of_host(settings, name, empty, names) for name in names}
    if mirrors_anew and settings.docker.registry_mirrors != AUTO:
        raise KitError(
            "--mirrors-anew: [docker] registry_mirrors names the mirrors, and none choose themselves",
            f'leave it out, or set registry_mirrors = "{AUTO}"; no host was touched',
        )
    found = {name: replace(one, mirrors_anew=mirrors_anew) for name, one in found.items()}
    token = token_of(settings)
    if token is None:  # its source is named, but empty: the other ways to register are left
        found = {name: replace(wanted, api=False) for name, wanted in found.items()}
    if bundle:
        whole = verification.whole(Path(bundle), settings.bundle.signed_by, fleet.listener)
        found = {name: replace(wanted, bundle=whole) for name, wanted in found.items()}
    return found, token


def _one_master(hosts: set[str], settings: Settings) -> None:
    """Two managers of one group of machines would remove each other's."""
    for key, runner in settings.runners.items():
        users = sorted(host for host in hosts if key in resolve.keys_of(settings, host))
        if runner.autoscaler and len(users) > 1:
            raise KitError(
                f"runners.{key} has an autoscaler, whose machines have one manager, not {', '.join(users)}",
                "let one host have it, by the runners of [hosts.NAME]; no host was touched",
            )
