"""Ghosts taken off GitLab, as they were listed and agreed to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runnerkit import converge, resolve
from runnerkit.errors import KitError
from runnerkit.fleet.clearing import ghosts
from runnerkit.fleet.clearing.ghosts import Ghost, Presence
from runnerkit.fleet.gitlab_side import server_of, token_of
from runnerkit.fleet.host import Host
from runnerkit.fleet.run import Fleet, Outcome
from runnerkit.steps import registration
from runnerkit.want import Want

if TYPE_CHECKING:
    from runnerkit.gitlab.server import Server

GONE = ("offline", "stale", "never_contacted")


@dataclass(frozen=True)
class Sight:
    """What a host told of itself."""

    presence: Presence


@dataclass(frozen=True)
class Listed:
    """A ghost as it is listed: `days` since GitLab has heard of it (None: never), and what became of it."""

    ghost: Ghost
    days: int | None
    state: str = "listed"


@dataclass(frozen=True)
class Swept:
    """The ghosts, and the hosts of which it is not known which runners are theirs."""

    ghosts: tuple[Listed, ...]
    unknown: tuple[str, ...]
    outcomes: list[Outcome[Sight]]


Agree = Callable[[Swept], None]


def sweep(fleet: Fleet, dry: bool, agree: Agree) -> Swept:
    """List what GitLab has and no host, have it agreed on, and take off what was listed and is gone.

    Args:
        fleet: the hosts that are looked at.
        dry: only list.
        agree: shown what goes; raises a KitError where that shall not be.
    """
    token = token_of(fleet.settings)
    if token is None:
        raise KitError(
            "what GitLab has is told by its API alone, and there is no token for it",
            "set GITLAB_TOKEN, and [gitlab] api_token",
        )
    if not fleet.settings.hosts:
        raise KitError(
            "a ghost is what no host of the settings has, and they name no host",
            "write [hosts] into runnerkit.toml; ./inv init writes one",
        )

    def look(host: Host, wanted: Want) -> Sight:
        return Sight(ghosts.presence(wanted, converge.look(host, wanted, (registration,))))

    names = [target.name for target in fleet.targets]
    wants = {name: resolve.of_host(fleet.settings, name, True, names) for name in names}
    outcomes = fleet.each(wants, look, token)
    server = server_of(fleet.settings, token)
    told = {one.host: one.result.presence for one in outcomes if one.result}
    listed = tuple(_listed(one) for one in ghosts.found(fleet, told, server))
    swept = Swept(listed, tuple(ghosts.unknown(fleet, told)), outcomes)
    if dry or not any(_goes(one.ghost) for one in listed):
        return swept
    agree(swept)
    return Swept(tuple(_taken(server, told, one) for one in listed), swept.unknown, outcomes)


def goes(listed: Listed) -> bool:
    """Whether it can be taken off: it is not online, and of a manager the runner's token is known."""
    return _goes(listed.ghost)


def _goes(ghost: Ghost) -> bool:
    if ghost.manager:
        return ghost.manager.status in GONE and ghost.token is not None
    return ghost.runner.status in GONE


def _listed(ghost: Ghost) -> Listed:
    seen = ghost.manager.contacted_at if ghost.manager else ghost.runner.contacted_at
    try:
        days = (datetime.now(UTC) - datetime.fromisoformat(seen)).days if seen else None
    except (ValueError, TypeError):  # a time that is none, or has no zone
        days = None
    return Listed(ghost, days)


def _taken(server: "Server", told: Mapping[str, Presence], listed: Listed) -> Listed:
    """Asked once more just before: what came back meanwhile stays."""
    from runnerkit.gitlab.runner_token import dismiss

    ghost = listed.ghost
    if not _goes(ghost):
        status = ghost.manager.status if ghost.manager else ghost.runner.status
        kept = status if status not in GONE else "its runner's token is on no host"
        return Listed(ghost, listed.days, f"kept: {kept}")
    managers = server.managers(ghost.runner.id)
    if ghost.manager is None:
        now = server.get(ghost.runner.id)
        if now is None:
            return Listed(ghost, listed.days, "gone already")
        if now.status not in GONE or any(one.status == "online" for one in managers):
            return Listed(ghost, listed.days, "kept: it is back")
        server.delete(ghost.runner.id)
        return Listed(ghost, listed.days, "removed")
    status = next((m.status for m in managers if m.system_id == ghost.manager.system_id), "")
    if not status:
        return Listed(ghost, listed.days, "gone already")
    if status not in GONE or ghost.token is None:
        return Listed(ghost, listed.days, "kept: it is back")
    code = dismiss(server.url, ghost.token, ghost.manager.system_id, server.ca)
    done = {204: "removed", 404: "gone already"}
    return Listed(ghost, listed.days, done.get(code, f"kept: GitLab answered {code or 'nothing'}"))
