"""Runners taken away from many hosts, and what is left of those that do not answer."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from runnerkit import converge, resolve
from runnerkit.actions import remove, remove_docker, remove_host
from runnerkit.errors import KitError
from runnerkit.facts import Facts
from runnerkit.files import config_toml, daemon_json, share
from runnerkit.fleet.gitlab_side import token_of
from runnerkit.fleet.host import Host
from runnerkit.fleet.run import Fleet, Outcome
from runnerkit.plan import Change
from runnerkit.settings.secrets import Secret
from runnerkit.want import MARK, Want


@dataclass(frozen=True)
class Removed:
    """What goes from a host, or would, and what stays."""

    pending: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()


UNSEEN = "only GITLAB_TOKEN, of scope api or manage_runner, tells whether the kit made it"
Agree = Callable[[list[Outcome[Removed]]], None]


def remove_from(fleet: Fleet, keep_images: bool, dry: bool, agree: Agree) -> list[Outcome[Removed]]:
    """Look at every host, have it agreed on, then take the runners away.

    Args:
        fleet: the hosts.
        keep_images: leave their images.
        dry: only tell what would go.
        agree: shown what goes; raises a KitError where that shall not be.
    """
    names = [target.name for target in fleet.targets]
    wants = {name: resolve.of_host(fleet.settings, name, True, names) for name in names}
    token = token_of(fleet.settings)

    def look(host: Host, wanted: Want) -> Removed:
        return _planned(host, wanted, keep_images, token)[0]

    def work(host: Host, wanted: Want) -> Removed:
        planned, (*actions, forgetting) = _planned(host, wanted, keep_images, token)
        converge.apply(host, wanted, actions)
        converge.apply(host, wanted, (forgetting,))  # the lock's folder goes with the memory
        return planned

    looked = fleet.each(wants, look, token)
    for one in looked:
        if one.error:
            one.result = Removed(notes=tuple(_left(wants[one.host], one.host, token)))
    going = {one.host for one in looked if one.result and one.result.pending}
    if dry or not going:
        return looked
    agree(looked)
    targets = (target for target in fleet.targets if target.name in going)
    done = {one.host: one for one in fleet.only(*targets).each(wants, work, token)}
    return [done.get(one.host, one) for one in looked]


def _left(want: Want, name: str, token: Secret | None) -> Iterator[str]:
    """What is left of a host that does not answer, and how it goes later."""
    yield (
        f"left there: the container {want.manager.container}, {want.manager.config_dir} and all else of "
        f"the kit's; once it answers, ./inv runner.remove --host {name} takes it away"
    )
    from runnerkit.gitlab.server import Server

    server = Server(want.url, token, ca=want.network.ca) if token else None
    with suppress(KitError):  # that GitLab does not answer is no news of the host
        found = [
            one
            for runner in want.runners
            for one in (server.marked(runner, runner.name(name)) if server else ())
        ]
        names = ", ".join(f"{one.description} (#{one.id}, {one.status})" for one in found)
        if names:
            yield (
                f"left at GitLab: {names}; where the host never comes back, take it out of [hosts], and "
                "./inv gitlab.ghosts --host all takes it off"
            )


def _others(want: Want, have: Facts, token: Secret | None, number: int) -> list[str]:
    """What else than this host speaks for a runner, as GitLab has it."""
    from runnerkit.gitlab.server import Server

    mine = config_toml.system_id(want, have)
    server = Server(want.url, token, ca=want.network.ca) if token else None
    listed = server.managers(number) if server else []
    return [one.system_id for one in listed if one.system_id != mine]


def _planned(
    host: Host, want: Want, keep_images: bool, token: Secret | None
) -> tuple[Removed, tuple[converge.Step, ...]]:
    have = converge.look(host, want, remove.actions({}, keep_images))
    alone = {}
    reasons = {}
    for runner in want.runners:
        if server := have.server.get(runner.key):
            if not server.note.startswith(MARK):
                reasons[runner.key] = "the kit did not make it"
            elif others := _others(want, have, token, server.id):
                reasons[runner.key] = f"other hosts have it too: {', '.join(others)}"
            else:
                alone[runner.key] = server.id
    actions = tuple(remove.actions(alone, keep_images))
    pending = converge.plan(want, have, actions)
    return Removed(tuple(pending), tuple(_notes(want, have, reasons, keep_images))), actions


def _notes(want: Want, have: Facts, reasons: Mapping[str, str], keep_images: bool) -> Iterator[str]:
    """What stays, and why."""
    part = share.of(want, have)
    for runner in want.runners:
        index, server = config_toml.entry_index(want, have, runner), have.server.get(runner.key)
        entry = part.mine.get(-1 if index is None else index, {})
        if runner.key in reasons and server:
            name = f"{server.description} (#{server.id})"
            yield f"runner {name} stays at GitLab: {reasons[runner.key]}"
        elif entry and not server and index not in part.old:
            name = entry.get("name", runner.key)
            why = "the kit did not make it" if runner.token else UNSEEN
            yield f"runner {name} stays at GitLab: {why}"
        if "autoscaler" in entry:
            yield "the machines of its autoscaler's group stay: set the group's size to 0 there"
    if keys := remove_host.overwritten(want, have):
        yield (
            f"{', '.join(keys)} of {daemon_json.PATH} stays with the kit's value: the host had another before "
            "it, which is not remembered; set it there"
        )
    if part.rest:
        names = ", ".join(str(one.get("name", "without a name")) for one in part.rest)
        yield f"the manager stays, with runners that are not of these settings: {names}"
    elif part.others:
        yield "what other settings have on the host stays, and what serves both"
    elif not keep_images and have.dockerd and (why := remove_docker.stays(want, have)):
        yield f"Docker stays: {why}"
