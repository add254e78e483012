"""What GitLab has and no host: managers and runners that are nowhere any more."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

from runnerkit import resolve
from runnerkit.checks.finding import Finding, Kind, Level
from runnerkit.errors import KitError
from runnerkit.facts import Facts, ServerManager, ServerRunner
from runnerkit.files import config_toml
from runnerkit.fleet.gitlab_side import server_of
from runnerkit.fleet.run import Fleet, Outcome
from runnerkit.settings.secrets import Secret
from runnerkit.want import MARK, Want

if TYPE_CHECKING:
    from runnerkit.gitlab.server import Server

AT_ONCE = 8
MOST = 100  # runners that GitLab is asked about one by one, in a run
P = TypeVar("P", bound="Present")
MANAGER = Kind(
    "manager-ghost",
    Level.NOTE,
    "manager {system_id} of runner {name} (#{id}) is on no host of the settings; GitLab has it as {status}, "
    "last seen {seen}",
    "./inv gitlab.ghosts --host all takes it off; name the host of one that is online in [hosts], or "
    "give the runner a new token at GitLab, if that machine is not yours",
)
RUNNER = Kind(
    "runner-ghost",
    Level.NOTE,
    "the kit made runner {name} (#{id}) for {host}, and no host of the settings has it; GitLab has it as {status}",
    "if no other settings have it: ./inv gitlab.ghosts --host all takes it off",
)
KINDS = (MANAGER, RUNNER)


@dataclass(frozen=True)
class Presence:
    """A host as GitLab may know it: what its manager calls itself ("" before it has run), its runners
    by their key in the settings (None: GitLab does not say), and the tokens that it has for them."""

    system_id: str
    runners: Mapping[str, ServerRunner | None]
    tokens: Mapping[str, Secret] = field(default_factory=dict)


@dataclass(frozen=True)
class Ghost:
    """A runner that no host has, or one's `manager`; `token` is the runner's, where a host has it."""

    runner: ServerRunner
    manager: ServerManager | None = None
    token: Secret | None = None

    @property
    def finding(self) -> Finding:
        """The same as it is noted."""
        name, number = self.runner.description, self.runner.id
        if one := self.manager:
            seen = " from ".join(filter(None, (one.contacted_at, one.ip_address))) or "never"
            return MANAGER.found(
                system_id=one.system_id, name=name, id=number, status=one.status, seen=seen
            )
        return RUNNER.found(name=name, id=number, host=self.host, status=self.runner.status)

    @property
    def host(self) -> str:
        """For which host the kit made the runner."""
        return self.runner.note.removeprefix(MARK).partition(" ")[0]


def presence(want: Want, have: Facts) -> Presence:
    """What a look has told of that."""
    runners = {runner.key: have.server.get(runner.key) for runner in want.runners}
    known = {runner.key: config_toml.token(want, have, runner) for runner in want.runners}
    tokens = {key: token for key, token in known.items() if token}
    return Presence(config_toml.system_id(want, have), runners, tokens)


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
    server = server_of(fleet.settings, token)
    with suppress(KitError):  # that GitLab does not answer is told of the hosts
        return tuple(one.finding for one in found(fleet, told, server))
    return ()


def found(fleet: Fleet, told: Mapping[str, Presence], server: "Server") -> Iterator[Ghost]:
    """The managers, then the runners; GitLab is asked about so many at most.

    Args:
        fleet: the hosts of the run.
        told: what the hosts told that answered.
        server: GitLab.
    """
    runners = {
        runner.id: (runner, one.tokens.get(key))
        for one in told.values()
        for key, runner in one.runners.items()
        if runner and _all_told(fleet, told, key)
    }
    asked = dict(list(runners.items())[:MOST])
    yield from _managers(told, server, asked)
    yield from _runners(fleet, told, server, MOST - len(asked))


def _managers(
    told: Mapping[str, Presence],
    server: "Server",
    runners: Mapping[int, tuple[ServerRunner, Secret | None]],
) -> Iterator[Ghost]:
    systems = {one.system_id for one in told.values()}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = pool.map(server.managers, runners)
    for (runner, token), managers in zip(runners.values(), answers, strict=True):
        for one in managers:
            if one.system_id not in systems:
                yield Ghost(runner, one, token)


def _all_told(fleet: Fleet, told: Mapping[str, Presence], key: str) -> bool:
    """Whether every host that the settings give this runner has told, and its manager has run."""
    hosts = [name for name in fleet.settings.hosts if key in resolve.keys_of(fleet.settings, name)]
    return all(name in told and told[name].system_id for name in hosts)


def unknown(fleet: Fleet, told: Mapping[str, Presence]) -> list[str]:
    """The hosts of which it is not known which runners are theirs: no runner is then a ghost."""
    return [
        name
        for name in fleet.settings.hosts
        if name not in told or None in told[name].runners.values()
    ]


def _runners(
    fleet: Fleet, told: Mapping[str, Presence], server: "Server", most: int
) -> Iterator[Ghost]:
    if unknown(fleet, told) or None in [
        one for host in told.values() for one in host.runners.values()
    ]:
        return
    ours = {runner.id for one in told.values() for runner in one.runners.values() if runner}
    silent = [number for number in server.silent(most) if number not in ours]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = pool.map(server.get, silent)
    for one in answers:
        if one and one.note.startswith(MARK):
            yield Ghost(one)
