"""The live config.toml: the kit sets what the settings name and keeps everything else.

Compared by meaning, because the runner rewrites the file itself: comments go, lists change form.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from runnerkit import container
from runnerkit.errors import KitError
from runnerkit.facts import Facts
from runnerkit.files import memory
from runnerkit.files.merge import lay_over, missing
from runnerkit.settings import free_keys, tokens
from runnerkit.settings.secrets import Secret
from runnerkit.want import Want, WantedRunner, bare


class _Entry(msgspec.Struct):
    """What is read of an entry that anybody may have written."""

    name: str = ""
    url: str = ""
    token: str = ""


class _Written(msgspec.Struct):
    runners: list[_Entry] = []


def parsed(want: Want, have: Facts) -> dict[str, Any]:
    """config.toml as data; empty where there is none.

    Raises:
        KitError: it is not TOML, or its entries are none of gitlab-runner's.
    """
    file = have.files.get(want.config)
    try:
        data = file.toml if file else {}
        msgspec.convert(data, _Written)
    except (ValueError, RecursionError) as error:
        other = isinstance(error, msgspec.ValidationError | RecursionError)
        raise _strange(want, "none of gitlab-runner's" if other else "not TOML", error) from None
    return data


def _strange(want: Want, what: str, error: Exception) -> KitError:
    return KitError(
        f"{want.config} on the host is {what}: {error}",
        f"repair it there, or put {want.config}.previous in its place",
    )


def entry_index(want: Want, have: Facts, runner: WantedRunner) -> int | None:
    """Which ``[[runners]]`` of the host is this runner: by token, the settings' or a renewed one, else by name.

    A token is one runner's, by whatever address its GitLab is called. A run without settings, name or
    runner's token also adopts the only entry for the same GitLab, so that a host set up by hand is
    not registered a second time.
    """
    entries = parsed(want, have).get("runners", [])
    token, name = runner.token.reveal() if runner.token else "", runner.name(have.hostname)
    for i, entry in enumerate(entries):
        if token and entry.get("token") == token:
            return i
    # Renewed since: it is the entry whose token the kit remembers of this runner.
    own = memory.parsed(have).settings.get(want.origin) if token else None
    if own and (known := own.runners.get(runner.key)) and known.token:
        for i, entry in enumerate(entries):
            if memory.digest(have, entry.get("token")) == known.token:
                return i
    same = [i for i, one in enumerate(entries) if gitlab(one.get("url")) == gitlab(want.url)]
    for i in same:
        if entries[i].get("name") == name:
            return i
    return same[0] if runner.adopts and not token and len(same) == 1 else None


def others(want: Want, have: Facts) -> list[dict[str, Any]]:
    """The ``[[runners]]`` of the host that are none of the wanted ones."""
    ours = {entry_index(want, have, runner) for runner in want.runners}
    entries = parsed(want, have).get("runners", [])
    return [entry for index, entry in enumerate(entries) if index not in ours]


def gitlab(url: object) -> tuple[str, ...]:
    """A GitLab's address as the runner means it: in any case, its usual port said or not."""
    scheme, _, rest = bare(str(url)).partition("://")
    host, _, path = rest.partition("/")
    usual = {"http": ":80", "https": ":443"}.get(scheme.lower(), "")
    host = host.lower()
    return scheme.lower(), host.removesuffix(usual) if usual else host, path


def token(want: Want, have: Facts, runner: WantedRunner) -> Secret | None:
    """The token that the host has for this runner; None for another than the settings have.

    The id beside it in the file is the host's word for whose runner it is: it is not believed.
    """
    found = entry_token(want, have, runner)
    return found if not runner.token or found == runner.token else None


def entry_token(want: Want, have: Facts, runner: WantedRunner) -> Secret | None:
    """The token that stands in the runner's entry, whatever the settings have."""
    index = entry_index(want, have, runner)
    return (
        None if index is None else tokens.known(parsed(want, have)["runners"][index].get("token"))
    )


def system_id(want: Want, have: Facts) -> str:
    """What the host's manager calls itself; "" where it has not run, or says what no manager does."""
    file = have.files.get(want.system_id)
    text = file.text.strip() if file else ""
    return text if re.fullmatch("[rs]_[0-9A-Za-z]{12}", text) else ""


def globals_wanted(want: Want, have: Facts) -> dict[str, Any]:
    """What the settings say of the global part; where the kit writes the first file, also how many
    jobs run at once: as many as the host has processors."""
    manager, first = want.manager, want.config not in have.files
    auto = manager.concurrent == "auto" or (manager.concurrent is None and first)
    concurrent = have.cpus if auto else manager.concurrent
    settings = free_keys.shown(manager.settings, Secret.reveal)
    listens = container.listens(want, have.containers.get(manager.container, {}))
    ours = {"concurrent": concurrent, "listen_address": listens}
    return {**{key: value for key, value in ours.items() if value}, **settings}


def runner_wanted(
    runner: WantedRunner, show: Callable[[Secret], str] = Secret.reveal
) -> dict[str, Any]:
    """What the settings say of one ``[[runners]]`` entry; `show` says what stands for a secret."""
    spec = runner.spec
    wanted = {"executor": spec.executor, **spec.settings}
    if spec.executor != "instance":
        docker = {
            "image": runner.image,
            "pull_policy": list(spec.pull_policy or ("if-not-present",)),
        }
        wanted["docker"] = {**docker, **spec.docker}
    if spec.autoscaler:
        wanted["autoscaler"] = spec.autoscaler
    return dict(free_keys.shown(wanted, show))


def entry_wanted(want: Want, runner: WantedRunner, entry: Mapping[str, Any]) -> dict[str, Any]:
    """The same of an entry that is there, whose address may be another way to write GitLab's."""
    known = gitlab(entry.get("url")) == gitlab(want.url)
    return {**({} if known else {"url": want.url}), **runner_wanted(runner)}


def shown(runner: WantedRunner) -> str:
    """The same as people read it, without a secret."""
    import tomlkit

    return tomlkit.dumps({"runners": [runner_wanted(runner, str)]})


def restarts(wanted: dict[str, Any], now: dict[str, Any]) -> bool:
    """Whether an entry changes in what a manager that runs does not take up: all but the policy."""
    fixed = {k: v for k, v in wanted.get("autoscaler", {}).items() if k != "policy"}
    return "autoscaler" in now and missing({"autoscaler": fixed}, now)


def edited(text: str, want: Want, have: Facts, entries: dict[int, WantedRunner]) -> str:
    """The file with the settings laid over it, everything else as it stands.

    Raises:
        KitError: it is nested deeper than can be written.
    """
    import tomlkit

    try:
        document = tomlkit.parse(text)
    except ValueError as error:
        raise _strange(want, "none of gitlab-runner's", error) from None
    lay_over(document, globals_wanted(want, have))
    for index, runner in entries.items():
        entry = document["runners"][index]
        lay_over(entry, entry_wanted(want, runner, entry))
    return tomlkit.dumps(document)


def inline(value: Any) -> str:
    """A value in TOML's inline form."""
    import tomlkit

    if isinstance(value, dict):
        pairs = (f"{tomlkit.key(key).as_string()} = {inline(one)}" for key, one in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(inline, value))}]"
    return str(tomlkit.item(value).as_string())
