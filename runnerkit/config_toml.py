"""The live config.toml: the kit sets what the settings name and keeps everything else.

Compared by meaning, because the runner rewrites the file itself: comments go, lists change form.
"""

import re
import tomllib
from collections.abc import Callable
from typing import Any

from runnerkit import autoscaler
from runnerkit.errors import KitError
from runnerkit.facts import Facts
from runnerkit.secrets import Secret
from runnerkit.want import Want, WantedRunner

DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)")
SECONDS = {"h": 3600, "m": 60, "s": 1, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
# Of the autoscaler's keys, those whose zero says something else than their absence.
ZERO_COUNTS = ("plugin_config", "preemptive_mode", "reservation_throttling")


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

    A run without settings, name or runner's token also adopts the only entry for the same GitLab,
    so that a host set up by hand is not registered a second time.
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
    return same[0] if runner.adopts and not token and len(same) == 1 else None


def globals_wanted(want: Want, have: Facts) -> dict[str, Any]:
    """What the settings say of the global part."""
    manager = want.manager
    concurrent = have.cpus if manager.concurrent == "auto" else manager.concurrent
    return {**({"concurrent": concurrent} if concurrent else {}), **manager.settings}


def runner_wanted(
    runner: WantedRunner, tell: Callable[[Secret], str] = Secret.reveal
) -> dict[str, Any]:
    """What the settings say of one ``[[runners]]`` entry; `tell` says what stands for a secret."""
    spec = runner.spec
    wanted = {"executor": spec.executor, **spec.settings}
    if spec.executor != "instance":
        docker = {"image": runner.image, "pull_policy": list(spec.pull_policy)}
        wanted["docker"] = {**docker, **spec.docker}
    if spec.autoscaler:
        wanted["autoscaler"] = autoscaler.told(spec.autoscaler, tell)
    return wanted


def shown(runner: WantedRunner) -> str:
    """The same as people read it, without a secret."""
    import tomlkit

    return tomlkit.dumps({"runners": [runner_wanted(runner, str)]})


def missing(want: Any, have: Any, key: str = "", zeros: bool = False) -> bool:
    """Whether `have` lacks something of `want`; keys that `want` does not name do not matter.

    Args:
        want: a value of the settings.
        have: the file's.
        key: what both are the value of.
        zeros: whether the runner, when it saves the file, leaves out what is zero.
    """
    zeros = (zeros or key == "autoscaler") and key not in ZERO_COUNTS
    if zeros and not want and have is None:
        return False
    if isinstance(want, dict):
        have = {} if zeros and have is None else have
        if not isinstance(have, dict):
            return True
        return any(missing(value, have.get(k), k, zeros) for k, value in want.items())
    if _tables(want) and _tables(have) and len(want) == len(have):
        return any(missing(a, b, key, zeros) for a, b in zip(want, have, strict=True))
    return bool(_meaning(want, key) != _meaning(have, key))


def restarts(wanted: dict[str, Any], now: dict[str, Any]) -> bool:
    """Whether an entry changes in what a manager that runs does not take up: all but the policy."""
    said = {k: v for k, v in wanted.get("autoscaler", {}).items() if k != "policy"}
    return "autoscaler" in now and missing({"autoscaler": said}, now)


def edited(text: str, want: Want, have: Facts, entries: dict[int, WantedRunner]) -> str:
    """The file with the settings laid over it, everything else as it stands."""
    import tomlkit

    document = tomlkit.parse(text)
    lay_over(document, globals_wanted(want, have))
    for index, runner in entries.items():
        lay_over(document["runners"][index], runner_wanted(runner))
    return tomlkit.dumps(document)


def lay_over(table: Any, values: dict[str, Any], zeros: bool = False) -> None:
    """Set in a tomlkit table what differs in meaning, and nothing else."""
    for key, value in values.items():
        now = table.get(key)
        inner = (zeros or key == "autoscaler") and key not in ZERO_COUNTS
        if isinstance(value, dict) and isinstance(now, dict):
            lay_over(now, value, inner)
        elif _tables(value) and _tables(now) and len(value) == len(now):
            for mine, theirs in zip(value, now, strict=True):
                lay_over(theirs, mine, inner)
        elif missing(value, now, key, zeros):
            table[key] = value


def _tables(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def _meaning(value: Any, key: str) -> Any:
    """The value without its form.

    The runner turns a string pull_policy into a list, adds /cache, and writes 90s as 1m30s.
    """
    if key == "pull_policy" and isinstance(value, str):
        return [value]
    if key == "volumes" and isinstance(value, list | tuple):
        return sorted({*value, "/cache"})
    if isinstance(value, str) and re.fullmatch(f"(?:{DURATION.pattern})+", value):
        return sum(float(number) * SECONDS[unit] for number, unit in DURATION.findall(value))
    return list(value) if isinstance(value, tuple) else value
