"""What GitLab has and no host: managers and runners that are nowhere any more. Nothing is deleted."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from runnerkit import resolve
from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.errors import KitError
from runnerkit.facts import Facts, ServerRunner
from runnerkit.files import config_toml
from runnerkit.fleet.run import Fleet, Outcome
from runnerkit.settings.secrets import Secret
from runnerkit.want import MARK, Want, bare

if TYPE_CHECKING:
    from runnerkit.gitlab.server import Server

AT_ONCE = 8
P = TypeVar("P", bound="Present")
MANAGER = Kind(
    "manager-ghost",
    Level.NOTE,
    "manager {system_id} of runner {name} (#{id}) is on no host of the settings; GitLab has it as {status}, "
    "last seen {seen}",
    "GitLab forgets by itself one that is gone for long; name the host of one that is online in [hosts], or "
    "give the runner a new token at GitLab, if that machine is not yours",
)
RUNNER = Kind(
    "runner-ghost",
    Level.NOTE,
    "the kit made runner {name} (#{id}) for {host}, and no host of the settings has it; GitLab has it as {status}",
    'if no other settings have it: curl -X DELETE -H "PRIVATE-TOKEN: $GITLAB_TOKEN" {url}/api/v4/runners/{id}',
)
KINDS = (MANAGER, RUNNER)


@dataclass(frozen=True)
class Presence:
    """A host as GitLab may know it: what its manager calls itself ("" before it has run), and its
    runners by their key in the settings (None: GitLab does not say)."""

    system_id: str
    runners: Mapping[str, ServerRunner | None]


def presence(want: Want, have: Facts) -> Presence:
    """What a look has told of that."""
    runners = {runner.key: have.server.get(runner.key) for runner in want.runners}
    return Presence(config_toml.system_id(want, have), runners)


class Present(Protocol):
    """A verb's result on a host; its presence is None where it could not be told."""

    @property
    def presence(self) -> Presence | None: ...


def findings(
    fleet: Fleet, outcomes: Sequence[Outcome[P]], token: Secret | None
) -> tuple[Finding, ...]:
    """The ghosts, as far as all hosts were looked at that could be them.

    Args:
        fleet: the hosts of the run.
        outcomes: what became of each.
        token: GitLab's API token.
    """
    told = {one.host: one.result.presence for one in outcomes if one.result and one.result.presence}
    if not token or not told or not fleet.settings.hosts:
        return ()
    from runnerkit.gitlab.server import Server

    url = bare(fleet.settings.gitlab.url)
    server = Server(url, token)
    with suppress(KitError):  # that GitLab does not answer is told of the hosts
        return (*_managers(fleet, told, server), *_runners(fleet, told, server))
    return ()


def _managers(fleet: Fleet, told: Mapping[str, Presence], server: "Server") -> Iterator[Finding]:
    systems = {one.system_id for one in told.values()}
    runners = {
        runner.id: runner
        for one in told.values()
        for key, runner in one.runners.items()
        if runner and _all_told(fleet, told, key)
    }
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = pool.map(server.managers, runners)
    for runner, managers in zip(runners.values(), answers, strict=True):
        for one in managers:
            if one.system_id not in systems:
                yield MANAGER.found(
                    system_id=one.system_id,
                    name=runner.description,
                    id=runner.id,
                    status=one.status,
                    seen=" from ".join(filter(None, (one.contacted_at, one.ip_address))) or "never",
                )


def _all_told(fleet: Fleet, told: Mapping[str, Presence], key: str) -> bool:
    """Whether every host that the settings give this runner has told, and its manager has run."""
    hosts = [name for name in fleet.settings.hosts if key in resolve.keys_of(fleet.settings, name)]
    return all(name in told and told[name].system_id for name in hosts)


def _runners(fleet: Fleet, told: Mapping[str, Presence], server: "Server") -> Iterator[Finding]:
    every = [runner for one in told.values() for runner in one.runners.values()]
    if not {*fleet.settings.hosts} <= {*told} or None in every:
        return
    ours = {runner.id for runner in every if runner}
    silent = [number for number in server.silent() if number not in ours]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = pool.map(server.get, silent)
    for one in answers:
        if one and one.note.startswith(MARK):
            host = one.note.removeprefix(MARK).partition(" ")[0]
            yield RUNNER.found(
                name=one.description, id=one.id, host=host, status=one.status, url=server.url
            )
