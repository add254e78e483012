"""The runners of many hosts as GitLab has them: which they are GitLab tells by the hosts' tokens."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runnerkit import converge
from runnerkit.errors import KitError
from runnerkit.facts import ServerRunner
from runnerkit.files import config_toml
from runnerkit.fleet.bootstrap import wants
from runnerkit.fleet.gitlab_side import server_of
from runnerkit.fleet.host import Host
from runnerkit.fleet.run import Fleet, Outcome
from runnerkit.fleet.tokens.rotate import only
from runnerkit.settings.secrets import Secret
from runnerkit.steps import config_toml as entries_of
from runnerkit.steps import registration
from runnerkit.want import Want

if TYPE_CHECKING:
    from runnerkit.gitlab.server import Server


@dataclass(frozen=True)
class Seen:
    """A host's runners at GitLab, by their keys in the settings; what its manager calls itself, and
    whether a timer of its could end a pause."""

    runners: Mapping[str, ServerRunner]
    system_id: str
    systemd: bool


def reached(fleet: Fleet, runner: str) -> "tuple[dict[str, Want], Secret, Server]":
    """What each host should be, with that runner alone ("" for all), the API token, and the API.

    Raises:
        KitError: the settings keep a pause themselves, or there is no token.
    """
    known, token = wants(fleet)
    known = {name: only(want, runner) for name, want in known.items()}
    for one in (one for want in known.values() for one in want.runners):
        if one.spec.paused is not None:
            raise KitError(
                f"the settings say paused = {str(one.spec.paused).lower()} of runner {one.key}, and "
                "bootstrap makes it so",
                f"take paused out of [runners.{one.key}], or change it there and ./inv bootstrap",
            )
    if token is None:
        raise KitError(
            "a pause is GitLab's to keep, and there is no API token",
            "give gitlab.api_token, with the scope manage_runner; without one, ./inv runner.drain stops hosts",
        )
    return known, token, server_of(fleet.settings, token)


def look(fleet: Fleet, known: Mapping[str, Want], token: Secret) -> list[Outcome[Seen]]:
    """Ask each host for its tokens, and GitLab whose they are."""

    def work(host: Host, want: Want) -> Seen:
        have = host.renewed(want, converge.look(host, want, (registration, entries_of)))
        found = {}
        for runner in want.runners:
            if now := have.server.get(runner.key):
                found[runner.key] = now
            else:
                raise KitError(
                    f"GitLab does not say which runner {runner.key} is: the host has none that GitLab "
                    "accepts, or the API token does not see it",
                    "./inv plan tells; GITLAB_TOKEN needs the scope manage_runner, and an owner of the runner",
                )
        return Seen(found, config_toml.system_id(want, have), have.systemd)

    return fleet.each(known, work, token)


def runners(looked: list[Outcome[Seen]]) -> Iterator[tuple[str, ServerRunner, dict[str, Seen]]]:
    """Each runner once: its key, itself, and the hosts of this run that have it."""
    found: dict[int, tuple[str, ServerRunner, dict[str, Seen]]] = {}
    for one in looked:
        if seen := one.result:
            for key, now in seen.runners.items():
                _, _, hosts = found.setdefault(now.id, (key, now, {}))
                hosts[one.host] = seen
    yield from found.values()


def whose(
    server: "Server", now: ServerRunner, hosts: Mapping[str, Seen]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    here = {one.system_id for one in hosts.values()}
    others = (one for one in server.managers(now.id) if one.system_id not in here)
    return tuple(hosts), tuple(f"{one.system_id} {one.ip_address}".strip() for one in others)
