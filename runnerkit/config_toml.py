"""The live config.toml: the kit sets what the settings name and keeps everything else.

Compared by meaning, because the runner rewrites the file itself: comments go, lists change form.
"""

import tomllib
from typing import Any

from runnerkit.errors import KitError
from runnerkit.facts import Facts
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


def entry(want: Want, have: Facts, runner: WantedRunner) -> int | None:
    """Which ``[[runners]]`` of the host is this runner: by token, else by name.

    A run without settings and without a name also adopts the only entry for the same GitLab, so
    that a host set up by hand is not registered a second time.
    """
    entries = parsed(want, have).get("runners", [])
    same = [i for i, one in enumerate(entries) if one.get("url", "").rstrip("/") == want.url]
    token, name = runner.token.reveal() if runner.token else "", runner.name(have.hostname)
    for i in same:
        if token and entries[i].get("token") == token:
            return i
    for i in same:
        if entries[i].get("name") == name:
            return i
    return same[0] if runner.adopts and len(same) == 1 else None


def globals_wanted(want: Want, have: Facts) -> dict[str, Any]:
    """What the settings say of the global part."""
    manager = want.manager
    concurrent = have.cpus if manager.concurrent == "auto" else manager.concurrent
    return {**({"concurrent": concurrent} if concurrent else {}), **manager.settings}


def runner_wanted(runner: WantedRunner) -> dict[str, Any]:
    """What the settings say of one ``[[runners]]`` entry."""
    docker = {"image": runner.image, "pull_policy": list(runner.spec.pull_policy)}
    return {
        "executor": runner.spec.executor,
        **runner.spec.settings,
        "docker": {**docker, **runner.spec.docker},
    }


def missing(want: Any, have: Any, key: str = "") -> bool:
    """Whether `have` lacks something of `want`; keys that `want` does not name do not matter."""
    if isinstance(want, dict):
        if not isinstance(have, dict):
            return True
        return any(missing(value, have.get(k), k) for k, value in want.items())
    return bool(_meaning(want, key) != _meaning(have, key))


def edited(text: str, want: Want, have: Facts, entries: dict[int, WantedRunner]) -> str:
    """The file with the settings laid over it, everything else as it stands."""
    import tomlkit

    document = tomlkit.parse(text)
    lay_over(document, globals_wanted(want, have))
    for index, runner in entries.items():
        lay_over(document["runners"][index], runner_wanted(runner))
    return tomlkit.dumps(document)


def lay_over(table: Any, values: dict[str, Any]) -> None:
    """Set in a tomlkit table what differs in meaning, and nothing else."""
    for key, value in values.items():
        if isinstance(value, dict) and isinstance(table.get(key), dict):
            lay_over(table[key], value)
        elif missing(value, table.get(key), key):
            table[key] = value


def _meaning(value: Any, key: str) -> Any:
    """The value without its form: the runner turns a string pull_policy into a list, adds /cache."""
    if key == "pull_policy" and isinstance(value, str):
        return [value]
    if key == "volumes" and isinstance(value, list | tuple):
        return sorted({*value, "/cache"})
    return list(value) if isinstance(value, tuple) else value
