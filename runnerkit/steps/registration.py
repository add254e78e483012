"""Each wanted runner is registered once, and GitLab's side of it is as the settings say."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from runnerkit.errors import KitError
from runnerkit.facts import Facts, Needs, ServerRunner
from runnerkit.files import config_toml, memory, register, removals
from runnerkit.files.diff import diff
from runnerkit.plan import Change, Script, ServerCall
from runnerkit.want import FIELDS, Want, WantedRunner


def needs(want: Want) -> Needs:
    return Needs(files=(want.config, want.system_id, memory.PATH))


def changes(want: Want, have: Facts) -> Iterator[Change]:
    names = [runner.name(have.hostname) for runner in want.runners]
    if doubled := [name for name in names if names.count(name) > 1]:
        what = f"two runners of the settings would both be {doubled[0]!r} on the host"
        raise KitError(what, "give each its own name: runners.NAME.name")
    for runner in want.runners:
        server = have.server.get(runner.key)
        if config_toml.entry_index(want, have, runner) is None:
            yield from _register(want, have, runner, server)
        elif server is not None:
            yield from _update(runner, server)


def _register(
    want: Want, have: Facts, runner: WantedRunner, server: ServerRunner | None
) -> Iterator[Change]:
    name = runner.name(have.hostname)
    if runner.token:
        way = "token"
    elif want.api:
        way = "api"
        yield _mint(runner, have, server)
    elif runner.registration_token:
        way = "registration"
    else:
        named = f"set {runner.spec.token}" if runner.spec.token else "give it a token"
        raise KitError(
            f"runner {runner.key} is not registered, and there is no token to register it with",
            f"{named} (glrt-…), or GITLAB_TOKEN and [gitlab] api_token to have the API create the runner",
        )
    old = way == "registration"
    note = runner.note(have.identity) if old else ""
    text = register.script(want, runner, name, note, runner.at_gitlab if old else None)
    entry = diff("", config_toml.shown(runner), want.config)
    reaches = register.reaches(want)
    title = f"register runner {name}"
    if gone := [str(one.get("name")) for one in removals.config(want, have).entries.values()]:
        title += f", after which {', '.join(gone)} goes"
    yield Script(title, text, entry, token=runner.key, hints=register.HINTS, reaches=reaches)


def _mint(runner: WantedRunner, have: Facts, server: ServerRunner | None) -> ServerCall:
    name, spec = runner.name(have.hostname), runner.spec
    if server:  # created by a run that was cut off before the host had its token
        title = f"take over runner {name} (#{server.id}) at GitLab with a new token"
        return ServerCall(title, "reset", runner.key, server.id)
    owner = {"project_type": {"project_id": spec.project}, "group_type": {"group_id": spec.group}}
    data = {
        "runner_type": spec.kind,
        "description": name,
        "maintenance_note": runner.note(have.identity),
        **owner.get(spec.kind, {}),
        **runner.at_gitlab,
    }
    return ServerCall(
        f"create runner {name} at GitLab ({spec.kind})", "create", runner.key, data=data
    )


def _update(runner: WantedRunner, server: ServerRunner) -> Iterator[Change]:
    wanted = dict(runner.at_gitlab)
    now = {**{key: getattr(server, key) for key in FIELDS}, "tag_list": sorted(server.tags)}
    now["description"] = server.description
    if runner.spec.tags is not None:
        wanted["tag_list"] = sorted({*runner.spec.tags})
    if runner.spec.name:
        wanted["description"] = runner.spec.name
    if differing := {key: value for key, value in wanted.items() if now[key] != value}:
        old, new = (_lines(values, differing) for values in (now, wanted))
        title = f"set {', '.join(differing)} of runner #{server.id} at GitLab"
        shown = diff(old, new, f"runner #{server.id}")
        yield ServerCall(title, "update", runner.key, server.id, differing, shown)


def _lines(values: Mapping[str, Any], keys: Iterable[str]) -> str:
    return "\n".join(f"{key} = {json.dumps(values[key], ensure_ascii=False)}" for key in keys)
