"""The tokens of runners renewed, each on all of its hosts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from runnerkit import converge, resolve
from runnerkit.checks.gitlab import acceptance
from runnerkit.errors import KitError, nearest
from runnerkit.files import config_toml, register
from runnerkit.fleet.bootstrap import wants
from runnerkit.fleet.gitlab_side import authority, server_of
from runnerkit.fleet.host import Host
from runnerkit.fleet.run import Fleet, Outcome
from runnerkit.fleet.tokens import sources, turns
from runnerkit.fleet.tokens.new_tokens import Rotated, Run
from runnerkit.fleet.tokens.turns import Held, Turns
from runnerkit.plan import Script
from runnerkit.steps import config_toml as entries_of
from runnerkit.steps import registration
from runnerkit.want import Want, bare

if TYPE_CHECKING:
    from runnerkit.gitlab.server import Server

BEHIND = (
    "run this again when that is mended: the host then gets the new token, and no newer one is made"
)


@dataclass(frozen=True)
class Rotation:
    """What became of the hosts; and what is left to do: where, what, and how."""

    outcomes: list[Outcome[Rotated]]
    left: tuple[tuple[str, str, str], ...] = ()


def rotate(fleet: Fleet, runner: str, number: int, dry: bool, write: bool) -> Rotation:
    """Give runners new tokens, and all of their hosts the new one.

    Args:
        fleet: the hosts; all of those that share a token.
        runner: its key in the settings; "" for all.
        number: its id at GitLab, where GitLab cannot tell that by its token; 0 if not given.
        dry: only tell what would be done.
        write: put the new token into the file that the settings name as its source.
    """
    known, token = wants(fleet)
    known = {name: only(want, runner) for name, want in known.items()}
    _whole(fleet, known)
    if number and len({one.key for want in known.values() for one in want.runners}) > 1:
        raise KitError("--id is one runner's", "name it as the settings do: --runner NAME")
    looked = fleet.each(known, lambda host, want: tuple(_held(host, want, dry)), token)
    held = {one.host: one.result for one in looked if one.result}
    if fleet.pace.stop_on_failure and len(held) < len(looked):
        held = {}
    server, url = (
        server_of(fleet.settings, token) if token else None,
        bare(fleet.settings.gitlab.url),
    )
    plan = turns.planned(url, held, server, number, authority(fleet.settings))
    fleet = replace(fleet, pace=replace(fleet.pace, stop_on_failure=False))  # once it is reset, all
    run = Run(fleet, known, url, token, server, _begun(looked, plan))
    strangers = () if len(held) < len(looked) else tuple(_strangers(server, plan))
    if dry:
        return Rotation(list(run.outcomes.values()), strangers)
    run.do(plan.turns)
    outcomes = list(run.outcomes.values())
    left = (*_behind(known, outcomes, plan), *sources.left(plan.turns, write))
    return Rotation(outcomes, (*strangers, *left))


def only(want: Want, key: str) -> Want:
    """With the one runner that was asked for, or all."""
    keys = [one.key for one in want.runners]
    if key and key not in keys:
        raise KitError(
            f"--runner {key}: no runner of the settings that these hosts have{nearest(key, keys)}",
            f"name one of {', '.join(keys)}",
        )
    return replace(want, runners=tuple(one for one in want.runners if key in ("", one.key)))


def _whole(fleet: Fleet, known: Mapping[str, Want]) -> None:
    """A new token puts out every host that has the former."""
    shared = {one.key for want in known.values() for one in want.runners if one.spec.token}
    for key in sorted(shared):
        hosts = [one for one in fleet.settings.hosts if key in resolve.keys_of(fleet.settings, one)]
        if missing := [one for one in hosts if one not in known]:
            raise KitError(
                f"the token of runner {key} is also on {', '.join(missing)}, which a new one would put out",
                f"name all of them: --host {','.join(hosts)}; one that is gone leaves [hosts] first",
            )


def _held(host: Host, want: Want, dry: bool) -> Iterator[Held]:
    """The runners of a host, which could take a new token now."""
    have = converge.look(host, want, (acceptance, registration, entries_of))
    if not have.docker_runs:
        raise KitError(
            "Docker does not run, by which a new token comes in", "./inv bootstrap sets it up"
        )
    reaches = Script("give a new token", "", reaches=register.reaches(want))
    if found := host.obstacles(want, [reaches]):
        raise found[0].error()
    if not dry:
        host.lock()  # let go with the connection; another run is better met now than half way
    entries, names = (
        config_toml.parsed(want, have).get("runners", []),
        acceptance.accepted(want, have),
    )
    for runner in want.runners:
        index = config_toml.entry_index(want, have, runner)
        token = config_toml.entry_token(want, have, runner)
        if index is None or token is None:
            raise KitError(
                f"config.toml of the host has no token of runner {runner.key}",
                "./inv bootstrap registers it; a token that stands there as a variable is yours to renew",
            )
        number, seen = entries[index].get("id"), have.server.get(runner.key)
        name = str(entries[index].get("name", runner.key))
        yield Held(
            runner=runner,
            name=name,
            index=index,
            token=token,
            number=number if isinstance(number, int) else 0,
            seen=seen.id if seen else None,
            system_id=config_toml.system_id(want, have),
            mark=runner.note(have.identity),
            accepted=name in names,
        )


def _begun(looked: list[Outcome[tuple[Held, ...]]], plan: Turns) -> dict[str, Outcome[Rotated]]:
    """The outcomes so far."""
    found = {}
    for one in looked:
        error = plan.errors.get(one.host)
        what = {
            turn.hosts[one.host].name: turn.words for turn in plan.turns if one.host in turn.hosts
        }
        result = Rotated(what) if one.result else None
        base = Outcome(one.host, result, [], one.error, one.fix, one.seconds, one.execs)
        found[one.host] = replace(base, error=error.what, fix=error.fix) if error else base
    return found


def _strangers(server: "Server | None", plan: Turns) -> Iterator[tuple[str, str, str]]:
    """Managers that have a token and are on none of the hosts: a new one puts them out."""
    for turn in plan.turns:
        here = {one.system_id for one in turn.hosts.values()}
        for one in server.managers(turn.number) if server and turn.number else ():
            if one.system_id not in here and one.status == "online":
                what = f"manager {one.system_id} {one.ip_address}".strip()
                what += " is online, and on none of these hosts: a new token puts it out"
                yield f"runner {turn.runner.key}", what, "bootstrap its host, if that is yours"


def _behind(
    known: Mapping[str, Want], outcomes: list[Outcome[Rotated]], plan: Turns
) -> Iterator[tuple[str, str, str]]:
    """Hosts that failed, where others have a new token of the same runner."""
    new = {turn.runner.key: turn.runner for turn in plan.turns if turn.token}
    for one in outcomes:
        keys = {runner.key for runner in known[one.host].runners if runner.spec.token}
        if one.error and (names := sorted(keys & new.keys())):
            yield (
                one.host,
                f"runner {', '.join(names)} gets no jobs there by its former token",
                BEHIND,
            )
