"""The live config.toml: the kit sets what the settings name and keeps everything else.

Compared by meaning, because the runner rewrites the file itself: comments go, lists change form.
"""

import tomllib
from collections.abc import Callable, Mapping
from typing import Any

from runnerkit.errors import KitError
from runnerkit.facts import Facts
from runnerkit.files.merge import lay_over, missing
from runnerkit.settings import autoscaler
from runnerkit.settings.secrets import Secret
from runnerkit.want import Want, WantedRunner


def parsed(want: Want, have: Facts) -> dict[str, Any]:
    """config.toml as data; empty where there is none.

    Raises:
        KitError: it is not TOML.
    """
    file = have.files.get(want.config)
    try:
        return tomllib.loads(file.text) if file else {}
    except tomllib.TOMLDecodeError as error:
        raise KitError(
            f"{want.config} on the host is not TOML: {error}",
            f"repair it there, or put {want.config}.previous in its place",
        ) from None


def entry_index(want: Want, have: Facts, runner: WantedRunner) -> int | None:
    """Which ``[[runners]]`` of the host is this runner: by token, else by name.

    A token is one runner's, by whatever address its GitLab is called. A run without settings, name or
    runner's token also adopts the only entry for the same GitLab, so that a host set up by hand is
    not registered a second time.
    """
    entries = parsed(want, have).get("runners", [])
    token, name = runner.token.reveal() if runner.token else "", runner.name(have.hostname)
    for i, entry in enumerate(entries):
        if token and entry.get("token") == token:
            return i
    same = [i for i, one in enumerate(entries) if gitlab(one.get("url")) == gitlab(want.url)]
    for i in same:
        if entries[i].get("name") == name:
            return i
    return same[0] if runner.adopts and not token and len(same) == 1 else None


def gitlab(url: object) -> tuple[str, ...]:
    """A GitLab's address as the runner means it: network/client.go drops / and an old /ci."""
    whole = str(url).strip().rstrip("/").removesuffix("/ci").rstrip("/")
    scheme, _, rest = whole.partition("://")
    host, _, path = rest.partition("/")
    usual = {"http": ":80", "https": ":443"}.get(scheme.lower(), "")
    host = host.lower()
    return scheme.lower(), host.removesuffix(usual) if usual else host, path


def globals_wanted(want: Want, have: Facts) -> dict[str, Any]:
    """What the settings say of the global part."""
    manager = want.manager
    concurrent = have.cpus if manager.concurrent == "auto" else manager.concurrent
    return {**({"concurrent": concurrent} if concurrent else {}), **manager.settings}


def runner_wanted(
    runner: WantedRunner, show: Callable[[Secret], str] = Secret.reveal
) -> dict[str, Any]:
    """What the settings say of one ``[[runners]]`` entry; `show` says what stands for a secret."""
    spec = runner.spec
    wanted = {"executor": spec.executor, **spec.settings}
    if spec.executor != "instance":
        docker = {"image": runner.image, "pull_policy": list(spec.pull_policy)}
        wanted["docker"] = {**docker, **spec.docker}
    if spec.autoscaler:
        wanted["autoscaler"] = autoscaler.shown(spec.autoscaler, show)
    return wanted


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
    """The file with the settings laid over it, everything else as it stands."""
    import tomlkit

    document = tomlkit.parse(text)
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
